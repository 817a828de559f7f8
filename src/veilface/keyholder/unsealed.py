"""Opened account keys, kept for the minute and a half in which their challenge may be answered."""

import time
from collections import OrderedDict
from threading import Condition, Thread
from typing import Final

from veilface.keyholder.decide import prepare
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.protect.rlwe import SecretKey

LIFETIME_S: Final = 90.0
MOST_KEYS: Final = 32
"""An opened key takes about 2 MB."""


class UnsealedKeys:
    """At most :data:`MOST_KEYS` keys, the oldest leaving first. Whoever erases a key also drops it here.

    A thread lets each key go when its time is over, so that an idle key holder holds none; :meth:`close` ends it.
    """

    def __init__(self, kek: KeyEncryptionKey, *, lifetime_s: float = LIFETIME_S) -> None:
        self._kek = kek
        self._lifetime_s = lifetime_s
        self._keys: OrderedDict[bytes, tuple[float, SecretKey]] = OrderedDict()
        self._drops = 0
        self._closed = False
        self._changed = Condition()
        self._expiry = Thread(target=self._expire, name="veilface-unsealed", daemon=True)
        self._expiry.start()

    def get(self, epoch: Epoch) -> SecretKey:
        """The key of ``epoch``, opened now unless it already is."""
        with self._changed:
            known = self._keys.get(epoch.key_fp)
            drops = self._drops
        if known is not None:
            return known[1]
        key = prepare(epoch.unwrap(self._kek))
        with self._changed:
            # A key dropped while it was being opened must not come back. Drops are rare, so any of them counts.
            if drops == self._drops and not self._closed:
                self._keep(epoch.key_fp, key)
        return key

    def drop(self, key_fp: bytes) -> None:
        """Forget one key, if it is here, and whatever is being opened right now."""
        with self._changed:
            self._drops += 1
            self._keys.pop(key_fp, None)

    def close(self) -> None:
        """Forget all keys, keep no other and end the thread. Doing it again does no harm."""
        with self._changed:
            self._closed = True
            self._keys.clear()
            self._changed.notify()
        self._expiry.join()

    def _keep(self, key_fp: bytes, key: SecretKey) -> None:
        self._keys.pop(key_fp, None)  # two may have opened it side by side; the later one goes to the end
        self._keys[key_fp] = time.monotonic() + self._lifetime_s, key
        while len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        self._changed.notify()

    def _expire(self) -> None:
        """Let go of keys as their time comes. They stand in the order in which it does."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._keys and self._next_end() <= now:
                    self._keys.popitem(last=False)
                self._changed.wait(self._next_end() - now if self._keys else None)

    def _next_end(self) -> float:
        return next(iter(self._keys.values()))[0]
