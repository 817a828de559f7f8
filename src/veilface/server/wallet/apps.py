from django.apps import AppConfig


class WalletConfig(AppConfig):
    """Wallets, transfers, payments, top-ups."""

    name = "veilface.server.wallet"
    label = "wallet"

    def ready(self) -> None:
        """A provider that does not exist is told now, not by the first top-up."""
        from veilface.server.wallet import providers  # noqa: PLC0415 – not before the apps are loaded

        providers.in_use()
