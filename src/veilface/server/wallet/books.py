"""Whether the books agree: every sum is taken again from the records below it."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Sum

from veilface.server.wallet.errors import LedgerBroken
from veilface.server.wallet.models import Entry, Transfer, Wallet


@dataclass(frozen=True, kw_only=True)
class Totals:
    """How much was looked at; ``held`` in minor units."""

    wallets: int
    transfers: int
    entries: int
    held: int


def check() -> Totals:
    """Raises :class:`LedgerBroken` unless all entries add up to nothing, and every balance to its own entries.

    No money moves meanwhile: all wallets are locked, in the ledger's own order.
    """
    with transaction.atomic():
        wallets = list(Wallet.objects.select_for_update().order_by("id"))
        entries = Entry.objects.values_list("wallet").annotate(Sum("amount")).order_by()
        pending = Transfer.objects.filter(state=Transfer.State.PENDING).order_by()
        posted = {wallet: int(total) for wallet, total in entries}
        held = {wallet: int(total) for wallet, total in pending.values_list("source").annotate(Sum("amount"))}
        _equal("entries", sum(posted.values()), 0)
        for wallet in wallets:
            _equal("posted", wallet.posted, posted.get(wallet.id, 0))
            _equal("held", wallet.held, held.get(wallet.id, 0))
        _check_sides()
        return Totals(
            wallets=len(wallets),
            transfers=Transfer.objects.count(),
            entries=Entry.objects.count(),
            held=sum(held.values()),
        )


def _check_sides() -> None:
    """A posted transfer has exactly its two sides, any other has none."""
    for transfer in Transfer.objects.annotate(sides=Count("entries")).iterator():
        expected = 2 if transfer.state == Transfer.State.POSTED else 0
        _equal("sides", transfer.sides, expected)
    for entry in Entry.objects.select_related("transfer").iterator():
        whole = entry.transfer.amount
        _equal("side", entry.amount, whole if entry.wallet_id == entry.transfer.target_id else -whole)


def _equal(field: str, got: int, expected: int) -> None:
    if got != expected:
        raise LedgerBroken(field=field, got=got, expected=expected)
