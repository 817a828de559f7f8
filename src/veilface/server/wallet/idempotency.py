"""Requests that may be repeated: a key made by the client names one request, which happens once and has one answer.

A claim is written before anything else. The change and its answer are written in one transaction, and only while the
claim still stands: a request that was taken over because it seemed dead can no longer change anything. Refusals are
answers, too. What failed without deciding anything (5xx, 429, a confirmation that was none) is let go, so that the same
key may try again.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from veilface.errors import VeilfaceError
from veilface.protect.envelope import sha256
from veilface.server.accounts import throttle
from veilface.server.accounts.models import Account
from veilface.server.errors import ConfirmationNeeded, PasskeyRefused, WrongCredentials
from veilface.server.failures import status_of
from veilface.server.relaying import unimportant
from veilface.server.wallet.errors import KeyReused, StillWorking
from veilface.server.wallet.models import Request
from veilface.server.wire import Json

KEPT: Final = timedelta(hours=48)
REQUESTS: Final = throttle.Limit(scope="wallet", attempts=60, seconds=60)
UNDECIDED: Final = frozenset({429})
UNCONFIRMED: Final = (ConfirmationNeeded, PasskeyRefused, WrongCredentials)
SERVER_FAULT: Final = 500


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to do what a request asks. ``again`` – an earlier try of it was cut short."""

    row: int
    token: str
    again: bool

    def answer(self, content: Json) -> None:
        """Keep the answer; to be called in the transaction that makes the change, which fails if the claim is lost."""
        self._write({"answer": content})

    def refuse(self, error: VeilfaceError) -> None:
        """Keep a refusal as the answer."""
        self._write({"code": error.code, "details": error.details})

    def release(self) -> None:
        """Let the key be used again, as nothing was decided."""
        Request.objects.filter(pk=self.row, claim=self.token, answered_at=None).delete()

    def _write(self, content: Json) -> None:
        mine = Request.objects.filter(pk=self.row, claim=self.token, answered_at=None)
        if not mine.update(answer=json.dumps(content), answered_at=timezone.now()):
            raise StillWorking(retry_after_s=settings.WALLET_HOLD_S)


@dataclass(frozen=True, kw_only=True)
class Once:
    """The one answer of a request, and whether it was given before."""

    content: Json
    replayed: bool


def once(account: Account, *, key: str, request: bytes, work: Callable[[Claim], Json]) -> Once:
    """Do ``work`` for the first request of this key, and repeat its answer for every other.

    ``request`` – what must be the same each time: operation and body. Raises :class:`KeyReused`, :class:`StillWorking`,
    and whatever ``work`` raises, now or when it was first asked.
    """
    body_hash = sha256(request).hex()
    claim = _resume(account, key, body_hash) or _begin(account, key, body_hash) or _resume(account, key, body_hash)
    if claim is None:  # begun and let go by another, this very moment
        raise StillWorking(retry_after_s=1)
    if isinstance(claim, Once):
        return claim
    try:
        return Once(content=work(claim), replayed=False)
    except VeilfaceError as refused:
        with unimportant("answer_request"):
            _note(claim, refused)
        raise


def forget_old() -> int:
    """Delete requests answered more than 48 hours ago; the number of rows."""
    return Request.objects.filter(answered_at__lt=timezone.now() - KEPT).delete()[0]


def _begin(account: Account, key: str, body_hash: str) -> Claim | None:
    """The claim of a new key; None where another request was quicker."""
    throttle.spend(REQUESTS, account.id)
    token = secrets.token_hex(16)
    try:
        with transaction.atomic():
            row = Request.objects.create(
                account=account, key=key, body_hash=body_hash, claim=token, claimed_at=timezone.now()
            )
    except IntegrityError:
        return None
    return Claim(row=row.pk, token=token, again=False)


def _resume(account: Account, key: str, body_hash: str) -> Claim | Once | None:
    """The answer of a key that came before, or the claim of a request that died; None where the key is new."""
    row = Request.objects.filter(account=account, key=key).first()
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise KeyReused
    if row.answered_at is not None:
        return _repeat(json.loads(row.answer))
    now, token = timezone.now(), secrets.token_hex(16)
    dead_since = now - timedelta(seconds=settings.WALLET_HOLD_S)
    dead = Request.objects.filter(pk=row.pk, claim=row.claim, answered_at=None, claimed_at__lte=dead_since)
    if not dead.update(claim=token, claimed_at=now):
        left = settings.WALLET_HOLD_S - (now - row.claimed_at).total_seconds()
        raise StillWorking(retry_after_s=max(1, int(left)))
    return Claim(row=row.pk, token=token, again=True)


def _repeat(kept: Json) -> Once:
    if "answer" in kept:
        return Once(content=kept["answer"], replayed=True)
    raise _class_of(kept["code"])(**kept["details"])


def _class_of(code: str, root: type[VeilfaceError] = VeilfaceError) -> type[VeilfaceError]:
    below = [root]
    while below:
        found = below.pop()
        if found.code == code:
            return found
        below += found.__subclasses__()
    raise LookupError(code)


def _note(claim: Claim, refused: VeilfaceError) -> None:
    status = status_of(refused)
    if status >= SERVER_FAULT or status in UNDECIDED or isinstance(refused, UNCONFIRMED):
        claim.release()
    else:
        claim.refuse(refused)
