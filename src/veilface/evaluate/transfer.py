"""Does it hold for other people? Losses and thresholds on people whom they were not found on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from veilface.evaluate.accuracy import FMR_TARGETS, PairScores, pooled_threshold
from veilface.evaluate.datasets import People
from veilface.protect.calibration import FMRS, shipped
from veilface.protect.errors import NotCalibrated

HALVES = 2


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a threshold does: the shares of impostor and of genuine pairs accepted."""

    fmr: float
    tar: float


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """People in two halves, those of even and of odd numbers. All are means over the tokens.

    ``halves``: TAR of each half by itself, by FMR target. ``held_out``: each half at the threshold that the other half
    gave for a target, averaged. ``shipped``: everybody at the thresholds of this release, by FMR.
    """

    halves: tuple[dict[str, float | None], ...]
    held_out: dict[str, Rates | None]
    shipped: dict[str, Rates]


def transfer(name: str, runs: Sequence[PairScores], people: People) -> Transfer:
    """Of a protection's stolen-token runs, one a token."""
    numbers = np.arange(people.max() + 1)
    halves = [[run.among(numbers % HALVES == half, people) for run in runs] for half in range(HALVES)]
    return Transfer(
        halves=tuple({target: _mean_tar(half, fmr) for target, fmr in FMR_TARGETS.items()} for half in halves),
        held_out={target: _crossed(halves, fmr) for target, fmr in FMR_TARGETS.items()},
        shipped=_at_shipped(name, runs),
    )


def rates_at(runs: Sequence[PairScores], threshold: float) -> Rates:
    """Means over the runs; an FMR beyond the scores that are kept counts as their share."""
    return Rates(
        fmr=float(np.mean([np.count_nonzero(run.tail >= threshold) / run.impostors for run in runs])),
        tar=float(np.mean([np.mean(run.genuine >= threshold) for run in runs])),
    )


def _mean_tar(runs: Sequence[PairScores], fmr: float) -> float | None:
    known = [tar for run in runs if (tar := run.tar(fmr)) is not None]
    return float(np.mean(known)) if len(known) == len(runs) else None


def _crossed(halves: Sequence[Sequence[PairScores]], fmr: float) -> Rates | None:
    """Both directions, averaged; None where a half has too few pairs."""
    found = []
    for own, other in zip(halves, reversed(halves), strict=True):
        threshold = pooled_threshold(other, fmr)
        if threshold is None or any(len(run.genuine) == 0 for run in own):
            return None
        found.append(rates_at(own, threshold))
    return Rates(fmr=float(np.mean([one.fmr for one in found])), tar=float(np.mean([one.tar for one in found])))


def _at_shipped(name: str, runs: Sequence[PairScores]) -> dict[str, Rates]:
    """Nothing for published forms, which no release has thresholds for."""
    found = {}
    for label in FMRS:
        try:
            found[label] = rates_at(runs, shipped().threshold(name, fmr=label))
        except NotCalibrated:
            continue
    return found
