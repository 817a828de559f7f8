"""Galleries over HTTP, for kiosks: join by the operator's code, search, register."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from veilface.protect.envelope import MessageType, gallery_context, search_context, sha256
from veilface.server.access import address
from veilface.server.accounts.messages import now_ms
from veilface.server.accounts.schemas import SignedOrder
from veilface.server.enrolment.schemas import Challenge
from veilface.server.galleries import approving, joining, messages, people, registering, searching
from veilface.server.galleries.access import AT_THE_DOOR, kiosk_of, working_kiosk
from veilface.server.galleries.models import Kiosk as KioskRow
from veilface.server.galleries.rooms import rooms
from veilface.server.galleries.schemas import (
    Everybody,
    Found,
    FurtherKiosk,
    JoiningChallenge,
    JoiningRequest,
    Kiosk,
    KioskApprovalRequest,
    KioskChallengeRequest,
    KioskRegistration,
    KioskState,
    Named,
    NewName,
    Part,
    People,
    Person,
    Place,
    ProbeKey,
    Removed,
)
from veilface.server.octets import octets_in, read_octets
from veilface.server.wire import Identifier

router = Router(tags=["kiosks"])


@router.post("/kiosks/challenges", response=JoiningChallenge)
def allow_joining(request: HttpRequest, body: JoiningRequest) -> JoiningChallenge:
    """What a device must sign to become a kiosk, for the operator's code. The code is not used up."""
    gallery, grant = joining.allow(
        code=body.code, device_id=body.device_id, context_hash=body.context_hash, address=address(request)
    )
    return JoiningChallenge(gallery=Place.of(gallery), challenge=Challenge.of(grant, server_time_ms=now_ms()))


@router.post("/kiosks", response={201: Kiosk})
def join(request: HttpRequest, body: KioskRegistration) -> Status[Kiosk]:
    """Become a kiosk of a gallery, with a token that only the kiosk knows; the code is used up.

    The same code, key and token once more are answered as the first time, for as long as the code is good.
    """
    candidate = joining.Candidate(
        device_id=body.device_id, name=body.name, public_key=body.public_key, token=body.token_hash.hex()
    )
    kiosk = joining.join(
        candidate, code=body.code, header=body.header, signature=body.signature, address=address(request)
    )
    return Status(201, Kiosk.model_validate(Kiosk.fields_of(kiosk, now=datetime.now(UTC))))


@router.get("/kiosk", response=KioskState, auth=AT_THE_DOOR)
def read_kiosk(request: HttpRequest) -> KioskState:
    """The kiosk that asks, its gallery, and the key that probes come under."""
    kiosk = kiosk_of(request)
    probes = rooms().room(kiosk.gallery).gallery.keys.probes
    fields = Kiosk.fields_of(kiosk, now=datetime.now(UTC))
    more = {"people": kiosk.gallery.members.count(), "probe_key": ProbeKey(key_fp=sha256(probes).hex())}
    return KioskState.model_validate({**fields, **more})


@router.post("/kiosk/challenges", response=list[Challenge], auth=AT_THE_DOOR)
def allow(request: HttpRequest, body: KioskChallengeRequest) -> list[Challenge]:
    """Permission, for 90 s each, to sign so many messages."""
    kiosk = working_kiosk(request)
    if body.type == "identify":
        type_, context = MessageType.IDENTIFY, search_context(kiosk.gallery.wire_id)
    else:
        type_, context = MessageType.GALLERY_OPT_IN, gallery_context(kiosk.gallery.wire_id, "register")
    grants = joining.challenges(kiosk, type_=type_, context=context, count=body.count)
    return [Challenge.of(grant, server_time_ms=now_ms()) for grant in grants]


@router.get("/kiosk/waiting", response=list[FurtherKiosk], auth=AT_THE_DOOR)
def list_waiting(request: HttpRequest) -> list[FurtherKiosk]:
    """Further kiosks of this gallery that wait to be let in."""
    return [shown(row) for row in approving.waiting(working_kiosk(request).gallery)]


@router.post("/kiosk/waiting/{kiosk_id}/challenge", response=Challenge, auth=AT_THE_DOOR)
def allow_approval(request: HttpRequest, kiosk_id: Identifier, body: KioskApprovalRequest) -> Challenge:
    """Permission, for 90 s, to sign that a kiosk which waits is let in, or turned away."""
    grant = approving.allow(working_kiosk(request), kiosk_id, refuse=body.refuse)
    return Challenge.of(grant, server_time_ms=now_ms())


