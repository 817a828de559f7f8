"""What the key holder does for one gallery over its life: an epoch's key made, blocks packed, older keys erased."""

from collections.abc import Iterable
from threading import Lock
from typing import Final

from veilface.keyholder import epochs
from veilface.keyholder.gallery_keys import GalleryKeys
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.repack import GalleryDesk, SecretOf, packed
from veilface.keyholder.store import Store, one
from veilface.protect.gallery import EpochKeys, Masked, PackedBlock


class GalleryOffice:
    """One gallery's epochs. ``secret_of`` finds the account key that a template is under. Safe for many threads."""

    def __init__(self, keys: GalleryKeys, gallery: bytes, *, secret_of: SecretOf) -> None:
        self._keys: Final = keys
        self._gallery: Final = gallery
        self._secret_of: Final = secret_of
        self._desks: dict[int, GalleryDesk] = {}
        self._lock = Lock()

    def create(self, epoch: int) -> EpochKeys:
        """The public keys of an epoch, made where there are none yet."""
        self._keys.create(self._gallery, epoch)
        desk = self.desk(epoch)
        return EpochKeys(epoch=epoch, zeros=desk.public_key, probes=desk.key.probe_public)

    def pack(self, epoch: int, templates: Iterable[Masked | None]) -> PackedBlock:
        """Convert up to 2048 templates into one block; raises ``GalleryUnknown``."""
        return packed(self.desk(epoch).key, templates, self._secret_of)

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


def account_secrets(store: Store, kek: KeyEncryptionKey) -> SecretOf:
    """Finds the secrets of accounts' current keys; a key that was replaced or erased opens nothing for a gallery."""

    def secret_of(key_fp: bytes) -> bytes | None:
        with store.reading() as db:
            row = one(db, "SELECT account FROM epochs WHERE key_fp = :key_fp AND state = 'current'", key_fp=key_fp)
            epoch = epochs.find(db, row["account"], "current") if row else None
        return epoch.unwrap(kek) if epoch and epoch.sealed else None

    return secret_of
