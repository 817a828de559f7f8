"""Who asks: the site's session with its CSRF token, or a program's bearer token."""

from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from veilface.server.accounts import services
from veilface.server.accounts.models import AccessToken, Account
from veilface.server.errors import CsrfFailed

ACCOUNT_KEY = "account"
BINDING_KEY = "binding"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The signed-in account, the 32 bytes its messages are bound to, and the token it came with, if any."""

    account: Account
    binding: bytes
    token: AccessToken | None = None


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
        return Caller(account=found.account, binding=bytes.fromhex(found.binding), token=found)


SIGNED_IN = [ProgramAccess(), SiteAccess()]


def caller(request: HttpRequest) -> Caller:
    """Who asks, once ``SIGNED_IN`` has let the request through."""
    return cast("Caller", cast("Any", request).auth)


def session_caller(request: HttpRequest) -> Caller | None:
    """The session's caller, or None where nobody is signed in."""
    account = Account.objects.filter(id=request.session.get(ACCOUNT_KEY, "")).first()
    if account is None:
        return None
    return Caller(account=account, binding=bytes.fromhex(request.session[BINDING_KEY]))


def sign_in(request: HttpRequest, account: Account) -> Caller:
    """Begin a new session: whatever key the browser came with is void."""
    request.session.flush()
    binding = services.new_binding()
    request.session[ACCOUNT_KEY] = account.id
    request.session[BINDING_KEY] = binding.hex()
    rotate_token(request)
    return Caller(account=account, binding=binding)


def sign_out(request: HttpRequest) -> None:
    """End the session."""
    request.session.flush()


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
