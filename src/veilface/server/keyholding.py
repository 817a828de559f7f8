"""The way to the key holder: one pooled client for this process, and nothing else knows its address."""

from functools import cache

from django.conf import settings

from veilface.keyholder import client


@cache
def keyholder() -> client.KeyHolderApi:
    """The key holder of this installation, over mutual TLS with pinned certificates."""
    return client.RemoteKeyHolder(url=settings.KEYHOLDER_URL, credentials=settings.KEYHOLDER_CREDENTIALS)
