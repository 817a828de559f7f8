"""A search of an encrypted gallery beside its two floors: the same in plaintext, and reading the same memory.

Rounds are interleaved – one scan, one plain read, one NumPy product, one whole query, and again – so that whatever
else the machine does meets all of them. A scan takes the same time whatever the words are, so a gallery is one block,
copied to its full size. See ``docs/bench.md``.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.errors import NotEnoughMemory
from veilface.evaluate.ingest_benchmark import Ingest, measure_ingest
from veilface.evaluate.peers import TenSeal
from veilface.evaluate.search_query import Timed, WholeQuery, shards_of
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.kernel import choice, threads
from veilface.kernel.roots import Words
from veilface.match import scan
from veilface.match.engine import Engine, open_engine
from veilface.protect.gallery import PROBE_FACTOR, SCAN, SCORE_SCALE, TEMPLATE_DIVISOR, GallerySecretKey
from veilface.protect.homomorphic import DIMENSION, SCALE
from veilface.protect.rlwe import CIPHERTEXT_BYTES

SIZES: Final = (2_048, 16_384, 65_536, 262_144, 1_000_000)
DIMENSIONS: Final = (128, 512)
WARM_UP_ROUNDS: Final = 2
PEER_COMPARISONS: Final = 64
ERROR_PROBES: Final = 4
GROWTH_FROM: Final = 65_536
_WORD_BYTES: Final = 4
_QUERY_BYTES: Final = 400
"""Of masks and messages of a whole query, a template."""
_SPINNING_S: Final = 0.06
"""How long NumPy's own threads may go on waiting for work, at full speed, before they sleep: they would slow down
whatever is measured next."""
_SEED: Final = 4096
Advance = Callable[[int, int], None]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class SearchRow:
    """One gallery. Milliseconds are medians; ``minimum`` has the shortest of each. None: not measured here.

    ``n`` – templates searched, whole blocks of 2048 of them scanned; ``ratio`` – encrypted to plain, and
    ``bandwidth_fraction`` – how fast the scan walks through the gallery, of the speed of reading it and nothing else:
    both are medians over rounds. ``query_ms`` – a whole query, both parties, its masks prepared; ``keyholder_ms`` – the
    key holder's part of it; ``prepare_ms`` – those masks; ``query_memory`` – bytes held at most during a query beyond
    the gallery and the masks. A gallery has 128 coordinates, so for others there is no whole query (``no_query``).
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
    prepare_ms: float | None = None
    exchanged_bytes: int | None = None
    query_memory: int | None = None
    no_query: str | None = None


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
class Growth:
    """Time a template in the largest gallery, of that in one of ``start`` templates: 1 is linear."""

    d: int
    start: int
    end: int
    encrypted: float
    query: float | None


@dataclass(frozen=True, kw_only=True)
class SearchBench:
    """Everything ``veilface bench search`` measured; ``ingest`` where galleries are, at 128 dimensions."""

    rounds: int
    threads: int
    kernel: str
    rows: list[SearchRow]
    growth: list[Growth]
    ingest: Ingest | None
    peer: list[PeerRow]

    def as_json(self) -> dict[str, object]:
        """The report as one JSON object."""
        return asdict(self)


def bench_search(
    *,
    sizes: Sequence[int],
    dimensions: Sequence[int],
    rounds: int,
    engine: str = "local",
    advance: Advance = lambda _done, _total: None,
) -> SearchBench:
    """Measures every size at every dimension, scanned by one ``engine``.

    Raises :class:`NotEnoughMemory` before it begins, ``PeerMissing`` where TenSEAL is not installed, and
    :class:`~veilface.match.engine.errors.EngineFailed`.
    """
    _require_memory(max(sizes), max(dimensions), copies=1 if engine == "local" else 2)
    peers = {d: TenSeal() for d in dimensions}
    each, done = rounds + WARM_UP_ROUNDS, 0
    total = len(dimensions) * (len(sizes) * each + PEER_COMPARISONS)
    rows, peer = list[SearchRow](), []
    with open_engine(engine) as opened:
        for d in dimensions:
            error = measure_scan_error(d)
            for n in sizes:
                timed = _Rounds(n, d, engine=opened).run(rounds, _after(done, total, advance))
                rows.append(timed.row(engine, error))
                done += each
            peer.append(_peer_row(peers[d], rows[-1], _after(done, total, advance)))
            done += PEER_COMPARISONS
    return SearchBench(
        rounds=rounds,
        threads=threads.here(),
        kernel=choice.instructions,
        rows=rows,
        growth=[growth for d in dimensions if (growth := _growth([row for row in rows if row.d == d]))],
        ingest=measure_ingest() if DIMENSION in dimensions else None,
        peer=peer,
    )


def _after(done: int, total: int, advance: Advance) -> Callable[[int], None]:
    return lambda step: advance(done + step, total)


