from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Accounts, sessions, tokens, devices."""

    name = "veilface.server.accounts"
    label = "accounts"
