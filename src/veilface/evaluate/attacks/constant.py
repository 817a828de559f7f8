"""Probes that suit everybody: made from some people's embeddings, tried on others.

Embeddings are unit rows, float32 or float64 (n, 128); a probe is accepted at cosines from ``threshold`` up.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

DICTIONARY_SIZE: Final = 50
_STEPS: Final = 300
_SOFTNESS: Final = 0.03

Reals = NDArray[np.float64]
Rows = NDArray[np.floating]


def mean_face(population: Rows) -> Reals:
    """The mean of all, at length one: what every embedding has in common."""
    return _unit(population.astype(np.float64).mean(axis=0))


def wolf(population: Rows, threshold: float) -> Reals:
    """The best constant probe that gradient ascent finds: it raises the soft count of people who accept it.

    Starts from the member of the population whom most others accept.
    """
    rows = population.astype(np.float64)
    probe = rows[((rows @ rows.T) >= threshold).sum(axis=1).argmax()]
    best, most = probe, -1
    for step in range(_STEPS):
        cosines = rows @ probe
        accepted = int((cosines >= threshold).sum())
        if accepted > most:
            best, most = probe, accepted
        weight = 1 / (1 + np.exp(-np.clip((cosines - threshold) / _SOFTNESS, -50, 50)))
        probe = _unit(probe + 0.3 / (1 + step / 50) * _unit((weight * (1 - weight)) @ rows))
    return np.asarray(best)


def dictionary(population: Rows, threshold: float, size: int = DICTIONARY_SIZE) -> Reals:
    """``size`` real faces (size, 128), each the one accepted by most of those whom none before it opens."""
    rows = population.astype(np.float64)
    opens = (rows @ rows.T) >= threshold
    chosen = []
    for _ in range(min(size, len(rows))):
        best = int(opens.sum(axis=1).argmax())
        chosen.append(rows[best])
        opens = opens & ~opens[best]
    return np.array(chosen)


def _unit(vector: Reals) -> Reals:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12))
