"""A scan of an encrypted gallery beside its two floors: the same search in plaintext, and reading the same memory.

Rounds are interleaved – one scan, one plain read, one NumPy product, and again – so that whatever else the machine
does meets all three. A scan takes the same time whatever the words are, so a gallery is one random block, copied to
its full size; that scores are right is measured on a real one. See ``docs/bench.md``.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.errors import NotEnoughMemory
from veilface.evaluate.peers import TenSeal
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.kernel import choice
from veilface.kernel.roots import Words
from veilface.match import scan
from veilface.protect.gallery import PROBE_FACTOR, SCAN, SCORE_SCALE, TEMPLATE_DIVISOR, GallerySecretKey
from veilface.protect.homomorphic import SCALE
from veilface.protect.rlwe import CIPHERTEXT_BYTES

SIZES: Final = (2_048, 16_384, 65_536, 262_144, 1_000_000)
DIMENSIONS: Final = (128, 512)
WARM_UP_ROUNDS: Final = 2
PEER_COMPARISONS: Final = 64
ERROR_PROBES: Final = 4
_WORD_BYTES: Final = 4
_SEED: Final = 4096
Advance = Callable[[int, int], None]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class SearchRow:
    """One gallery. Milliseconds are medians; ``minimum`` has the shortest of each. None: not measured here.

    ``n`` – templates searched, whole blocks of 2048 of them scanned; ``ratio`` – encrypted to plain;
    ``bandwidth_fraction`` – how fast the scan walks through the gallery, of the speed of reading it and nothing else;
    ``keyholder_ms``, ``query_ms``, ``exchanged_bytes`` – of a whole query, both parties, with its pool prepared.
    """

    n: int
    d: int
    engine: str
    encrypted_ms: float
    plain_ms: float
    read_ms: float
    minimum: dict[str, float]
    ratio: float
    bandwidth_fraction: float
    bytes_per_template: float
    max_cosine_error: float
    probe_bytes: int = CIPHERTEXT_BYTES
    keyholder_ms: float | None = None
    query_ms: float | None = None
    exchanged_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class PeerRow:
    """TenSEAL's ``dot``, one comparison after the other: measured on a few, and from there reckoned for ``n``."""

    d: int
    comparisons: int
    comparison: Spread
    n: int
    extrapolated_ms: float
    times_slower: float


@dataclass(frozen=True, kw_only=True)
class SearchBench:
    """Everything ``veilface bench search`` measured."""

    rounds: int
    threads: int
    kernel: str
    rows: list[SearchRow]
    peer: list[PeerRow]

    def as_json(self) -> dict[str, object]:
        """The report as one JSON object."""
        return asdict(self)


def bench_search(
    *, sizes: Sequence[int], dimensions: Sequence[int], rounds: int, advance: Advance = lambda _done, _total: None
) -> SearchBench:
    """Measures every size at every dimension.

    Raises :class:`NotEnoughMemory` before it begins, and ``PeerMissing`` where TenSEAL is not installed.
    """
    _require_memory(max(sizes), max(dimensions))
    peers = {d: TenSeal() for d in dimensions}
    each, done = rounds + WARM_UP_ROUNDS, 0
    total = len(dimensions) * (len(sizes) * each + PEER_COMPARISONS)
    rows, peer = [], []
    for d in dimensions:
        error = measure_scan_error(d)
        for n in sizes:
            rows.append(_row(n, d, rounds, error, _after(done, total, advance)))
            done += each
        peer.append(_peer_row(peers[d], rows[-1], _after(done, total, advance)))
        done += PEER_COMPARISONS
    return SearchBench(rounds=rounds, threads=scan.threads_here(), kernel=choice.instructions, rows=rows, peer=peer)


def _after(done: int, total: int, advance: Advance) -> Callable[[int], None]:
    return lambda step: advance(done + step, total)


