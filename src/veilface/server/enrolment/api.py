"""Challenges, keys, enrolments and templates over HTTP."""

import time

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from veilface.server.access import SIGNED_IN, caller, confirmation
from veilface.server.accounts import messages
from veilface.server.enrolment import challenges, evidence, services
from veilface.server.enrolment.schemas import Challenge, ChallengeRequest, Deletion, Enrolment, Template
from veilface.server.galleries.access import AT_THE_DOOR
from veilface.server.octets import OCTETS, octets_in, octets_out, read_octets
from veilface.server.wire import Digest, Identifier

router = Router(tags=["enrolment"], auth=SIGNED_IN)

# The address of a key is the hash of its content.
KEY_CACHING = "private, max-age=31536000, immutable"


@router.post("/challenges", response=Challenge)
def issue_challenge(request: HttpRequest, body: ChallengeRequest) -> Challenge:
    """Permission, for 90 s, to sign one message; for enrolment also the certificate of a fresh key."""
    current = caller(request)
    grant = challenges.issue(
        current.account,
        purpose=challenges.PURPOSES[body.type],
        device_id=body.device_id,
        context_hash=body.context_hash,
        binding=current.binding,
        confirmation=confirmation(request, body),
        scheme=body.scheme,
    )
    return Challenge.of(grant, server_time_ms=messages.now_ms())


@router.get(
    "/keys/{key_fp}",
    response={200: None},
    auth=[AT_THE_DOOR, *SIGNED_IN],
    openapi_extra=octets_out(services.KEY_LENGTHS),
)
def read_key(request: HttpRequest, key_fp: Digest) -> HttpResponse:  # noqa: ARG001 – ninja passes it
    """The public key of an epoch; the device checks that its SHA-256 is the certified `key_fp`."""
    return HttpResponse(evidence.public_key(key_fp), content_type=OCTETS, headers={"Cache-Control": KEY_CACHING})


@router.post("/enrolments", response={201: Enrolment}, openapi_extra=octets_in(services.ENROLMENT_LENGTHS))
def enrol(request: HttpRequest, response: HttpResponse) -> Status[Enrolment]:
    """Make the body's template the account's. The body is `H‖signature‖T`; until it is done the old one works.

    The header's suite says how long `T` is. The time it took is in `Server-Timing`.
    """
    current = caller(request)
    data = read_octets(request, lengths=services.ENROLMENT_LENGTHS)
    begin = time.perf_counter()
    row = services.enrol(current.account, data=data, binding=current.binding)
    response["Server-Timing"] = f"enrol;dur={(time.perf_counter() - begin) * 1000:.2f}"
    return Status(201, Enrolment(template=Template.of(row), receipt=bytes(row.receipt)))


@router.get("/templates", response=list[Template])
def list_templates(request: HttpRequest) -> list[Template]:
    """The account's templates: at most one, whatever its protection."""
    row = services.current(caller(request).account)
    return [] if row is None else [Template.of(row)]


@router.get(
    "/templates/{template_id}/data",
    response={200: None},
    openapi_extra=octets_out(services.SEALED_LENGTHS, refused=[403]),
)
def read_template(request: HttpRequest, template_id: Identifier) -> HttpResponse:
    """The template as the server has it, for its owner to look at; an encrypted one only.

    A template that a device's token protects is refused with 403: sent back as a probe, it would be accepted.
    """
    data = services.shown(caller(request).account, template_id=template_id)
    return HttpResponse(data, content_type=OCTETS)


@router.post("/templates/{template_id}/deletion", response=Deletion, openapi_extra=octets_in(services.DELETION_LENGTHS))
def delete_template(request: HttpRequest, template_id: Identifier) -> Deletion:
    """Erase the template's key, then the template. The body is `H‖signature`."""
    current = caller(request)
    data = read_octets(request, lengths=services.DELETION_LENGTHS)
    receipt = services.delete(current.account, template_id=template_id, data=data, binding=current.binding)
    return Deletion(receipt=receipt)
