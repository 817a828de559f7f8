"""What the key holder does for one gallery over its life: an epoch's key made, blocks packed, older keys erased."""

from collections import OrderedDict
from collections.abc import Iterable
from sqlite3 import Connection
from threading import Lock
from typing import Final, Literal

from veilface.keyholder import epochs, gallery_members
from veilface.keyholder.gallery_errors import GalleryUnknown, WrongSubject
from veilface.keyholder.gallery_keys import GalleryKeys
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.repack import GalleryDesk, SecretOf, packed
from veilface.keyholder.store import Store, one
from veilface.protect.envelope import gallery_context
from veilface.protect.gallery import EpochKeys, Masked, PackedBlock

MOST_OPEN: Final = 16
"""Galleries whose keys are kept open; the one not used for longest is let go."""


class GalleryOffice:
    """One gallery's epochs. ``secret_of`` finds the key that a template is under. Safe for many threads."""

    def __init__(self, keys: GalleryKeys, gallery: bytes, *, secret_of: SecretOf) -> None:
        self._keys: Final = keys
        self._gallery: Final = gallery
        self.secret_of: Final = secret_of
        self._desks: dict[int, GalleryDesk] = {}
        self._lock = Lock()

    def create(self, epoch: int) -> EpochKeys:
        """The public keys of an epoch, made where there are none yet."""
        self._keys.create(self._gallery, epoch)
        desk = self.desk(epoch)
        return EpochKeys(epoch=epoch, zeros=desk.public_key, probes=desk.key.probe_public)

    def pack(self, epoch: int, templates: Iterable[Masked | None]) -> PackedBlock:
        """Convert up to 2048 templates into one block; raises ``GalleryUnknown``."""
        return packed(self.desk(epoch).key, templates, self.secret_of)

    def erase_before(self, epoch: int) -> None:
        """Erase older keys, once the matcher scans under this one."""
        with self._lock:
            self._keys.erase_before(self._gallery, epoch)
            self._desks = {kept: desk for kept, desk in self._desks.items() if kept >= epoch}

    def desk(self, epoch: int) -> GalleryDesk:
        """Where queries of an epoch are answered; raises ``GalleryUnknown``."""
        with self._lock:
            if epoch not in self._desks:
                self._desks[epoch] = GalleryDesk(self._keys.open(self._gallery, epoch))
            return self._desks[epoch]


class Galleries:
    """All galleries of one key holder. Safe for many threads."""

    def __init__(self, store: Store, kek: KeyEncryptionKey) -> None:
        self.keys: Final = GalleryKeys(store, kek)
        self._store: Final = store
        self._kek: Final = kek
        self._open: OrderedDict[bytes, GalleryOffice] = OrderedDict()
        self._lock = Lock()

    def office(self, gallery: bytes) -> GalleryOffice:
        """Where a gallery is worked on, whether or not it exists."""
        with self._lock:
            office = self._open.pop(gallery, None) or GalleryOffice(
                self.keys, gallery, secret_of=gallery_secrets(self._store, self._kek, gallery)
            )
            self._open[gallery] = office
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        return office

    def drop(self, gallery: bytes) -> None:
        """Let go of the keys of a gallery that was erased."""
        with self._lock:
            self._open.pop(gallery, None)


def key_fp(db: Connection, gallery: bytes) -> bytes:
    """The fingerprint (32 B) of a gallery's ingest key; raises ``GalleryUnknown``."""
    row = one(db, "SELECT key_fp FROM galleries WHERE id = :gallery", gallery=gallery)
    if row is None:
        raise GalleryUnknown
    return bytes(row["key_fp"])


def require_epoch(db: Connection, gallery: bytes, epoch: int) -> None:
    """Raises ``GalleryUnknown`` for a gallery or an epoch of its key that was erased."""
    alive = "SELECT 1 FROM galleries WHERE id = :gallery AND first_epoch <= :epoch"
    if one(db, alive, gallery=gallery, epoch=epoch) is None:
        raise GalleryUnknown


def named_by(db: Connection, context_hash: bytes, act: Literal["in", "out"]) -> bytes:
    """The gallery whose joining or leaving a message is bound to; raises ``GalleryUnknown``."""
    for row in db.execute("SELECT id FROM galleries"):
        if gallery_context(row["id"], act) == context_hash:
            return bytes(row["id"])
    raise GalleryUnknown


def exists(db: Connection, gallery: bytes) -> bool:
    """Whether this is the id of a gallery."""
    return one(db, "SELECT 1 FROM galleries WHERE id = :gallery", gallery=gallery) is not None


def require_none(db: Connection, account: bytes) -> None:
    """Raises ``WrongSubject`` where an account is meant and the id is that of a gallery."""
    if exists(db, account):
        raise WrongSubject


def gallery_secrets(store: Store, kek: KeyEncryptionKey, gallery: bytes) -> SecretOf:
    """Finds what a gallery may open: what is under its ingest key, and under the current keys of those who joined it.

    A key that was replaced or erased opens nothing, nor does that of somebody who left or joined with another one.
    """
    keys = GalleryKeys(store, kek)

    def secret_of(fingerprint: bytes) -> bytes | None:
        with store.reading() as db:
            ingest = exists(db, gallery) and key_fp(db, gallery) == fingerprint
            account = gallery_members.account_of(db, gallery=gallery, key_fp=fingerprint)
            epoch = epochs.find(db, account, "current") if account else None
        if ingest:
            return keys.ingest_key(gallery).secret
        return epoch.unwrap(kek) if epoch and epoch.sealed else None

    return secret_of
