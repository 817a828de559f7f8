"""The ledger: the only place where money moves.

A transfer is held (pending), then posted, voided or expired, once. Whoever changes balances holds the rows of both
wallets, locked in the order of their ids, so no two transfers can wait for each other; every balance changes by one
conditional statement, and the database's own checks refuse a negative one. A caller may open ``locked`` first and do
more in the same transaction, which then happens with the money or not at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from veilface.server.accounts.models import Account
from veilface.server.wallet.errors import AmountOutOfRange, NotEnoughMoney, TransferSettled
from veilface.server.wallet.models import Entry, Transfer, Wallet

LARGEST_AMOUNT: Final = 10**15  # far below what 64 bits, or a browser's numbers, hold


def wallet_of(account: Account) -> Wallet:
    """The person's wallet, made at the first look."""
    made, _ = Wallet.objects.get_or_create(
        owner=account, defaults={"kind": Wallet.Kind.PERSON, "currency": settings.WALLET_CURRENCY}
    )
    return made


def wallet_of_provider(name: str) -> Wallet:
    """Where money of this provider comes from: its balance is minus all that came."""
    made, _ = Wallet.objects.get_or_create(
        provider=name, defaults={"kind": Wallet.Kind.PROVIDER, "currency": settings.WALLET_CURRENCY}
    )
    return made


@contextmanager
def locked(*wallet_ids: str) -> Iterator[None]:
    """A transaction that holds these wallets, locked in one order whoever asks."""
    with transaction.atomic():
        list(Wallet.objects.select_for_update().filter(id__in=wallet_ids).order_by("id").values_list("id"))
        yield


def hold(*, kind: Transfer.Kind, source: Wallet, target: Wallet, amount: int, expires_at: datetime) -> Transfer:
    """Keep ``amount`` minor units back for a transfer that is still to be decided.

    Raises :class:`NotEnoughMoney`, or :class:`AmountOutOfRange`; then nothing changed.
    """
    if not 0 < amount <= LARGEST_AMOUNT:
        raise AmountOutOfRange(got=amount, limit=LARGEST_AMOUNT)
    enough = Q(kind=Wallet.Kind.PROVIDER) | Q(posted__gte=F("held") + amount)
    with locked(source.id, target.id):
        if not Wallet.objects.filter(enough, id=source.id).update(held=F("held") + amount):
            raise NotEnoughMoney
        return Transfer.objects.create(
            kind=kind,
            source=source,
            target=target,
            amount=amount,
            currency=settings.WALLET_CURRENCY,
            expires_at=expires_at,
        )


def post(transfer: Transfer) -> None:
    """Let the money arrive; raises :class:`TransferSettled` where it no longer can."""
    amount = transfer.amount
    with locked(transfer.source_id, transfer.target_id):
        _settle(transfer, Transfer.State.POSTED, Q(expires_at__gt=timezone.now()))
        Wallet.objects.filter(id=transfer.source_id).update(posted=F("posted") - amount, held=F("held") - amount)
        Wallet.objects.filter(id=transfer.target_id).update(posted=F("posted") + amount)
        Entry.objects.create(transfer=transfer, wallet_id=transfer.source_id, amount=-amount)
        Entry.objects.create(transfer=transfer, wallet_id=transfer.target_id, amount=amount)


def void(transfer: Transfer) -> None:
    """Give back what was held; raises :class:`TransferSettled` where that is done, or the money arrived."""
    _release(transfer, Transfer.State.VOIDED, Q())


def expire(transfer: Transfer) -> None:
    """Give back what was held for too long; raises :class:`TransferSettled` also where its time is not over."""
    _release(transfer, Transfer.State.EXPIRED, Q(expires_at__lte=timezone.now()))


def expire_due(wallet: Wallet | None = None) -> int:
    """Expire what is overdue, of one wallet or of all; how many transfers. There is no job: whoever looks, does it."""
    due = Transfer.objects.filter(state=Transfer.State.PENDING, expires_at__lte=timezone.now())
    if wallet is not None:
        due = due.filter(Q(source=wallet) | Q(target=wallet))
    expired = 0
    for transfer in due:
        with suppress(TransferSettled):  # somebody else was quicker
            expire(transfer)
            expired += 1
    return expired


def _release(transfer: Transfer, state: Transfer.State, condition: Q) -> None:
    with locked(transfer.source_id, transfer.target_id):
        _settle(transfer, state, condition)
        Wallet.objects.filter(id=transfer.source_id).update(held=F("held") - transfer.amount)


def _settle(transfer: Transfer, state: Transfer.State, condition: Q) -> None:
    """The one change a transfer ever sees, by one conditional statement."""
    now = timezone.now()
    pending = Transfer.objects.filter(condition, pk=transfer.pk, state=Transfer.State.PENDING)
    if not pending.update(state=state, settled_at=now):
        raise TransferSettled
    transfer.state, transfer.settled_at = state, now