class _Rounds:
    """One gallery, and what was measured over it, round by round."""

    def __init__(self, n: int, d: int, *, engine: Engine) -> None:
        self._n: Final = n
        self._d: Final = d
        self._engine: Final = engine
        blocks = -(-n // scan.N)
        self._whole: Final = WholeQuery(blocks, engine) if d == DIMENSION else None
        self._probe: Final = _random_words(d)
        self._gallery: Final = self._whole.gallery if self._whole else np.repeat(_random_words(d)[None], blocks, axis=0)
        self._shards: Final = self._whole.shards if self._whole else shards_of(self._gallery)
        self._seconds: dict[str, list[float]] = {"encrypted": [], "read": [], "plain": []}
        self._queries: list[Timed] = []

    def run(self, rounds: int, step: Callable[[int], None]) -> "_Rounds":
        """Measure so many rounds, after some that do not count."""
        templates, vector = np.ones((self._n, self._d), np.float32), np.ones(self._d, np.float32)
        scores = np.empty(self._n, np.float32)
        self._engine.place(self._shards)
        for done in range(WARM_UP_ROUNDS + rounds):
            if done == WARM_UP_ROUNDS:
                self._clear()
            with self._timed("encrypted"):
                self._engine.scan(self._shards, self._probe)
            with self._timed("read"):
                scan.read(self._gallery)
            with self._timed("plain"):
                np.dot(templates, vector, out=scores)
            time.sleep(_SPINNING_S)
            if self._whole:
                self._queries.append(self._whole.search())
            step(done + 1)
        return self

    def row(self, engine: str, error: float) -> SearchRow:
        """Medians and minima; ratios are taken in each round, for a host may be fast in one and slow in the next."""
        encrypted, read, plain = (self._seconds[stage] for stage in ("encrypted", "read", "plain"))
        return SearchRow(
            n=self._n,
            d=self._d,
            engine=engine,
            encrypted_ms=_median_ms(encrypted),
            plain_ms=_median_ms(plain),
            read_ms=_median_ms(read),
            minimum={stage: min(seconds) * 1000 for stage, seconds in self._all().items()},
            ratio=statistics.median(a / b for a, b in zip(encrypted, plain, strict=True)),
            bandwidth_fraction=statistics.median(a / b for a, b in zip(read, encrypted, strict=True)),
            bytes_per_template=self._gallery.nbytes / (len(self._gallery) * scan.N),
            max_cosine_error=error,
            **self._query(),
        )

    def _query(self) -> dict[str, Any]:
        if not self._queries:
            return {"no_query": f"d = {DIMENSION} only"}
        held = [query.memory for query in self._queries if query.memory is not None]
        return {
            "query_ms": _median_ms([query.query_s for query in self._queries]),
            "keyholder_ms": _median_ms([query.keyholder_s for query in self._queries]),
            "prepare_ms": _median_ms([query.prepare_s for query in self._queries]),
            "exchanged_bytes": self._queries[-1].exchanged,
            "query_memory": max(held, default=None),
        }

    def _all(self) -> dict[str, list[float]]:
        queries = {
            "query": [query.query_s for query in self._queries],
            "keyholder": [query.keyholder_s for query in self._queries],
            "prepare": [query.prepare_s for query in self._queries],
        }
        return self._seconds | {stage: seconds for stage, seconds in queries.items() if seconds}

    def _clear(self) -> None:
        self._queries.clear()
        for seconds in self._seconds.values():
            seconds.clear()

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._seconds[stage].append(time.perf_counter() - started)


def _median_ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1000


def _random_words(d: int) -> Words:
    """A block, or a probe, of which the words alone are right."""
    return np.random.default_rng(_SEED).integers(0, scan.PRIME, (128, d, 2, scan.LANES), np.uint32)


def _growth(rows: Sequence[SearchRow]) -> Growth | None:
    """None where no row has so many templates, or none has more."""
    start, end = next((row for row in rows if row.n == GROWTH_FROM), None), max(rows, key=lambda row: row.n)
    if start is None or end.n == start.n:
        return None
    share = start.n / end.n
    query = end.query_ms / start.query_ms * share if end.query_ms and start.query_ms else None
    return Growth(
        d=start.d, start=start.n, end=end.n, encrypted=end.encrypted_ms / start.encrypted_ms * share, query=query
    )


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
    gallery = scan.arranged(sealed.words().swapaxes(0, 1))[None]
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


def _require_memory(n: int, d: int, *, copies: int) -> None:
    """Gallery, plaintext, results: raises :class:`NotEnoughMemory` if they do not fit in what is free."""
    needed = n * ((2 * copies + 1) * d * _WORD_BYTES + _QUERY_BYTES)
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > free:
        raise NotEnoughMemory(got=f"{free >> 20} MB", expected=f"{needed >> 20} MB")
