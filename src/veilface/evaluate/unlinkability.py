"""Can two databases be joined? D_sys of Gomez-Barrero et al. (IEEE TIFS 13(6) 2018), with a control.

LR(s) = p(s | mated) / p(s | non-mated); D(s) = 0 where ω·LR ≤ 1, else 2·ω·LR/(1 + ω·LR) − 1; D_sys = ∫ D(s) p(s |
mated) ds, with ω = 1 and at most 100 bins. With finitely many scores the estimate never reaches zero: the *floor* is
what it gives when the labels mated and non-mated are shuffled.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_BINS: Final = 100
_MATED_A_BIN: Final = 50
_SHUFFLES: Final = 5
_LEAST_BINS: Final = 5

Scores = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Unlinkability:
    """D_sys between 0 (no linkage) and 1, the shuffled control beside it, and how many scores they rest on."""

    d_sys: float
    floor: float
    mated: int
    non_mated: int


def unlinkability(mated: Scores, non_mated: Scores, *, generator: np.random.Generator) -> Unlinkability:
    """D_sys of scores between templates of the same person (mated) and of different people (non-mated)."""
    pooled, control = np.concatenate([mated, non_mated]), []
    for _ in range(_SHUFFLES):
        labelled = np.zeros(len(pooled), dtype=np.bool_)
        labelled[generator.choice(len(pooled), len(mated), replace=False, shuffle=False)] = True
        control.append(d_sys(pooled[labelled], pooled[~labelled]))
    return Unlinkability(
        d_sys=d_sys(mated, non_mated), floor=float(np.mean(control)), mated=len(mated), non_mated=len(non_mated)
    )


def d_sys(mated: Scores, non_mated: Scores) -> float:
    """The global measure, with bins between the extremes of all scores."""
    bins = min(MOST_BINS, max(_LEAST_BINS, len(mated) // _MATED_A_BIN))
    low, high = min(mated.min(), non_mated.min()), max(mated.max(), non_mated.max())
    same, other = (np.histogram(side, bins, (low, high))[0] / len(side) for side in (mated, non_mated))
    ratio = np.divide(same, other, out=np.full(bins, np.inf), where=other > 0)
    local = np.where(np.isinf(ratio), 1.0, 2 * ratio / (1 + np.where(np.isinf(ratio), 0, ratio)) - 1)
    return float((np.maximum(local, 0) * same).sum())


def between_renewals(recovered: NDArray[np.float32]) -> tuple[Scores, Scores]:
    """Mated and non-mated scores of rows (renewals, people, k): every renewal against every later one."""
    renewals, people, _ = recovered.shape
    same = np.eye(people, dtype=np.bool_)
    crossed = [recovered[a] @ recovered[b].T for a in range(renewals) for b in range(a + 1, renewals)]
    return np.concatenate([scores[same] for scores in crossed]), np.concatenate([scores[~same] for scores in crossed])
