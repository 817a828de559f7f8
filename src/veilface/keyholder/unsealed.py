"""Opened account keys, kept for the minute and a half in which their challenge may be answered."""

import time
from collections import OrderedDict
from threading import Lock
from typing import Final

from veilface.keyholder.decide import prepare
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.protect.rlwe import SecretKey

LIFETIME_S: Final = 90.0
MOST_KEYS: Final = 32
"""An opened key takes about 2 MB."""


class UnsealedKeys:
    """At most :data:`MOST_KEYS` keys, the oldest leaving first. Whoever erases a key also drops it here."""

    def __init__(self, kek: KeyEncryptionKey) -> None:
        self._kek = kek
        self._keys: OrderedDict[bytes, tuple[float, SecretKey]] = OrderedDict()
        self._lock = Lock()

    def get(self, epoch: Epoch) -> SecretKey:
        """The key of ``epoch``, opened now unless it already is."""
        with self._lock:
            self._expire()
            known = self._keys.get(epoch.key_fp)
        if known is not None:
            return known[1]
        key = prepare(epoch.unwrap(self._kek))
        with self._lock:
            self._keys[epoch.key_fp] = time.monotonic() + LIFETIME_S, key
            while len(self._keys) > MOST_KEYS:
                self._keys.popitem(last=False)
        return key

    def drop(self, key_fp: bytes) -> None:
        """Forget one key, if it is here."""
        with self._lock:
            self._keys.pop(key_fp, None)

    def _expire(self) -> None:
        now = time.monotonic()
        while self._keys and next(iter(self._keys.values()))[0] <= now:
            self._keys.popitem(last=False)
