"""Sessions, accounts, tokens."""

from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Status

from veilface.server.access import (
    SIGNED_IN,
    Caller,
    address,
    caller,
    same_site,
    session_caller,
    sign_in,
    sign_out,
)
from veilface.server.accounts import services
from veilface.server.accounts.models import Account, SignIn
from veilface.server.accounts.schemas import (
    Credentials,
    Profile,
    Registration,
    Session,
    SignedIn,
    Token,
    TokenRequest,
)
from veilface.server.errors import NotSignedIn

router = Router(tags=["accounts"])


@router.get("/session", response=Session)
def read_session(request: HttpRequest) -> Session:
    """Who is signed in. Sets the CSRF cookie that changing requests repeat as ``X-CSRFToken``."""
    get_token(request)
    current = session_caller(request)
    if current is None:
        return Session(account=None, binding=None)
    return Session(account=profile(current.account), binding=current.binding)


@router.post("/session", response=SignedIn, auth=same_site)
def begin_session(request: HttpRequest, body: Credentials) -> SignedIn:
    """Sign in with a password."""
    account = services.authenticate(username=body.username, password=body.password, address=address(request))
    return signed_in(sign_in(request, account, method=SignIn.Method.PASSWORD))


@router.delete("/session", response={204: None}, auth=SIGNED_IN)
def end_session(request: HttpRequest) -> Status[None]:
    """Sign out."""
    sign_out(request)
    return Status(204, None)


@router.post("/accounts", response={201: SignedIn}, auth=same_site)
def register(request: HttpRequest, body: Registration) -> Status[SignedIn]:
    """Register, which also signs in and records the consent."""
    account = services.register(
        username=body.username,
        display_name=body.display_name,
        password=body.password,
        terms_version=body.terms_version,
        address=address(request),
    )
    return Status(201, signed_in(sign_in(request, account, method=SignIn.Method.PASSWORD)))


@router.post("/tokens", response={201: Token})
def issue_token(request: HttpRequest, body: TokenRequest) -> Status[Token]:
    """A token for a program, for a user name and password. No cookie is read or set."""
    account = services.authenticate(username=body.username, password=body.password, address=address(request))
    issued = services.issue_token(account, name=body.name)
    answer = Token(
        token=issued.secret,
        binding=bytes.fromhex(issued.record.binding),
        account=profile(account),
        expires_at=issued.record.expires_at,
    )
    return Status(201, answer)


@router.delete("/tokens/current", response={204: None}, auth=SIGNED_IN)
def revoke_token(request: HttpRequest) -> Status[None]:
    """Revoke the token this request came with."""
    token = caller(request).token
    if token is None:
        raise NotSignedIn
    token.delete()
    return Status(204, None)


def signed_in(current: Caller) -> SignedIn:
    """The answer that begins a session."""
    return SignedIn(account=profile(current.account), binding=current.binding)


def profile(account: Account) -> Profile:
    """The account in short."""
    return Profile.from_orm(account)
