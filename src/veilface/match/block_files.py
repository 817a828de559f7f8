"""Packed blocks on disk: one file each, written whole or not at all, never changed, mapped into memory to be read.

A file is nothing but the words a scan reads (2,048·d B at 128 coordinates: 2 MiB). Its name is its block's id and the
version of this layout; its SHA-256 is kept with the truth.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from veilface.match.gallery_errors import GalleryBusy
from veilface.match.scan import LANES
from veilface.protect.gallery import SLOTS
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.word_ring import Words

SHAPE: Final = (SLOTS // LANES, DIMENSION, 2, LANES)
_SUFFIX: Final = ".block1"
_BYTES: Final = int(np.prod(SHAPE)) * 4


class BlockFiles:
    """The blocks of one gallery in a folder of mode 0700."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder: Final = folder

    def write(self, block: bytes, words: Words) -> bytes:
        """Write a block durably under a name nothing has yet; its checksum (32 B)."""
        content = np.ascontiguousarray(words, "<u4").data
        unfinished = self._path(block).with_suffix(".unfinished")
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path(block))
        self._sync_folder()
        return hashlib.sha256(content).digest()

    def sound(self, block: bytes, checksum: bytes) -> Words | None:
        """A block's words as they lie on disk, read-only; None where the file is not what was written, or gone."""
        path = self._path(block)
        try:
            if path.stat().st_size != _BYTES:
                return None
            words = np.memmap(path, "<u4", mode="r", shape=SHAPE)
        except OSError:
            return None
        return words if hashlib.sha256(words.data).digest() == checksum else None

    def is_sound(self, block: bytes, checksum: bytes) -> bool:
        """Whether the file is there and is what was written."""
        return self.sound(block, checksum) is not None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other processes from changing these files; raises :class:`GalleryBusy` where another one does just now.

        A process that is killed lets go.
        """
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise GalleryBusy from None
            yield
        finally:
            os.close(descriptor)

    def keep_only(self, blocks: set[bytes]) -> None:
        """Remove every other file. What still reads one of them goes on reading it."""
        kept = {self._path(block).name for block in blocks}
        for path in self._folder.iterdir():
            if path.suffix in {_SUFFIX, ".unfinished"} and path.name not in kept:
                path.unlink()

    def _path(self, block: bytes) -> Path:
        return self._folder / f"{block.hex()}{_SUFFIX}"

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