@router.post("/kiosk/waiting/{kiosk_id}/approval", response=FurtherKiosk, auth=AT_THE_DOOR)
def approve_kiosk(request: HttpRequest, kiosk_id: Identifier, body: SignedOrder) -> FurtherKiosk:
    """Let a kiosk that waits in at once: a header of type 17 about its key."""
    row = approving.approve(working_kiosk(request), kiosk_id, header=body.header, signature=body.signature)
    return shown(row)


@router.post("/kiosk/waiting/{kiosk_id}/refusal", response=FurtherKiosk, auth=AT_THE_DOOR)
def refuse_kiosk(request: HttpRequest, kiosk_id: Identifier, body: SignedOrder) -> FurtherKiosk:
    """Turn a kiosk that waits away for good: a header of type 15."""
    row = approving.refuse(working_kiosk(request), kiosk_id, header=body.header, signature=body.signature)
    return shown(row)


@router.post("/kiosk/searches", response=Found, auth=AT_THE_DOOR, openapi_extra=octets_in(messages.LENGTHS))
def search(request: HttpRequest, response: HttpResponse) -> Found:
    """Who is it? The body is `H‖signature‖P` of type 13; the probe is computed with and forgotten.

    The stages' times are in `Server-Timing`.
    """
    data = read_octets(request, lengths=messages.LENGTHS)
    found = searching.search(working_kiosk(request), data=data)
    response["Server-Timing"] = ", ".join(f"{name};dur={ms:.2f}" for name, ms in found.stages_ms.items())
    named = [Named(id=person.id, name=person.name) for person in found.people]
    return Found(outcome=found.outcome, people=named, searched=found.searched)


@router.get("/kiosk/people", response=People, auth=AT_THE_DOOR)
def list_people(request: HttpRequest, after: Identifier | None = None) -> People:
    """Who is in the gallery, first come first, a hundred at a time."""
    return page(*people.listed(working_kiosk(request).gallery, after=after))


@router.post("/kiosk/people/by-name", response=People, auth=AT_THE_DOOR)
def find_people(request: HttpRequest, body: Part) -> People:
    """Of these, whose name has `name` in it. No name stands in an address, which others write down."""
    return page(*people.listed(working_kiosk(request).gallery, after=body.after, part=body.name.strip()))


@router.post("/kiosk/people", response={201: Person}, auth=AT_THE_DOOR, openapi_extra=octets_in(registering.LENGTHS))
def register(
    request: HttpRequest,
    consent: Query[bool] = False,  # noqa: FBT002 – a query's field
    replaces: Query[Identifier | None] = None,
) -> Status[Person]:
    """Register somebody who agreed to it, and whom a search does not find.

    The body is `n‖name‖H‖signature‖P‖H‖signature‖T`: the name's length in one byte, the name in UTF-8, filled up with
    zeros to 160 bytes; a search (type 13) and a registration (type 14) of one embedding, under the gallery's key.
    Whoever is found is named with `galleries.person_known`; `replaces` is whom the template is a new one of.
    """
    data = read_octets(request, lengths=registering.LENGTHS)
    person = registering.register(working_kiosk(request), data=data, consent=consent, replaces=replaces)
    return Status(201, Person.of(person))


@router.patch("/kiosk/people/{person_id}", response=Person, auth=AT_THE_DOOR)
def rename(request: HttpRequest, person_id: Identifier, body: NewName) -> Person:
    """Give somebody whom a kiosk registered another name."""
    return Person.of(people.rename(working_kiosk(request), person_id, name=body.name))


@router.delete("/kiosk/people/{person_id}", response={204: None}, auth=AT_THE_DOOR)
def remove(request: HttpRequest, person_id: Identifier) -> Status[None]:
    """Forget somebody whom a kiosk registered."""
    people.remove(working_kiosk(request), person_id)
    return Status(204, None)


@router.delete("/kiosk/people", response=Removed, auth=AT_THE_DOOR)
def remove_all(request: HttpRequest, body: Everybody) -> Removed:
    """Forget everybody whom this gallery's kiosks registered; the gallery's name confirms it."""
    return Removed(removed=people.remove_all(working_kiosk(request), confirm=body.confirm))


def shown(row: KioskRow) -> FurtherKiosk:
    """The kiosk as it stands now."""
    return FurtherKiosk.of(row, now=datetime.now(UTC))


def page(found: list[people.Person], following: str | None) -> People:
    """Some of the people, and after whom the next page begins."""
    return People(people=[Person.of(person) for person in found], next=following)
