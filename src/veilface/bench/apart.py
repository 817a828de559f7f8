"""Whether two series of times can be told apart: the two-sample test of Kolmogorov and Smirnov.

It looks at the whole distributions, not only at where their middles are: a refusal that is mostly as fast as another
one, and sometimes much slower, would show.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_TERMS: Final = 100
_NEAR_NOTHING: Final = 0.2
"""Where Q is still 1, to twelve places."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """The largest ``distance`` (0 … 1) of two distribution functions, and its ``probability`` among equal ones."""

    distance: float
    probability: float


def apart(one: Sequence[float], other: Sequence[float]) -> Apart:
    """How far apart two series are; the probability is the asymptotic one with Stephens' correction."""
    both = np.sort(np.array([*one, *other]))
    shares = (np.searchsorted(np.sort(series), both, side="right") / len(series) for series in (one, other))
    distance = float(np.abs(np.subtract(*shares)).max())
    root = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    return Apart(distance=distance, probability=_tail((root + 0.12 + 0.11 / root) * distance))


def _tail(x: float) -> float:
    """Kolmogorov's Q(x) = 2 Σ (−1)^(k−1) exp(−2k²x²), which converges slowly towards 1 near 0."""
    if x < _NEAR_NOTHING:
        return 1.0
    return min(1.0, 2 * math.fsum((-1.0) ** (k - 1) * math.exp(-2 * (k * x) ** 2) for k in range(1, _TERMS)))
