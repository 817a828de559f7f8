"""Face login over HTTP."""

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from veilface.server.access import address, same_site, sign_in, visitor_binding
from veilface.server.accounts import messages
from veilface.server.accounts.models import SignIn
from veilface.server.accounts.schemas import Profile, SignedOrder
from veilface.server.enrolment.schemas import Challenge
from veilface.server.enrolment.services import KEY_LENGTHS
from veilface.server.octets import OCTETS, octets_in, octets_out, read_octets
from veilface.server.recognition import face_login
from veilface.server.recognition.liveness import LENGTHS
from veilface.server.recognition.services import Stopwatch
from veilface.server.wire import Digest, Hash, WireBytes

router = Router(tags=["face login"])


class FaceLoginTerms(Schema):
    """The 32 bytes that a face login from this browser is bound to, and the server's clock.

    A device whose own clock is wrong signs the time it reckons from ``server_time_ms``.
    """

    binding: Hash
    server_time_ms: int


class FaceLoginChallenge(Challenge):
    """What the login's header must name – and whether the key holder would judge it now.

    ``disabled`` – after too many failures only the password, a passkey or a new enrolment helps.
    """

    retry_after_s: int
    disabled: bool


class FaceLogin(Schema):
    """A new session, and the key holder's receipt (192 B) for the face that began it."""

    account: Profile
    binding: Hash
    receipt: WireBytes


@router.get("/face-login", response=FaceLoginTerms)
def begin_face_login(request: HttpRequest) -> FaceLoginTerms:
    """What a face login is bound to. Sets the CSRF cookie; stays the same until somebody signs in."""
    return FaceLoginTerms(binding=visitor_binding(request), server_time_ms=messages.now_ms())


@router.post("/face-login/challenges", response=FaceLoginChallenge, auth=same_site)
def allow_face_login(request: HttpRequest, body: SignedOrder) -> FaceLoginChallenge:
    """Permission, for 90 s, to sign one login.

    The device knocks with a header of type 11 whose challenge, key_fp, model_fp and template_hash are zero, whose
    body is empty, and whose context is `VFLOGIN`‖origin‖binding. Whoever is no active device of an account is refused
    with the same answer as somebody whose face is not accepted.
    """
    with face_login.refused_alike():
        allowed = face_login.allow(
            header=body.header,
            signature=body.signature,
            binding=visitor_binding(request),
            address=address(request),
        )
    challenge = Challenge.of(allowed.grant, server_time_ms=messages.now_ms(), movements=allowed.movements)
    return FaceLoginChallenge(**dict(challenge), retry_after_s=allowed.retry_after_s, disabled=allowed.disabled)


@router.get("/face-login/challenges/{challenge}/key", response={200: None}, openapi_extra=octets_out(KEY_LENGTHS))
def read_login_key(request: HttpRequest, challenge: Digest) -> HttpResponse:  # noqa: ARG001 – ninja passes it
    """The public key that the answer to an unused challenge is made with; its SHA-256 is the challenge's key_fp."""
    return HttpResponse(face_login.key_of(challenge), content_type=OCTETS)


@router.post("/face-login", response=FaceLogin, auth=same_site, openapi_extra=octets_in(LENGTHS))
def log_in_by_face(request: HttpRequest, response: HttpResponse) -> FaceLogin:
    """Sign in by face. The body is `H‖signature‖P` of type 11, its context that of the challenge.

    Where the challenge asks for movements, the record of them (80 B) follows the probe; `body_hash` is over both.

    An unknown account or device, a wrong signature and a wrong face are refused alike: same answer, same time.
    """
    data = read_octets(request, lengths=LENGTHS)
    with face_login.refused_alike():
        known = face_login.recognise(data=data, binding=visitor_binding(request), address=address(request))
    with Stopwatch(known.verdict.stages_ms).stage("sign_in"):
        session = sign_in(request, known.account, method=SignIn.Method.FACE)
    stages = known.verdict.stages_ms.items()
    response["Server-Timing"] = ", ".join(f"{name};dur={ms:.2f}" for name, ms in stages)
    return FaceLogin(account=Profile.from_orm(known.account), binding=session.binding, receipt=known.verdict.receipt)
