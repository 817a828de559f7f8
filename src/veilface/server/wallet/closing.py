"""Closing an account: its wallet stays in the ledger without an owner, and nobody reaches what is in it again."""

from collections.abc import Iterator
from contextlib import contextmanager

from veilface.server.accounts.models import Account
from veilface.server.wallet import ledger, topups
from veilface.server.wallet.errors import MoneyLeft
from veilface.server.wallet.models import Wallet


def check(account: Account, *, give_up: int | None) -> None:
    """Raise :class:`MoneyLeft` unless the wallet is empty, or the person gives up exactly what is in it."""
    wallet = Wallet.objects.filter(owner=account).first()
    if wallet is not None:
        topups.settle_due(wallet)
        ledger.expire_due(wallet)
        _check(wallet.id, give_up)


@contextmanager
def closed(account: Account, *, give_up: int | None) -> Iterator[None]:
    """A transaction in which no money comes or goes; raises :class:`MoneyLeft` where some came since the check."""
    wallet = Wallet.objects.filter(owner=account).first()
    with ledger.locked(*([wallet.id] if wallet else [])):
        if wallet is not None:
            _check(wallet.id, give_up)
        yield


def _check(wallet_id: str, give_up: int | None) -> None:
    left = Wallet.objects.values_list("posted", flat=True).get(id=wallet_id)
    if left != (give_up or 0):
        raise MoneyLeft(left=left)
