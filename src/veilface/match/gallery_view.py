"""A gallery as queries see it: one layout of it, with every block sound, under the key of its epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np

from veilface.match.block_files import BlockFiles
from veilface.match.engine import Shard
from veilface.match.gallery_errors import GalleryBusy, GalleryDamaged
from veilface.match.gallery_truth import Placed, Truth
from veilface.protect.gallery import SLOTS, Bits, EpochKeys
from veilface.protect.word_ring import Words

_LOOKS: Final = 5
"""How often a layout may change under a look before it is given up."""


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A gallery as a query sees it from beginning to end: ``blocks`` as a scan reads them, ``live`` (blocks, 2048)."""

    generation: int
    keys: EpochKeys
    blocks: tuple[Words, ...]
    live: Bits
    placed: tuple[Placed, ...]

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The blocks as an engine takes them."""
        both = zip(self.placed, self.blocks, strict=True)
        return tuple(Shard(block=one.block, checksum=one.checksum, words=words) for one, words in both)

    def member(self, block: int, slot: int) -> bytes | None:
        """Who stood there when the view was taken."""
        return self.placed[block].members.get(slot)


class Viewer:
    """Gives the present view, the same one until the layout changes. Safe to call from many threads.

    It never waits for a packing: the truth names the old blocks until the new ones are written.
    """

    def __init__(self, truth: Truth, files: BlockFiles, keys_of: Callable[[int], EpochKeys]) -> None:
        self._truth: Final = truth
        self._files: Final = files
        self._keys_of: Final = keys_of
        self._lock = Lock()
        self._view: View | None = None
        self._sound: dict[bytes, Words] = {}

    def view(self) -> View:
        """Raises :class:`GalleryDamaged`, or :class:`GalleryBusy` where the layout never stands still."""
        _, generation = self._truth.standing()
        if (view := self._view) is not None and view.generation == generation:
            return view
        with self._lock:
            for _ in range(_LOOKS):
                epoch, generation = self._truth.standing()
                if self._view is not None and self._view.generation == generation:
                    return self._view
                placed = self._truth.blocks()
                self._check(placed)
                later_epoch, later = self._truth.standing()
                if epoch != later_epoch:
                    continue
                keys = self._keys_of(epoch)
                damaged = sum(one.block not in self._sound or one.key_fp != keys.scan_fp for one in placed)
                if not damaged:
                    self._view = self._seen(generation, keys, placed)
                    return self._view
                if generation == later:
                    raise GalleryDamaged(blocks=damaged)
        raise GalleryBusy

    def _check(self, placed: list[Placed]) -> None:
        """Map the blocks that are sound; each is read and checked once."""
        known, self._sound = self._sound, {}
        for one in placed:
            if one.block in known:
                self._sound[one.block] = known[one.block]
            elif (words := self._files.sound(one.block, one.checksum)) is not None:
                self._sound[one.block] = words

    def _seen(self, generation: int, keys: EpochKeys, placed: list[Placed]) -> View:
        live = np.zeros((len(placed), SLOTS), np.bool_)
        for row, one in enumerate(placed):
            live[row, list(one.members)] = True
        blocks = tuple(self._sound[one.block] for one in placed)
        return View(generation=generation, keys=keys, blocks=blocks, live=live, placed=tuple(placed))
