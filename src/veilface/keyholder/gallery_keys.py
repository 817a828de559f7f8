"""Keys of galleries: for each epoch the secrets of scan and result, and the suite-0x01 key that probes come under.

They are wrapped by the key-encryption key, each bound to its gallery and epoch. Erasing an epoch makes every copy of
its blocks noise.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag

from veilface.keyholder.errors import KeyHolderStorageFailed
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.store import Store, insert, one
from veilface.protect.gallery import SECRET_BYTES, GallerySecretKey
from veilface.protect.rlwe import SECRET_KEY_BYTES, SecretKey, generate_key


@dataclass(frozen=True, kw_only=True)
class GalleryKey:
    """An opened epoch. ``probe_public`` – 98,304 wire bytes, the same for as long as the epoch lives."""

    gallery: bytes
    epoch: int
    probe_public: bytes
    secret: GallerySecretKey = field(repr=False)
    probe_secret: SecretKey = field(repr=False)


class GalleryKeys:
    """The keys of all galleries of one key holder, in the table of its wrapped secrets."""

    def __init__(self, store: Store, kek: KeyEncryptionKey) -> None:
        self._store: Final = store
        self._kek: Final = kek

    def create(self, gallery: bytes, epoch: int) -> GalleryKey:
        """Make the key of an epoch; the existing one where there is one, so that a lost answer does no harm."""
        secret, public = generate_key()
        packed = GallerySecretKey.generate() + secret.pack() + public
        name = _name(gallery, epoch)
        with self._store.transaction() as db:
            if one(db, "SELECT 1 FROM secrets WHERE name = :name", name=name) is None:
                insert(db, "secrets", name=name, wrapped=self._kek.wrap(packed, bound_to=name.encode()))
        return self.open(gallery, epoch)

    def open(self, gallery: bytes, epoch: int) -> GalleryKey:
        """Raises ``GalleryUnknown``, or ``KeyHolderStorageFailed`` for a row that was damaged or moved."""
        name = _name(gallery, epoch)
        with self._store.reading() as db:
            row = one(db, "SELECT wrapped FROM secrets WHERE name = :name", name=name)
        if row is None:
            raise GalleryUnknown
        try:
            packed = self._kek.unwrap(row["wrapped"], bound_to=name.encode())
        except InvalidTag as error:
            raise KeyHolderStorageFailed from error
        rest = packed[SECRET_BYTES:]
        return GalleryKey(
            gallery=gallery,
            epoch=epoch,
            probe_public=rest[SECRET_KEY_BYTES:],
            secret=GallerySecretKey(packed[:SECRET_BYTES]),
            probe_secret=SecretKey.unpack(rest[:SECRET_KEY_BYTES]),
        )

    def erase_before(self, gallery: bytes, epoch: int) -> None:
        """Erase every older epoch of a gallery: nobody scans under them any more."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM secrets WHERE name >= ? AND name < ?", (_name(gallery, 0), _name(gallery, epoch)))
        self._store.scrub()


def _name(gallery: bytes, epoch: int) -> str:
    return f"gallery {gallery.hex()} {epoch:010d}"
