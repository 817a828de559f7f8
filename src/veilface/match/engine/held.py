"""What a worker process holds: blocks of galleries, in memory of its own, until they are told to go.

These functions run in the processes of a cluster. They answer for what they hold and for nothing else, and say so by
block ids: whoever asks has to see what is missing.
"""

import hashlib
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import numpy as np
from distributed import get_worker

from veilface.match import scan
from veilface.match.engine.interface import Shard
from veilface.protect.word_ring import Words

_LOCK: Final = Lock()
_HELD: Final[dict[str, dict[bytes, Shard]]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """``worker`` – the address of who answers; ``blocks`` – what it holds of what was asked for."""

    worker: str
    blocks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned(Holding):
    """``scores`` (blocks, 3, 2048), in the order of ``blocks``."""

    scores: Words = field(repr=False)


def keep(gallery: str, wanted: Mapping[bytes, bytes]) -> Holding:
    """Hold on to blocks with these checksums and let go of all others of the gallery."""
    with _LOCK:
        held = _HELD.get(gallery, {})
        kept = {block: shard for block, shard in held.items() if wanted.get(block) == shard.checksum}
        _HELD[gallery] = kept
        if not kept:
            del _HELD[gallery]
    return Holding(worker=get_worker().address, blocks=tuple(kept))


def hold(gallery: str, shards: Sequence[Shard]) -> Holding:
    """Take in blocks, each only if it has its checksum; which of them are held now."""
    taken = {shard.block: own for shard in shards if (own := _own(shard))}
    with _LOCK:
        _HELD[gallery] = _HELD.get(gallery, {}) | taken
    return Holding(worker=get_worker().address, blocks=tuple(taken))


def scan_held(gallery: str, blocks: Sequence[bytes], probe: Words) -> Scanned:
    """Scan those of the blocks that are held here, with as many threads as the worker has."""
    worker, held = get_worker(), _HELD.get(gallery, {})
    shards = [held[block] for block in blocks if block in held]
    scores = scan.scan([shard.words for shard in shards], probe, threads=worker.state.nthreads)
    return Scanned(worker=worker.address, blocks=tuple(shard.block for shard in shards), scores=scores)


def _own(shard: Shard) -> Shard | None:
    """A copy in whole pages, which go back to the system when it is dropped; None where it is not what was written."""
    pages = mmap.mmap(-1, shard.words.nbytes)
    words = np.frombuffer(pages, shard.words.dtype).reshape(shard.words.shape)
    words[...] = shard.words
    if hashlib.sha256(words.data).digest() != shard.checksum:
        return None
    return Shard(block=shard.block, checksum=shard.checksum, words=words)
