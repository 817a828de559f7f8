"""How well a protection tells people apart: FMR, FNMR, TAR, EER and DET, with confidence intervals over people.

Names and definitions are those of ISO/IEC 19795-1. A pair is accepted where its score reaches the threshold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.datasets import People

FMR_TARGETS: Final[dict[str, float]] = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4}
BOOTSTRAPS: Final = 200
CONFIDENCE: Final = 0.95
_TAIL: Final = 0.4
_LOOKED_AT: Final = 0.04
_ROWS: Final = 256
_BINS: Final = 120

Floats = NDArray[np.float64]
Scores = NDArray[np.float32]
ScoreBlock = Callable[[slice, slice], Scores]
"""Scores (rows, columns) of templates in the first slice against probes in the second."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PairScores:
    """Every genuine score, rising, and the impostor scores that matter: the highest 40 %, falling.

    ``genuine_people`` int32 (g); ``tail_people`` int32 (2, t): whose template and whose probe. ``histogram`` counts
    all genuine and all impostor scores in the bins between ``edges``.
    """

    genuine: Scores
    genuine_people: People
    tail: Scores
    tail_people: People
    impostors: int
    edges: Floats
    histogram: tuple[NDArray[np.int64], NDArray[np.int64]]

    def threshold(self, fmr: float) -> float | None:
        """The least score at which at most ``fmr`` of impostor pairs are accepted; None where there are too few."""
        allowed = int(fmr * self.impostors)
        return None if allowed < 1 else _just_above(self.tail[allowed])

    def tar(self, fmr: float) -> float | None:
        """The share of genuine pairs accepted at the threshold of ``fmr``; None where there are no such pairs."""
        threshold = self.threshold(fmr)
        return None if threshold is None or not len(self.genuine) else float(np.mean(self.genuine >= threshold))

    def det(self, points: int = 160) -> tuple[Floats, Floats]:
        """FMR and FNMR, spaced evenly in log(FMR), from one impostor pair up to all that are kept."""
        accepted = np.unique(np.geomspace(1, len(self.tail) - 1, points).astype(np.int64))
        rejected = np.searchsorted(self.genuine, self.tail[accepted], side="right")
        return accepted / self.impostors, rejected / len(self.genuine)

    def among(self, chosen: NDArray[np.bool_], people: People) -> "PairScores":
        """The pairs of ``chosen`` people (by number) with each other; ``people`` as they were compared."""
        sizes = np.bincount(people)[chosen]
        genuine, tail = chosen[self.genuine_people], chosen[self.tail_people].all(axis=0)
        return replace(
            self,
            genuine=self.genuine[genuine],
            genuine_people=self.genuine_people[genuine],
            tail=self.tail[tail],
            tail_people=self.tail_people[:, tail],
            impostors=int(sizes.sum() ** 2 - (sizes**2).sum()) // 2,
        )

    def highest(self, share: float) -> "PairScores":
        """The same with only the highest ``share`` of impostor scores."""
        kept = max(2, min(len(self.tail), int(share * self.impostors)))
        return replace(self, tail=self.tail[:kept], tail_people=self.tail_people[:, :kept])


