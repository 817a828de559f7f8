"""The key holder's own keys: the key-encryption key, what it wraps, and the key that signs.

The key-encryption key lives in a file of its own, ``VEILFACE_KEYHOLDER_KEK_FILE``, which belongs on another disk than
the database: a thief of the database alone opens nothing. Everything derived from it or wrapped by it is useless
without it.
"""

import os
import secrets
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from veilface.keyholder.errors import KeyHolderMisconfigured
from veilface.keyholder.store import Store, insert, one
from veilface.protect import envelope

KEK_VARIABLE: Final = "VEILFACE_KEYHOLDER_KEK_FILE"
KEK_FILE_NAME: Final = "kek.key"
KEK_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SIGNING_KEY: Final = "signing-key"
_OTHERS: Final = 0o077


def kek_path(data: Path) -> Path:
    """Where the key-encryption key is: the environment's word, else beside the database."""
    return Path(os.environ.get(KEK_VARIABLE) or data / KEK_FILE_NAME)


def write_secret(path: Path, content: bytes) -> None:
    """Create a file that only its owner can read; raises ``FileExistsError`` rather than overwrite a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


class KeyEncryptionKey:
    """AES-256-GCM over small secrets, each bound to what it is for."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._aead = AESGCM(key)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a key and write it to ``path``."""
        key = secrets.token_bytes(KEK_BYTES)
        write_secret(path, key)
        return cls(key)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises ``KeyHolderMisconfigured`` for a file that is absent, not 32 bytes, or open to others."""
        try:
            mode, key = path.stat().st_mode, path.read_bytes()
        except OSError as error:
            raise KeyHolderMisconfigured(path=str(path)) from error
        if mode & _OTHERS or len(key) != KEK_BYTES:
            raise KeyHolderMisconfigured(path=str(path))
        return cls(key)

    def wrap(self, secret: bytes, *, bound_to: bytes) -> bytes:
        """``nonce(12)‖ciphertext‖tag(16)``; ``bound_to`` is authenticated and must be given again to unwrap."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, secret, bound_to)

    def unwrap(self, wrapped: bytes, *, bound_to: bytes) -> bytes:
        """Raises ``cryptography.exceptions.InvalidTag`` for another key, purpose or a changed byte."""
        return self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], bound_to)

    def derive(self, label: bytes) -> bytes:
        """A key (32 B) of its own for one other purpose."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(self._key)


class SigningKey:
    """The P-256 key under which certificates, receipts and audit heads leave."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        self.public_key: Final = envelope.public_point(private_key.public_key())

    @classmethod
    def create(cls, store: Store, kek: KeyEncryptionKey) -> Self:
        """Make the key and keep it wrapped; the existing one when there is one."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        secret = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        wrapped = kek.wrap(secret, bound_to=_SIGNING_KEY.encode())
        with store.transaction() as db:
            if one(db, "SELECT 1 FROM secrets WHERE name = :name", name=_SIGNING_KEY) is None:
                insert(db, "secrets", name=_SIGNING_KEY, wrapped=wrapped)
        return cls.load(store, kek)

    @classmethod
    def load(cls, store: Store, kek: KeyEncryptionKey) -> Self:
        """Raises ``KeyHolderMisconfigured`` when the key is absent or another key-encryption key wrapped it."""
        with store.reading() as db:
            row = one(db, "SELECT wrapped FROM secrets WHERE name = :name", name=_SIGNING_KEY)
        try:
            secret = kek.unwrap(row["wrapped"], bound_to=_SIGNING_KEY.encode()) if row else b""
            private_key = load_der_private_key(secret, password=None)
        except (InvalidTag, ValueError) as error:
            raise KeyHolderMisconfigured(path=_SIGNING_KEY) from error
        if not isinstance(private_key, ec.EllipticCurvePrivateKey):
            raise KeyHolderMisconfigured(path=_SIGNING_KEY)
        return cls(private_key)

    def sign(self, data: bytes) -> bytes:
        """ECDSA P-256 with SHA-256, raw ``r‖s`` (64 B)."""
        return envelope.sign(self._private_key, data)
