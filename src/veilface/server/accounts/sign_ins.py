"""Where an account is signed in: sessions of the site and tokens of programs, seen and ended from anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from veilface.server.accounts.models import AccessToken, Account, SignIn
from veilface.server.errors import NotFound

USE_IS_NOTED_EVERY: Final = timedelta(minutes=10)
ID_CHARACTERS: Final = 32  # of the digest: who is shown them can make nothing of them
BROWSERS: Final = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
SYSTEMS: Final = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@dataclass(frozen=True, kw_only=True)
class Presence:
    """One way in that is open now. ``method`` – what proved the person; a program's token was got by password."""

    id: str
    kind: Literal["browser", "program"]
    name: str
    method: str
    created_at: datetime
    last_used_at: datetime | None
    current: bool


def open_for(account: Account, *, digest: str, method: SignIn.Method, user_agent: str) -> SignIn:
    """Write down that the session of this digest is the account's."""
    forget_ended()
    return SignIn.objects.create(digest=digest, account=account, method=method, browser=described(user_agent))


def find(digest: str) -> SignIn | None:
    """Whose the session of this digest is, None where it is nobody's any more; its use is noted, roughly."""
    row = _live().select_related("account").filter(digest=digest).first()
    now = timezone.now()
    if row is not None and now - row.last_used_at > USE_IS_NOTED_EVERY:
        SignIn.objects.filter(pk=digest).update(last_used_at=now)
    return row


def note_use(token: AccessToken) -> None:
    """Remember roughly when a program last came."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_IS_NOTED_EVERY:
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)


def every(account: Account, *, current: str) -> Iterator[Presence]:
    """All that is open, the latest first within its kind; ``current`` – the digest of the asking session or token."""
    for row in _live().filter(account=account).order_by("-last_used_at", "digest"):
        yield Presence(
            id=row.digest[:ID_CHARACTERS],
            kind="browser",
            name=row.browser,
            method=row.method,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            current=row.digest == current,
        )
    for token in account.tokens.filter(expires_at__gt=timezone.now()).order_by("-created_at", "digest"):
        yield Presence(
            id=token.digest[:ID_CHARACTERS],
            kind="program",
            name=token.name,
            method=SignIn.Method.PASSWORD.value,
            created_at=token.created_at,
            last_used_at=token.last_used_at,
            current=token.digest == current,
        )


def end(account: Account, presence: str) -> None:
    """End one session, or revoke one token, for good; raises :class:`NotFound`."""
    digests = account.sign_ins.filter(digest__startswith=presence).values_list("digest", flat=True)
    if ended := list(digests):
        _end_sessions(account, ended)
    elif not account.tokens.filter(digest__startswith=presence).delete()[0]:
        raise NotFound


def end_all(account: Account) -> None:
    """End every session and revoke every token of the account."""
    with transaction.atomic():
        _end_sessions(account, list(account.sign_ins.values_list("digest", flat=True)))
        account.tokens.all().delete()


def end_session(digest: str) -> None:
    """End the session of this digest."""
    SignIn.objects.filter(pk=digest).delete()


def forget_ended() -> int:
    """Delete rows of sessions that are over; how many."""
    return SignIn.objects.filter(created_at__lte=_oldest()).delete()[0]


def described(user_agent: str) -> str:
    """``Chrome, Android``: what a person needs to know a browser again, and nothing that tells it from others."""
    browser = next((name for mark, name in BROWSERS.items() if f"{mark}/" in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    return ", ".join(part for part in (browser, system) if part)


def _live() -> QuerySet[SignIn]:
    return SignIn.objects.filter(created_at__gt=_oldest())


def _oldest() -> datetime:
    return timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)


def _end_sessions(account: Account, digests: list[str]) -> None:
    Session.objects.filter(session_key__in=digests).delete()
    account.sign_ins.filter(digest__in=digests).delete()
