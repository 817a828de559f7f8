"""Base64url without padding (RFC 4648 §5): how bytes stand in JSON. One text for one value, strictly."""

import base64
import binascii
import re

ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """The text of ``data``."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of ``text``; raises ``ValueError`` for padding, other alphabets or stray bits."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if ALPHABET.fullmatch(text) else None
    except binascii.Error:
        data = None
    if data is None or encode(data) != text:
        raise ValueError("base64url without padding expected")
    return data
