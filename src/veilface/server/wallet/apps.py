from django.apps import AppConfig


class WalletConfig(AppConfig):
    """Wallets, transfers, payments, top-ups."""

    name = "veilface.server.wallet"
    label = "wallet"