def _row(n: int, d: int, rounds: int, error: float, step: Callable[[int], None]) -> SearchRow:
    probe, gallery = _random_gallery(n, d)
    templates, vector = np.ones((n, d), np.float32), np.ones(d, np.float32)
    found, scores = np.empty((len(gallery), 3, scan.N), np.uint32), np.empty(n, np.float32)
    watch = Stopwatch()
    for done in range(WARM_UP_ROUNDS + rounds):
        if done == WARM_UP_ROUNDS:
            watch.clear()
        with watch.stage("encrypted"):
            scan.scan(gallery, probe, out=found)
        with watch.stage("read"):
            scan.read(gallery)
        with watch.stage("plain"):
            np.dot(templates, vector, out=scores)
        step(done + 1)
    spreads = watch.spreads()
    encrypted, read, plain = (spreads[stage].median_ms for stage in ("encrypted", "read", "plain"))
    return SearchRow(
        n=n,
        d=d,
        engine="local",
        encrypted_ms=encrypted,
        plain_ms=plain,
        read_ms=read,
        minimum={stage: spread.min_ms for stage, spread in spreads.items()},
        ratio=encrypted / plain,
        bandwidth_fraction=read / encrypted,
        bytes_per_template=gallery.nbytes / (len(gallery) * scan.N),
        max_cosine_error=error,
    )


def _random_gallery(n: int, d: int) -> tuple[Words, Words]:
    """A probe and as many blocks as ``n`` templates fill, all of the same words, each in memory of its own."""
    rng = np.random.default_rng(_SEED)
    block, probe = (rng.integers(0, scan.PRIME, (128, d, 2, scan.LANES), np.uint32) for _ in range(2))
    return probe, np.repeat(block[None], -(-n // scan.N), axis=0)


def _peer_row(peer: TenSeal, ours: SearchRow, step: Callable[[int], None]) -> PeerRow:
    """Every comparison decides about another pair, as a search would; encryption is not counted."""
    vectors = _vectors(PEER_COMPARISONS + 1, ours.d)
    probe, watch = peer.encrypt(vectors[0]), Stopwatch()
    for done, vector in enumerate(vectors[1:], start=1):
        template = peer.encrypt(vector)
        with watch.stage("dot"):
            peer.dot(template, probe)
        step(done)
    comparison = watch.spreads()["dot"]
    reckoned = comparison.median_ms * ours.n
    return PeerRow(
        d=ours.d,
        comparisons=comparison.rounds,
        comparison=comparison,
        n=ours.n,
        extrapolated_ms=reckoned,
        times_slower=reckoned / ours.encrypted_ms,
    )


def measure_scan_error(d: int) -> float:
    """The largest difference between a cosine and its encrypted score, over one block of 2048 and a few probes.

    Vectors are encrypted under a gallery's own key, both sides; what ingest adds is not in it.
    """
    key = GallerySecretKey(GallerySecretKey.generate())
    vectors = _vectors(scan.N + ERROR_PROBES, d)
    templates, probes = vectors[:-ERROR_PROBES], vectors[-ERROR_PROBES:]
    sealed = key.seal(np.rint(templates.T * (SCALE / TEMPLATE_DIVISOR)).astype(np.int64))
    gallery = scan.arranged(np.ascontiguousarray(sealed.words().swapaxes(0, 1)))[None]
    worst = 0.0
    for probe in probes:
        constants = np.zeros((d, scan.N), np.int64)
        constants[:, 0] = np.rint(probe * (SCALE * PROBE_FACTOR))
        words = key.seal(constants).words().swapaxes(0, 1)
        opened = key.open_scan(scan.scan(gallery, scan.arranged(np.ascontiguousarray(words))))[0]
        scores = np.where(opened > SCAN.prime // 2, opened - SCAN.prime, opened) / SCORE_SCALE
        worst = max(worst, float(np.abs(scores - templates.astype(np.float64) @ probe).max()))
    return worst


def _vectors(count: int, d: int) -> Vectors:
    """Unit vectors (count, d) of nobody, the same in every run."""
    drawn = np.random.default_rng(_SEED).standard_normal((count, d))
    vectors: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return vectors


def _require_memory(n: int, d: int) -> None:
    """Gallery, plaintext, results: raises :class:`NotEnoughMemory` if they do not fit in what is free."""
    needed = n * (3 * d + 4) * _WORD_BYTES
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > free:
        raise NotEnoughMemory(got=f"{free >> 20} MB", expected=f"{needed >> 20} MB")
