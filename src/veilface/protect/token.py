"""The secret of a keyed protection: 32 random bytes for one person and one enrolment.

The token is made on the device and never leaves it. Shared by several people it protects none of them: some 16 to
32 known pairs of embedding and template then give the transform away. It is never derived from a PIN, because then
it would be guessed offline.
"""

import secrets
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from veilface.protect.errors import UnusableToken

TOKEN_BYTES: Final = 32
_LEAST_DIFFERENT_BYTES: Final = 8


def fresh_token() -> bytes:
    """32 bytes from the operating system's generator."""
    return secrets.token_bytes(TOKEN_BYTES)


def check_token(token: bytes) -> bytes:
    """Give ``token`` back; raises :class:`UnusableToken` for another length or bytes nobody drew at random.

    Fewer than eight different values among 32 random bytes never happen; a constant or a typed word has them.
    """
    if len(token) != TOKEN_BYTES:
        raise UnusableToken(got=f"{len(token)} B", expected=f"{TOKEN_BYTES} B")
    if len(set(token)) < _LEAST_DIFFERENT_BYTES:
        raise UnusableToken(got=f"{len(set(token))} different bytes", expected="random bytes")
    return token


def expand(token: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 (RFC 5869) of a checked token; at most 8,160 bytes."""
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(check_token(token))
