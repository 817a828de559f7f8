"""Who asks at a gallery's door: a kiosk, by the token it chose when it joined."""

from datetime import UTC, datetime
from typing import Any, Final, cast

from django.http import HttpRequest
from ninja.security import HttpBearer

from veilface.protect.envelope import sha256
from veilface.server.galleries.errors import KioskTokenInvalid, KioskWaits
from veilface.server.galleries.models import Gallery, Kiosk

TOKEN_PREFIX: Final = "vk_"  # noqa: S105 – marks a token, is none


class KioskAccess(HttpBearer):
    """``Authorization: Bearer vk_…``."""

    def authenticate(self, _request: HttpRequest, token: str) -> Kiosk | None:
        """The token's kiosk, None for a token of another kind; one that is none is refused, never passed over."""
        if not token.startswith(TOKEN_PREFIX):
            return None
        found = Kiosk.objects.select_related("gallery").exclude(state=Kiosk.State.REVOKED)
        kiosk = found.filter(token=digest(token), gallery__state=Gallery.State.OPEN).first()
        if kiosk is None:
            raise KioskTokenInvalid
        return kiosk


AT_THE_DOOR: Final = KioskAccess()


def kiosk_of(request: HttpRequest) -> Kiosk:
    """Which kiosk asks, once ``AT_THE_DOOR`` has let the request through."""
    return cast("Kiosk", cast("Any", request).auth)


def working_kiosk(request: HttpRequest) -> Kiosk:
    """The kiosk that asks, once its waiting is over; raises :class:`KioskWaits`.

    A kiosk that nobody ordered waits so that the operator can notice it; until then it gets nothing but its own state.
    """
    kiosk = kiosk_of(request)
    if kiosk.state_at(datetime.now(UTC)) != Kiosk.State.ACTIVE:
        raise KioskWaits
    return kiosk


def digest(secret: str) -> str:
    """What is kept of a token or a code."""
    return sha256(secret.encode()).hex()
