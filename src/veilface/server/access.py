"""Who asks: the site's session with its CSRF token, or a program's bearer token."""

import hmac
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import get_token, rotate_token
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from veilface.server.accounts import services, sign_ins
from veilface.server.accounts.confirming import Confirmation
from veilface.server.accounts.models import AccessToken, Account, SignIn
from veilface.server.accounts.schemas import ConfirmationFields
from veilface.server.accounts.sessions import digest_of
from veilface.server.errors import CsrfFailed

BINDING_KEY = "binding"
VISITOR = b"veilface visitor"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The signed-in account, the 32 bytes its messages are bound to, and the session or token it came with."""

    account: Account
    binding: bytes
    sign_in: SignIn | None = None
    token: AccessToken | None = None

    @property
    def digest(self) -> str:
        """What names the session or the token in the database."""
        return self.sign_in.digest if self.sign_in else self.token.digest if self.token else ""


class SiteAccess(APIKeyCookie):
    """The session cookie; a changing request must also carry ``X-CSRFToken``."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        require_csrf(request)
        return request.COOKIES.get(self.param_name)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        """The session's caller, or None."""
        return session_caller(request) if key else None


class ProgramAccess(HttpBearer):
    """``Authorization: Bearer vf_…``."""

    def authenticate(self, _request: HttpRequest, token: str) -> Caller:
        """The token's caller; a token that is none is refused, never passed over."""
        found = services.find_token(token)
        sign_ins.note_use(found)
        return Caller(account=found.account, binding=bytes.fromhex(found.binding), token=found)


SIGNED_IN = [ProgramAccess(), SiteAccess()]
IN_A_BROWSER = [SiteAccess()]


def caller(request: HttpRequest) -> Caller:
    """Who asks, once ``SIGNED_IN`` has let the request through."""
    return cast("Caller", cast("Any", request).auth)


def session_caller(request: HttpRequest) -> Caller | None:
    """The session's caller, or None where nobody is signed in."""
    binding: str = request.session.get(BINDING_KEY, "")
    found = sign_ins.find(digest_of(request.session.session_key)) if binding else None
    if found is None:
        return None
    return Caller(account=found.account, binding=bytes.fromhex(binding), sign_in=found)


def sign_in(request: HttpRequest, account: Account, *, method: SignIn.Method) -> Caller:
    """Begin a new session: whatever key the browser came with is void. Wrong passwords of before count no more."""
    sign_out(request)
    services.reopen_password(account)
    binding = services.new_binding()
    request.session[BINDING_KEY] = binding.hex()
    request.session.create()
    opened = sign_ins.open_for(
        account,
        digest=digest_of(request.session.session_key),
        method=method,
        user_agent=request.headers.get("User-Agent", ""),
    )
    rotate_token(request)
    return Caller(account=account, binding=binding, sign_in=opened)


def sign_out(request: HttpRequest) -> None:
    """End the session."""
    sign_ins.end_session(digest_of(request.session.session_key))
    request.session.flush()


def visitor_binding(request: HttpRequest) -> bytes:
    """What signing in from this browser is bound to: made of its CSRF cookie, so nothing is kept of mere visitors."""
    get_token(request)
    secret = str(request.META["CSRF_COOKIE"])
    return hmac.digest(settings.SECRET_KEY.encode(), VISITOR + secret.encode(), "sha256")


def confirmation(request: HttpRequest, body: ConfirmationFields) -> Confirmation:
    """What came with the body to confirm it."""
    return Confirmation(
        password=body.password,
        passkey=body.passkey.read() if body.passkey else None,
        binding=caller(request).binding,
        address=address(request),
    )


def same_site(request: HttpRequest) -> bool:
    """Let in whoever comes from the site's own pages, signed in or not."""
    require_csrf(request)
    return True


def require_csrf(request: HttpRequest) -> None:
    """Raise :class:`CsrfFailed` for a changing request that did not come from the site's own pages."""
    if check_csrf(request) is not None:
        raise CsrfFailed


def address(request: HttpRequest) -> str:
    """The client's address, as far as the proxies in front of us are trusted."""
    hops = settings.PROXY_HOPS
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if hops and len(forwarded) >= hops:
        return forwarded[-hops]
    return str(request.META.get("REMOTE_ADDR", ""))
