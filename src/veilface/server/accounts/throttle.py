"""Limits on attempts, counted in database rows by single conditional statements: exact under parallel requests."""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from veilface.server.accounts.models import Throttle
from veilface.server.errors import TooManyAttempts


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most ``attempts`` in ``seconds`` for one subject of ``scope``."""

    scope: str
    attempts: int
    seconds: int


PASSWORD_BY_NAME = Limit(scope="password-name", attempts=10, seconds=900)
PASSWORD_BY_ADDRESS = Limit(scope="password-address", attempts=100, seconds=900)
REGISTRATIONS = Limit(scope="registration", attempts=60, seconds=3600)
CHALLENGES = Limit(scope="challenge", attempts=60, seconds=60)


def spend(limit: Limit, subject: str) -> None:
    """Count one attempt before it is made; raises :class:`TooManyAttempts` once the window holds ``limit.attempts``."""
    key, now = _key(limit, subject), timezone.now()
    for _ in range(2):  # the second round finds the row that a parallel request inserted
        if _count(limit, key, now) or _restart(limit, key, now) or _begin(limit, key, now):
            return
    ends_at = Throttle.objects.values_list("ends_at", flat=True).filter(subject=key).first() or now
    raise TooManyAttempts(retry_after_s=max(1, math.ceil((ends_at - now).total_seconds())))


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
    return live.update(attempts=F("attempts") + 1) == 1


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


def _key(limit: Limit, subject: str) -> str:
    return hashlib.sha256(f"{limit.scope}:{subject}".encode()).hexdigest()
