"""Whole searches with both parties in this process: a signed probe's way to a name, pool prepared (ADR 9).

The gallery is one block of strangers, copied to its full size, each copy in memory of its own, and one block with a
person whom every probe is for: so each search has an answer, and it is looked at.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.errors import PathBroken
from veilface.evaluate.synthetic import unit_vectors
from veilface.kernel.roots import Words
from veilface.keyholder.gallery_keys import GalleryKey
from veilface.keyholder.gallery_messages import (
    BLINDED_BYTES,
    CONVERSION_BYTES,
    MASKED_BYTES,
    SHARE_BYTES,
    VERDICT_BYTES,
    reshared_bytes,
)
from veilface.keyholder.repack import GalleryDesk
from veilface.match import scan
from veilface.match.blinding import QueryMasks, prepare
from veilface.match.engine import Engine, Shard
from veilface.match.identification import Found, identify
from veilface.match.masks import prepare as prepare_probe
from veilface.protect.gallery import SLOTS, TEMPLATE_DIVISOR, Conversion, GallerySecretKey, Masked, Reshared, Verdict
from veilface.protect.homomorphic import SCALE, protect_probe
from veilface.protect.rlwe import NORM_BYTES, RANGE_BYTES, generate_key

THRESHOLD: Final = 0.5
"""So high that no stranger of 2,048 is near: a query has one answer, as most have."""
_PLACE: Final = (0, 7)
_RESET_PEAK: Final = "5"
Result = TypeVar("Result")
Vectors = NDArray[np.float64]


@dataclass(kw_only=True)
class TimedHolder:
    """A key holder that notes how long it worked and what went over the wire, both ways."""

    desk: GalleryDesk
    seconds: float = 0.0
    octets: int = 0

    def begin(self, *, norm: bytes, range_: bytes, probe: Masked) -> Conversion:
        self.octets += NORM_BYTES + RANGE_BYTES + MASKED_BYTES + CONVERSION_BYTES
        return self._timed(lambda: self.desk.begin(norm=norm, range_=range_, probe=probe))

    def reshare(self, query: bytes, shares: Words) -> Reshared:
        self.octets += len(query) + len(shares) * SHARE_BYTES + reshared_bytes(len(shares))
        return self._timed(lambda: self.desk.reshare(query, shares))

    def conclude(self, query: bytes, blinded: Words) -> Verdict:
        self.octets += len(query) + len(blinded) * BLINDED_BYTES + VERDICT_BYTES
        return self._timed(lambda: self.desk.conclude(query, blinded))

    def _timed(self, work: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        answer = work()
        self.seconds += time.perf_counter() - started
        return answer


@dataclass(frozen=True, kw_only=True)
class Timed:
    """One search: seconds of all of it, of the key holder in it, and of the masks made before; bytes exchanged.

    ``memory`` – bytes that the process held more at most than before, or None where nobody counts them.
    """

    query_s: float
    keyholder_s: float
    prepare_s: float
    exchanged: int
    memory: int | None


class WholeQuery:
    """A gallery of so many blocks, d = 128, and everything around it but a network and a disk."""

    def __init__(self, blocks: int, engine: Engine) -> None:
        secret, self._probe_key = generate_key()
        self._key: Final = GalleryKey(
            gallery=bytes(16),
            epoch=1,
            probe_public=self._probe_key,
            secret=GallerySecretKey(GallerySecretKey.generate()),
            probe_secret=secret,
        )
        self._desk: Final = GalleryDesk(self._key)
        self._engine: Final = engine
        self.gallery: Final = self._packed(blocks)
        self.shards: Final = shards_of(self.gallery)
        self._live: Final = np.ones((blocks, SLOTS), np.bool_)
        self._probe: Final = protect_probe(_person(), public_key=self._probe_key)

    def search(self) -> Timed:
        """One search; raises :class:`PathBroken` if it does not find whom it should."""
        started = time.perf_counter()
        masks = prepare(generation=1, live=self._live, public_key=self._desk.public_key, threshold=THRESHOLD)
        prepared = time.perf_counter() - started
        holder = TimedHolder(desk=self._desk)
        before = held()
        query_s = self._searched(masks, holder)
        after = held(peak=True)
        return Timed(
            query_s=query_s,
            keyholder_s=holder.seconds,
            prepare_s=prepared,
            exchanged=holder.octets,
            memory=None if before is None or after is None else after - before,
        )

    def _searched(self, masks: QueryMasks, holder: TimedHolder) -> float:
        probe_masks = prepare_probe(self._probe_key, purpose="enrol")
        started = time.perf_counter()
        found = identify(
            self._probe,
            shards=self.shards,
            probe_key=self._probe_key,
            probe_masks=probe_masks,
            masks=masks,
            holder=holder,
            engine=self._engine,
        )
        seconds = time.perf_counter() - started
        if found != Found(places=(_PLACE,)):
            raise PathBroken(stage="identify")
        return seconds

    def _packed(self, blocks: int) -> Words:
        strangers = unit_vectors("search gallery", SLOTS).astype(np.float64)
        gallery = np.repeat(self._sealed(strangers)[None], blocks, axis=0)
        strangers[_PLACE[1]] = _person()
        gallery[_PLACE[0]] = self._sealed(strangers)
        return gallery

    def _sealed(self, templates: Vectors) -> Words:
        coordinates = np.ascontiguousarray(np.rint(templates.T * (SCALE / TEMPLATE_DIVISOR)).astype(np.int64))
        return scan.arranged(self._key.secret.seal(coordinates).words().swapaxes(0, 1))


def shards_of(gallery: Words) -> Sequence[Shard]:
    """Blocks (blocks, 128, d, 2, 16) as an engine takes them; all but the first are copies of one."""
    first, last = (hashlib.sha256(gallery[place].data).digest() for place in (0, -1))
    return [
        Shard(block=number.to_bytes(16, "big"), checksum=last if number else first, words=words)
        for number, words in enumerate(gallery)
    ]


def held(*, peak: bool = False) -> int | None:
    """Bytes of memory that this process holds, or held at most since it was last asked without ``peak``; Linux only."""
    status, name = Path("/proc/self/status"), "VmHWM:" if peak else "VmRSS:"
    try:
        if not peak:
            Path("/proc/self/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
        lines = status.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(name)), None)


def _person() -> Vectors:
    person: Vectors = unit_vectors("searched person", 1)[0].astype(np.float64)
    return person
