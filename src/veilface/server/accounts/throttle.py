"""Limits on attempts, counted in database rows by single conditional statements: exact under parallel requests."""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from veilface.server.accounts.models import Throttle
from veilface.server.errors import PasswordSwitchedOff, TooManyAttempts


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most ``attempts`` in ``seconds`` for one subject of ``scope``, and what is raised beyond.

    ``since_last`` – the seconds begin anew with each attempt that is let through: attempts in a row, then a pause.
    """

    scope: str
    attempts: int
    seconds: int
    since_last: bool = False
    refusal: type[TooManyAttempts] = TooManyAttempts


PASSWORD_BY_NAME = Limit(scope="password-name", attempts=5, seconds=30, since_last=True)
PASSWORD_IN_A_ROW = Limit(
    scope="password-row", attempts=50, seconds=86_400, since_last=True, refusal=PasswordSwitchedOff
)
PASSWORD_BY_ADDRESS = Limit(scope="password-address", attempts=100, seconds=900)
REGISTRATIONS = Limit(scope="registration", attempts=60, seconds=3600)
CHALLENGES = Limit(scope="challenge", attempts=60, seconds=60)


def spend(limit: Limit, subject: str) -> None:
    """Count one attempt before it is made; raises ``limit.refusal`` once the window holds ``limit.attempts``."""
    key, now = _key(limit, subject), timezone.now()
    for _ in range(2):  # the second round finds the row that a parallel request inserted
        if _count(limit, key, now) or _restart(limit, key, now) or _begin(limit, key, now):
            return
    ends_at = Throttle.objects.values_list("ends_at", flat=True).filter(subject=key).first() or now
    raise _refusal(limit, ends_at, now)


def look(limit: Limit, subject: str) -> None:
    """Raise ``limit.refusal`` where an attempt would be refused, without counting one."""
    now = timezone.now()
    spent = Throttle.objects.filter(subject=_key(limit, subject), ends_at__gt=now, attempts__gte=limit.attempts)
    ends_at = spent.values_list("ends_at", flat=True).first()
    if ends_at is not None:
        raise _refusal(limit, ends_at, now)


def forgive(limit: Limit, subject: str) -> None:
    """Forget the subject's attempts, after one succeeded."""
    Throttle.objects.filter(subject=_key(limit, subject)).delete()


def refund(limit: Limit, subject: str) -> None:
    """Take back one attempt, after it succeeded."""
    Throttle.objects.filter(subject=_key(limit, subject), attempts__gt=0).update(attempts=F("attempts") - 1)


def forget_ended() -> int:
    """Delete windows that are over; the number of rows."""
    return Throttle.objects.filter(ends_at__lte=timezone.now()).delete()[0]


def _count(limit: Limit, key: str, now: datetime) -> bool:
    live = Throttle.objects.filter(subject=key, ends_at__gt=now, attempts__lt=limit.attempts)
    ends_at = now + timedelta(seconds=limit.seconds) if limit.since_last else F("ends_at")
    return live.update(attempts=F("attempts") + 1, ends_at=ends_at) == 1


def _restart(limit: Limit, key: str, now: datetime) -> bool:
    ended = Throttle.objects.filter(subject=key, ends_at__lte=now)
    return ended.update(attempts=1, ends_at=now + timedelta(seconds=limit.seconds)) == 1


def _begin(limit: Limit, key: str, now: datetime) -> bool:
    try:
        with transaction.atomic():
            Throttle.objects.create(subject=key, attempts=1, ends_at=now + timedelta(seconds=limit.seconds))
    except IntegrityError:
        return False
    return True


def _refusal(limit: Limit, ends_at: datetime, now: datetime) -> TooManyAttempts:
    return limit.refusal(retry_after_s=max(1, math.ceil((ends_at - now).total_seconds())))


def _key(limit: Limit, subject: str) -> str:
    return hashlib.sha256(f"{limit.scope}:{subject}".encode()).hexdigest()
