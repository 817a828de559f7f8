"""The folder in which a device keeps what makes it a device: mode 0700, its files 0600.

    device.key     the P-256 signing key, PKCS #8
    account.json   whose it is: server, account, device, token
    pins.json      what it has seen: key holder, encryption key, number of decisions
    account.pub    the account's public key of this epoch, kept so that it travels once
    tokens/        the secrets of keyed protections, one an epoch

Signing key and tokens are protected by the files' permissions alone; a phone or a browser keeps them where they
cannot be read at all.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from veilface.sdk.errors import DeviceExists, FolderBusy, NoDevice
from veilface.sdk.files import FILE_MODE, check_private, make_private_folder, read_private, write_private
from veilface.sdk.tokens import TokenFolder

KEY_FILE, ACCOUNT_FILE, PINS_FILE = "device.key", "account.json", "pins.json"
PUBLIC_KEY_FILE, LOCK_FILE = "account.pub", "lock"
TOKENS_FOLDER = "tokens"


@dataclass(frozen=True)
class Account:
    """Whose device this is, and how it speaks for itself; ids and binding are lower-case hex."""

    server: str
    origin: str
    username: str
    account_id: str
    device_id: str
    token: str
    binding: str


@dataclass(frozen=True)
class Pins:
    """What was seen first, or last, and may not change unnoticed.

    ``decisions`` is the key holder's count in the last receipt, None before the first one of a device that
    joined an older account; ``unanswered`` counts requests sent since whose receipt never came back, so each of
    them may or may not have been decided. ``suite`` is the protection of that epoch, 0 where this device neither
    enrolled nor verified under it: a certificate alone does not tell, as keys that never came into force have one too.
    """

    keyholder_key: str
    key_fp: str = ""
    epoch: int = 0
    suite: int = 0
    decisions: int | None = None
    unanswered: int = 0


class DeviceFolder:
    """Reads and writes one device's files, and refuses to where others could read them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tokens = TokenFolder(path / TOKENS_FOLDER)

    def exists(self) -> bool:
        """Whether a device was set up here."""
        return (self.path / ACCOUNT_FILE).exists()

    def prepare(self) -> None:
        """Makes the folder for a new device; raises :class:`DeviceExists` or :class:`UnsafeFolder`."""
        if self.exists():
            raise DeviceExists(path=str(self.path))
        make_private_folder(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One program at a time: two would spoil each other's count of decisions."""
        check_private(self.path)
        descriptor = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise FolderBusy(path=str(self.path)) from error
            yield
        finally:
            os.close(descriptor)

    def write_key(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Stores the device's signing key."""
        self._write(
            KEY_FILE,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    def key(self) -> ec.EllipticCurvePrivateKey:
        """The device's signing key."""
        key = serialization.load_pem_private_key(self._read(KEY_FILE), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise NoDevice(path=str(self.path))
        return key

    def write_account(self, account: Account) -> None:
        """Stores whose device this is."""
        self._write(ACCOUNT_FILE, _json(asdict(account)))

    def account(self) -> Account:
        """Whose device this is; raises :class:`NoDevice`."""
        return Account(**json.loads(self._read(ACCOUNT_FILE)))

    def write_pins(self, pins: Pins) -> None:
        """Stores what has been seen."""
        self._write(PINS_FILE, _json(asdict(pins)))

    def pins(self) -> Pins:
        """What has been seen; raises :class:`NoDevice`."""
        return Pins(**json.loads(self._read(PINS_FILE)))

    def write_public_key(self, key: bytes) -> None:
        """Keeps the account's encryption key."""
        self._write(PUBLIC_KEY_FILE, key)

    def public_key(self) -> bytes:
        """The encryption key that was kept, or nothing; the caller checks its fingerprint."""
        return self._read(PUBLIC_KEY_FILE) if (self.path / PUBLIC_KEY_FILE).exists() else b""

    def clear(self) -> None:
        """Forgets the device: keys, tokens, account and pins."""
        self.tokens.clear()
        for name in (KEY_FILE, PINS_FILE, PUBLIC_KEY_FILE, ACCOUNT_FILE):
            (self.path / name).unlink(missing_ok=True)

    def _read(self, name: str) -> bytes:
        path = self.path / name
        if not path.exists():
            raise NoDevice(path=str(self.path))
        return read_private(path)

    def _write(self, name: str, content: bytes) -> None:
        write_private(self.path / name, content)


def _json(value: dict[str, str | int | None]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()
