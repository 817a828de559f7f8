"""What is under way for galleries, in memory: searches that were begun, and blocks in the making. Few, not for long.

A process that ends takes it all with it. Searches it leaves unanswered are recorded at the next start as interrupted;
the matcher begins a packing again.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Generic, TypeVar

from veilface.keyholder.gallery_errors import PackUnknown, QueryUnknown
from veilface.keyholder.gallery_keys import GalleryKey
from veilface.keyholder.repack import QUERY_LIFETIME_S, GalleryDesk, Packing

MOST_SEARCHES: Final = 64
MOST_PACKS: Final = 4
"""A block in the making takes 2 MB."""
PACK_LIFETIME_S: Final = 120.0
MOST_CONFIRMATIONS: Final = 4

Clock = Callable[[], float]
T = TypeVar("T")


@dataclass(kw_only=True)
class Search:
    """A search whose probe was found sound. ``attempt`` – its durable row; ``header_hash`` names it in the audit log.

    ``hits`` – an answer was one to four places. Only then may templates be compared, and only so many.
    """

    desk: GalleryDesk
    attempt: int
    header_hash: bytes
    device: bytes
    hits: bool = False
    transfers: int = MOST_CONFIRMATIONS
    confirmations: int = MOST_CONFIRMATIONS

    @property
    def gallery(self) -> bytes:
        """The gallery (16 B) that is searched."""
        return self.desk.key.gallery


@dataclass(kw_only=True)
class Pack:
    """A block in the making, and the lock under which its parts come in."""

    packing: Packing
    seen: set[int] = field(default_factory=set)
    lock: Lock = field(default_factory=Lock)


class _Bounded(Generic[T]):
    """So many things by their 16-byte ids, each for so long; the oldest gives way."""

    def __init__(self, *, most: int, lifetime_s: float, clock: Clock) -> None:
        self._most: Final = most
        self._lifetime_s: Final = lifetime_s
        self._clock: Final = clock
        self._things: OrderedDict[bytes, tuple[float, T]] = OrderedDict()
        self._lock = Lock()

    def put(self, name: bytes, thing: T) -> None:
        with self._lock:
            self._drop_expired()
            self._things[name] = self._clock() + self._lifetime_s, thing
            while len(self._things) > self._most:
                self._things.popitem(last=False)

    def get(self, name: bytes) -> T | None:
        with self._lock:
            self._drop_expired()
            found = self._things.get(name)
        return found[1] if found else None

    def pop(self, name: bytes) -> T | None:
        with self._lock:
            self._drop_expired()
            found = self._things.pop(name, None)
        return found[1] if found else None

    def drop(self, doomed: Callable[[T], bool]) -> None:
        with self._lock:
            for name in [name for name, (_, thing) in self._things.items() if doomed(thing)]:
                del self._things[name]

    def _drop_expired(self) -> None:
        now = self._clock()
        while self._things and next(iter(self._things.values()))[0] <= now:
            self._things.popitem(last=False)


class Searches:
    """The searches that may still be answered."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._open: _Bounded[Search] = _Bounded(most=MOST_SEARCHES, lifetime_s=QUERY_LIFETIME_S, clock=clock)
        self._lock = Lock()

    def put(self, query: bytes, search: Search) -> None:
        """Remember a search under its query id (16 B)."""
        self._open.put(query, search)

    def find(self, query: bytes) -> Search:
        """Raises ``QueryUnknown``."""
        search = self._open.get(query)
        if search is None:
            raise QueryUnknown
        return search

    def drop(self, gallery: bytes, *, before: int) -> None:
        """Let go of searches under keys of older epochs."""
        self._open.drop(lambda search: _is_older(search.desk.key, gallery, before))

    def spend_transfer(self, search: Search) -> None:
        """Count one more template handed over; raises ``QueryUnknown`` without hits, or when there were enough."""
        with self._lock:
            if not search.hits or not search.transfers:
                raise QueryUnknown
            search.transfers -= 1

    def spend_confirmation(self, search: Search) -> None:
        """Count one more comparison; raises as :meth:`spend_transfer` does."""
        with self._lock:
            if not search.hits or not search.confirmations:
                raise QueryUnknown
            search.confirmations -= 1


class Packs:
    """The blocks in the making."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._open: _Bounded[Pack] = _Bounded(most=MOST_PACKS, lifetime_s=PACK_LIFETIME_S, clock=clock)

    def begin(self, pack: Pack) -> bytes:
        """The id (16 B) under which its parts come."""
        name = secrets.token_bytes(16)
        self._open.put(name, pack)
        return name

    def find(self, name: bytes) -> Pack:
        """Raises ``PackUnknown``."""
        pack = self._open.get(name)
        if pack is None:
            raise PackUnknown
        return pack

    def end(self, name: bytes) -> Pack:
        """Take it out; raises ``PackUnknown``, also for a second time."""
        pack = self._open.pop(name)
        if pack is None:
            raise PackUnknown
        return pack

    def drop(self, gallery: bytes, *, before: int) -> None:
        """Let go of blocks under keys of older epochs."""
        self._open.drop(lambda pack: _is_older(pack.packing.key, gallery, before))


def _is_older(key: GalleryKey, gallery: bytes, before: int) -> bool:
    return key.gallery == gallery and key.epoch < before
