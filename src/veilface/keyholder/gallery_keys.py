"""Keys of galleries: for each epoch the secrets of scan and result; for its whole life the *ingest key*, of suite 0x01.

Probes come under the ingest key, and so do templates of people whom a kiosk registers. It is made with the gallery,
stays through every rotation – those templates must be packed anew – and is erased with the gallery. All are wrapped by
the key-encryption key, each bound to what it is of. Erasing an epoch makes every copy of its blocks noise.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from sqlite3 import Connection
from typing import Final

from cryptography.exceptions import InvalidTag

from veilface.keyholder.errors import KeyHolderStorageFailed
from veilface.keyholder.gallery_errors import GalleryUnknown, TooManyEpochs
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.store import Store, insert, number, one
from veilface.protect.gallery import GallerySecretKey
from veilface.protect.rlwe import SecretKey, generate_key

EPOCHS: Final = 1 << 32
"""No epoch has this number or a higher one."""
MOST_EPOCHS: Final = 4


@dataclass(frozen=True, kw_only=True)
class GalleryKey:
    """An opened epoch. ``probe_public`` – the ingest key, 98,304 wire bytes, the same in every epoch."""

    gallery: bytes
    epoch: int
    probe_public: bytes
    secret: GallerySecretKey = field(repr=False)
    probe_secret: SecretKey = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class IngestKey:
    """A gallery's ingest key: ``public_key`` 98,304 B, ``key_fp`` their SHA-256, ``secret`` packed (1,024 B)."""

    key_fp: bytes
    public_key: bytes
    secret: bytes = field(repr=False)


class GalleryKeys:
    """The keys of all galleries of one key holder."""

    def __init__(self, store: Store, kek: KeyEncryptionKey) -> None:
        self._store: Final = store
        self._kek: Final = kek

    def create(self, gallery: bytes, epoch: int) -> GalleryKey:
        """Make the key of an epoch; the existing one where there is one, so that a lost answer does no harm.

        Raises ``GalleryUnknown`` for an epoch that was erased, ``TooManyEpochs`` while too many older ones were not.
        """
        with self._store.transaction() as db:
            self.make(db, gallery, epoch)
        return self.open(gallery, epoch)

    def make(self, db: Connection, gallery: bytes, epoch: int) -> None:
        """What :meth:`create` does, inside the caller's transaction."""
        if one(db, "SELECT 1 FROM galleries WHERE id = :gallery", gallery=gallery) is None:
            self._make_ingest_key(db, gallery)
        self._make_epoch(db, gallery, epoch)

    def open(self, gallery: bytes, epoch: int) -> GalleryKey:
        """Raises ``GalleryUnknown``, or ``KeyHolderStorageFailed`` for a row that was damaged or moved."""
        name = _name(gallery, epoch)
        with self._store.reading() as db:
            row = one(db, "SELECT wrapped FROM secrets WHERE name = :name", name=name)
        if row is None:
            raise GalleryUnknown
        ingest = self.ingest_key(gallery)
        return GalleryKey(
            gallery=gallery,
            epoch=epoch,
            probe_public=ingest.public_key,
            secret=GallerySecretKey(self._unwrapped(row["wrapped"], name)),
            probe_secret=SecretKey.unpack(ingest.secret),
        )

    def ingest_key(self, gallery: bytes) -> IngestKey:
        """Raises as :meth:`open` does."""
        with self._store.reading() as db:
            row = one(db, "SELECT key_fp, public_key, wrapped FROM galleries WHERE id = :gallery", gallery=gallery)
        if row is None:
            raise GalleryUnknown
        secret = self._unwrapped(row["wrapped"], _ingest_name(gallery))
        return IngestKey(key_fp=row["key_fp"], public_key=row["public_key"], secret=secret)

    def erase_before(self, gallery: bytes, epoch: int) -> None:
        """Erase every older epoch of a gallery, for good: nobody scans under them any more."""
        with self._store.transaction() as db:
            self._erase(db, gallery, epoch)
            db.execute("UPDATE galleries SET first_epoch = ? WHERE id = ? AND first_epoch < ?", (epoch, gallery, epoch))
        self._store.scrub()

    def has_before(self, db: Connection, gallery: bytes, epoch: int) -> bool:
        """Whether there is anything for :meth:`erase_before` to erase."""
        return number(db, _BETWEEN, first=_name(gallery, 0), last=_name(gallery, epoch)) > 0

    def forget(self, db: Connection, gallery: bytes) -> None:
        """Erase every key of a gallery inside the caller's transaction, who scrubs afterwards."""
        self._erase(db, gallery, EPOCHS)
        db.execute("DELETE FROM galleries WHERE id = ?", (gallery,))

    def _make_ingest_key(self, db: Connection, gallery: bytes) -> None:
        secret, public_key = generate_key()
        insert(
            db,
            "galleries",
            id=gallery,
            key_fp=sha256(public_key).digest(),
            public_key=public_key,
            wrapped=self._kek.wrap(secret.pack(), bound_to=_ingest_name(gallery).encode()),
        )

    def _make_epoch(self, db: Connection, gallery: bytes, epoch: int) -> None:
        name = _name(gallery, epoch)
        if one(db, "SELECT 1 FROM secrets WHERE name = :name", name=name):
            return
        if epoch < number(db, "SELECT first_epoch FROM galleries WHERE id = :gallery", gallery=gallery):
            raise GalleryUnknown
        if number(db, _BETWEEN, first=_name(gallery, 0), last=_ingest_name(gallery)) >= MOST_EPOCHS:
            raise TooManyEpochs(limit=MOST_EPOCHS)
        wrapped = self._kek.wrap(GallerySecretKey.generate(), bound_to=name.encode())
        insert(db, "secrets", name=name, wrapped=wrapped)

    def _unwrapped(self, wrapped: bytes, name: str) -> bytes:
        try:
            return self._kek.unwrap(wrapped, bound_to=name.encode())
        except InvalidTag as error:
            raise KeyHolderStorageFailed from error

    @staticmethod
    def _erase(db: Connection, gallery: bytes, epoch: int) -> None:
        names = _name(gallery, 0), _name(gallery, epoch)
        db.execute("DELETE FROM secrets WHERE name >= ? AND name < ?", names)


_BETWEEN: Final = "SELECT count(*) FROM secrets WHERE name >= :first AND name < :last"


def _name(gallery: bytes, epoch: int) -> str:
    return f"gallery {gallery.hex()} {epoch:010d}"


def _ingest_name(gallery: bytes) -> str:
    return f"gallery {gallery.hex()} ingest"