def compare_all(score: ScoreBlock, people: People) -> PairScores:
    """Score every pair of pictures once, block by block; the earlier picture is the template."""
    count = len(people)
    scores = np.empty(count * (count - 1) // 2, dtype=np.float32)
    genuine = np.empty(len(scores), dtype=np.bool_)
    filled = 0
    for start in range(0, count, _ROWS):
        block = score(slice(start, min(start + _ROWS, count)), slice(start, count))
        for row, values in enumerate(block[: count - 1 - start]):
            end = filled + count - 1 - start - row
            scores[filled:end] = values[row + 1 :]
            genuine[filled:end] = people[start + row + 1 :] == people[start + row]
            filled = end
    return _collected(scores, genuine, people)


def _collected(scores: Scores, genuine: NDArray[np.bool_], people: People) -> PairScores:
    """From the scores of all pairs (0, 1), (0, 2), … (1, 2), …; a pair's place tells its pictures."""
    same, impostor = np.flatnonzero(genuine), scores[~genuine]
    kept = max(2, int(_TAIL * len(impostor)))
    least = np.partition(impostor, len(impostor) - kept)[len(impostor) - kept]
    highest = np.flatnonzero((scores >= least) & ~genuine)
    falling = highest[np.argsort(-scores[highest], kind="stable")]
    rising = same[np.argsort(scores[same], kind="stable")]
    edges = np.linspace(scores.min(), scores.max(), _BINS + 1, dtype=np.float64)
    counts = [np.histogram(side, _BINS, (edges[0], edges[-1]))[0] for side in (scores[same], impostor)]
    return PairScores(
        genuine=scores[rising],
        genuine_people=people[_pictures(rising, len(people))[0]],
        tail=scores[falling],
        tail_people=np.stack([people[side] for side in _pictures(falling, len(people))]),
        impostors=len(impostor),
        edges=edges,
        histogram=(counts[0], counts[1]),
    )


def _pictures(places: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The two pictures of each pair, from its place among all pairs of ``count``."""
    rows = np.arange(count, dtype=np.int64)
    starts = rows * (2 * count - rows - 1) // 2
    first = np.searchsorted(starts, places, side="right") - 1
    return first, places - starts[first] + first + 1


@dataclass(frozen=True, kw_only=True)
class Rates:
    """EER and TAR at each FMR target; None where the data hold too few pairs for it."""

    eer: float | None
    tar: dict[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Rates with their 95 % intervals, thresholds, and how many pairs they rest on."""

    rates: Rates
    lower: Rates
    upper: Rates
    thresholds: dict[str, float | None]
    genuine: int
    impostors: int


def accuracy(runs: Sequence[PairScores], people: People, *, resamples: int = BOOTSTRAPS, seed: int = 1) -> Accuracy:
    """The mean of several runs (one a token), each at its own thresholds; ``thresholds`` are those of all together.

    Intervals are percentiles over resamples of *people*, not of pairs: pairs of one person are not independent.
    Without resamples they are the rates themselves.
    """
    sizes = np.bincount(people)
    generator = np.random.default_rng(seed)
    plain = np.ones(len(sizes))
    point = _mean([_weighted(run, plain, sizes) for run in runs])
    # No resample looks further down than a few times the rates of the whole.
    likely = [run.highest(max(_LOOKED_AT, 2 * (point.eer or 1))) for run in runs]
    resampled = [] if resamples else [point]
    for _ in range(resamples):
        weights = np.bincount(generator.integers(0, len(sizes), len(sizes)), minlength=len(sizes)).astype(np.float64)
        resampled.append(_mean([_weighted(run, weights, sizes) for run in likely]))
    lower, upper = (_percentile(resampled, share) for share in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return Accuracy(
        rates=point,
        lower=lower,
        upper=upper,
        thresholds={name: pooled_threshold(runs, fmr) for name, fmr in FMR_TARGETS.items()},
        genuine=len(runs[0].genuine),
        impostors=runs[0].impostors,
    )


def pooled_threshold(runs: Sequence[PairScores], fmr: float) -> float | None:
    """The least score at which at most ``fmr`` of the impostor pairs of all runs together are accepted."""
    allowed = int(fmr * sum(run.impostors for run in runs))
    if allowed < 1:
        return None
    highest = np.concatenate([run.tail[: allowed + 1] for run in runs])
    return _just_above(np.sort(highest)[::-1][allowed])


def _just_above(score: np.float32) -> float:
    """The next score there can be: of whole numbers the next one, else the next float32."""
    return float(score) + 1 if float(score).is_integer() else float(np.nextafter(score, np.float32(np.inf)))


def _weighted(run: PairScores, weights: Floats, sizes: NDArray[np.int64]) -> Rates:
    """Rates where each person counts ``weights`` times."""
    mass = weights * sizes
    total = (mass.sum() ** 2 - (mass**2).sum()) / 2
    # A resample of very few people may hold one person alone, and no impostor pair.
    accepted = np.cumsum(weights[run.tail_people[0]] * weights[run.tail_people[1]]) / max(total, 1e-12)
    rejected = np.concatenate([[0.0], np.cumsum(weights[run.genuine_people])])
    rejected /= max(rejected[-1], 1e-12)
    tar: dict[str, float | None] = {}
    for name, fmr in FMR_TARGETS.items():
        first = int(np.searchsorted(accepted, fmr, side="right"))
        enough = fmr * run.impostors >= 1 and first < len(run.tail)
        tar[name] = 1 - rejected[np.searchsorted(run.genuine, run.tail[first], side="right")] if enough else None
    return Rates(eer=_equal_error(run, accepted, rejected), tar=tar)


def _equal_error(run: PairScores, accepted: Floats, rejected: Floats) -> float | None:
    """Where FMR and FNMR meet, by bisection over thresholds; None beyond the kept scores."""

    def rates(index: int) -> tuple[float, float]:
        return accepted[index], rejected[np.searchsorted(run.genuine, run.tail[index])]

    low, high = 0, len(run.tail) - 1
    fmr, fnmr = rates(high)
    if fmr < fnmr:
        return None
    while low < high:
        middle = (low + high) // 2
        fmr, fnmr = rates(middle)
        low, high = (middle + 1, high) if fmr < fnmr else (low, middle)
    return float(np.mean(rates(low)))


def _combined(values: Sequence[float | None], reduce: Callable[[Floats], float]) -> float | None:
    known = [value for value in values if value is not None]
    return float(reduce(np.array(known))) if known else None


def _mean(rates: Sequence[Rates]) -> Rates:
    return _reduced(rates, lambda values: float(values.mean()))


def _percentile(rates: Sequence[Rates], share: float) -> Rates:
    return _reduced(rates, lambda values: float(np.quantile(values, share)))


def _reduced(rates: Sequence[Rates], reduce: Callable[[Floats], float]) -> Rates:
    return Rates(
        eer=_combined([rate.eer for rate in rates], reduce),
        tar={name: _combined([rate.tar[name] for rate in rates], reduce) for name in FMR_TARGETS},
    )
