"""The way to the key holder: one pooled client for this process, and nothing else knows its address."""

from functools import cache

from django.conf import settings

from veilface.keyholder import client


@cache
def keyholder() -> client.KeyHolderApi:
    """The key holder of this installation, over mutual TLS with pinned certificates."""
    return client.RemoteKeyHolder(settings.KEYHOLDER_URL, credentials=settings.KEYHOLDER_CREDENTIALS)


def pinned_public_key() -> bytes:
    """The key (65 B) that signs certificates and receipts; known whether or not the key holder answers."""
    return client.read_public_key(settings.KEYHOLDER_CREDENTIALS)
