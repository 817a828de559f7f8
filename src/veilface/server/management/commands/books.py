from typing import Any

from django.core.management.base import BaseCommand, CommandError

from veilface.messages import explain
from veilface.server.wallet import books
from veilface.server.wallet.errors import LedgerBroken


class Command(BaseCommand):
    """Take every sum of the ledger again."""

    help = "Checks that all entries add up to nothing and every balance to its own entries."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Check; what does not agree is told, with exit status 1."""
        try:
            totals = books.check()
        except LedgerBroken as broken:
            raise CommandError(explain(broken)) from broken
        self.stdout.write(f"wallets {totals.wallets}, transfers {totals.transfers}, entries {totals.entries}")
        self.stdout.write(f"held {totals.held}")
