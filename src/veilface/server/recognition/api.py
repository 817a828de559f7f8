"""Verification over HTTP."""

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from veilface.protect.envelope import Outcome
from veilface.server.access import SIGNED_IN, caller
from veilface.server.octets import octets_in, read_octets
from veilface.server.recognition import services
from veilface.server.wire import WireBytes

router = Router(tags=["recognition"], auth=SIGNED_IN)


class Verification(Schema):
    """The key holder's answer and its signed receipt (192 B), which the device checks by itself."""

    accepted: bool
    outcome: Literal["accepted", "not_accepted", "retry_later", "disabled"]
    retry_after_s: int
    receipt: WireBytes


@router.post("/verifications", response=Verification, openapi_extra=octets_in(services.VERIFICATION_LENGTHS))
def verify(request: HttpRequest, response: HttpResponse) -> Verification:
    """Is this the account's person? The body is `H‖signature‖P`, as long as the header's suite says.

    The stages' times are in `Server-Timing`.
    """
    current = caller(request)
    data = read_octets(request, lengths=services.VERIFICATION_LENGTHS)
    verdict = services.verify(current.account, data=data, binding=current.binding)
    response["Server-Timing"] = ", ".join(f"{name};dur={ms:.2f}" for name, ms in verdict.stages_ms.items())
    return Verification.model_validate(
        {
            "accepted": verdict.outcome is Outcome.ACCEPTED,
            "outcome": verdict.outcome.name.lower(),
            "retry_after_s": verdict.retry_after_s,
            "receipt": verdict.receipt,
        }
    )
