"""The folder in which a kiosk keeps what makes it one: mode 0700, its files 0600.

kiosk.key      the P-256 signing key, PKCS #8
joining.json   with what it asks to be let in, until it is
kiosk.json     whose it is: server, gallery, kiosk, token
pins.json      what it has seen: key holder, the gallery's key
gallery.pub    the gallery's public key, kept so that it travels once
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from veilface.sdk.errors import KioskExists, NoKiosk
from veilface.sdk.files import make_private_folder, read_private, write_private

KEY_FILE, KIOSK_FILE, JOINING_FILE = "kiosk.key", "kiosk.json", "joining.json"
PINS_FILE, PUBLIC_KEY_FILE = "pins.json", "gallery.pub"


@dataclass(frozen=True)
class Joining:
    """With what a kiosk asks to be let in: the operator's code, and the id (hex) and token that it chose itself."""

    server: str
    code: str
    kiosk_id: str
    token: str


@dataclass(frozen=True)
class Membership:
    """Whose kiosk this is, and how it speaks for itself; ids are lower-case hex."""

    server: str
    gallery_id: str
    gallery_name: str
    kiosk_id: str
    token: str


@dataclass(frozen=True)
class GalleryPins:
    """What was seen first and may not change: the key holder's key (65 B, hex), the gallery key's fingerprint."""

    keyholder_key: str
    key_fp: str


class KioskFolder:
    """Reads and writes one kiosk's files, and refuses to where others could read them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether this is a kiosk already."""
        return (self.path / KIOSK_FILE).exists()

    def prepare(self) -> None:
        """Makes the folder for a new kiosk; raises :class:`KioskExists` or :class:`UnsafeFolder`."""
        if self.exists():
            raise KioskExists(path=str(self.path))
        make_private_folder(self.path)

    def write_key(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Stores the signing key."""
        form = serialization.PrivateFormat.PKCS8
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        write_private(self.path / KEY_FILE, pem)

    def key(self) -> ec.EllipticCurvePrivateKey:
        """The signing key; raises :class:`NoKiosk`."""
        key = serialization.load_pem_private_key(self._read(KEY_FILE), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise NoKiosk(path=str(self.path))
        return key

    def write_joining(self, joining: Joining) -> None:
        """Stores with what it asks to be let in."""
        write_private(self.path / JOINING_FILE, _json(asdict(joining)))

    def joining(self) -> Joining | None:
        """With what it was asking to be let in when it was cut off, or None."""
        return Joining(**json.loads(self._read(JOINING_FILE))) if (self.path / JOINING_FILE).exists() else None

    def write_membership(self, membership: Membership) -> None:
        """Stores whose kiosk this is: from now on the folder is one."""
        write_private(self.path / KIOSK_FILE, _json(asdict(membership)))
        (self.path / JOINING_FILE).unlink(missing_ok=True)

    def membership(self) -> Membership:
        """Whose kiosk this is; raises :class:`NoKiosk`."""
        return Membership(**json.loads(self._read(KIOSK_FILE)))

    def write_pins(self, pins: GalleryPins) -> None:
        """Stores what has been seen."""
        write_private(self.path / PINS_FILE, _json(asdict(pins)))

    def pins(self) -> GalleryPins:
        """What has been seen; raises :class:`NoKiosk`."""
        return GalleryPins(**json.loads(self._read(PINS_FILE)))

    def write_public_key(self, key: bytes) -> None:
        """Keeps the gallery's key."""
        write_private(self.path / PUBLIC_KEY_FILE, key)

    def public_key(self) -> bytes:
        """The gallery's key that was kept, or nothing; the caller checks its fingerprint."""
        return self._read(PUBLIC_KEY_FILE) if (self.path / PUBLIC_KEY_FILE).exists() else b""

    def _read(self, name: str) -> bytes:
        path = self.path / name
        if not path.exists():
            raise NoKiosk(path=str(self.path))
        return read_private(path)


def _json(value: dict[str, str]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode()
