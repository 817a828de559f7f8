"""Where somebody is signed in, and the password."""

from django.http import HttpRequest
from ninja import Router, Status

from veilface.server.access import IN_A_BROWSER, SIGNED_IN, caller, confirmation, sign_in, sign_out
from veilface.server.accounts import confirming, services, sign_ins
from veilface.server.accounts.api import signed_in
from veilface.server.accounts.models import SignIn
from veilface.server.accounts.schemas import PasswordChange, Presence, SignedIn
from veilface.server.wire import Identifier

router = Router(tags=["accounts"])


@router.get("/sessions", response=list[Presence], auth=SIGNED_IN)
def list_sessions(request: HttpRequest) -> list[Presence]:
    """Every session of the site and every program's token, this one marked."""
    current = caller(request)
    return [Presence.from_orm(found) for found in sign_ins.every(current.account, current=current.digest)]


@router.delete("/sessions/{session_id}", response={204: None}, auth=SIGNED_IN)
def end_other_session(request: HttpRequest, session_id: Identifier) -> Status[None]:
    """Sign out somewhere: the cookie or token there opens nothing any more."""
    sign_ins.end(caller(request).account, session_id)
    return Status(204, None)


@router.delete("/sessions", response={204: None}, auth=SIGNED_IN)
def end_every_session(request: HttpRequest) -> Status[None]:
    """Sign out everywhere, here too; programs' tokens are revoked."""
    sign_ins.end_all(caller(request).account)
    sign_out(request)
    return Status(204, None)


@router.post("/account/password", response=SignedIn, auth=IN_A_BROWSER)
def change_password(request: HttpRequest, body: PasswordChange) -> SignedIn:
    """Set a new password, confirmed by the old one or a passkey. Signs out everywhere else, and in anew here."""
    account = caller(request).account
    confirming.require(account, confirmation(request, body))
    services.change_password(account, password=body.new_password)
    sign_ins.end_all(account)
    method = SignIn.Method.PASSKEY if body.passkey else SignIn.Method.PASSWORD
    return signed_in(sign_in(request, account, method=method))
