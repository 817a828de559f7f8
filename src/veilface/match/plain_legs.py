"""What the kernel computes for the matcher's two legs, in NumPy, for machines on which it could not be built.

The same signatures and, word for word, the same results.
"""

import numpy as np

from veilface.kernel.roots import Words
from veilface.protect.gallery import RESULT, SCAN, few
from veilface.protect.stream import Integers
from veilface.protect.word_ring import mirrored, products


def hide(  # noqa: PLR0917 – the kernel's signature
    scores: Words,
    order: Integers,
    rotations: Integers,
    roots: Words,
    masks: Words,
    out: Words,
    threads: int,
    level: int,
) -> None:
    """X^rotation·d + masks in the shuffled order, a few places at a time."""
    del roots, threads, level
    for places in few(len(out)):
        words = masks[places].astype(np.int64)
        filled = np.flatnonzero(order[places] < len(scores))
        turns = SCAN.monomials(rotations[places][filled])[:, None]
        words[filled] += products(scores[order[places][filled]], turns)
        out[places] = SCAN.reduce(words)


def blind(  # noqa: PLR0917 – the kernel's signature
    first: Words, second: Words, factors: Words, sums: Words, out: Words, threads: int, level: int
) -> None:
    """α·W + β·W̄ of shares and wrap bits, and the sums; a few pairs at a time."""
    del threads, level
    for pairs in few(len(out)):
        for row, ring in enumerate(RESULT):
            alpha, beta, *wraps = np.moveaxis(factors[pairs, :, row], 1, 0)
            straight, turned = (alpha, wraps[0]), (beta, wraps[1])
            given, drawn = (np.moveaxis(part, 1, 0) for part in (first[pairs, :, row], second[row, pairs]))
            parts = (
                _products(given, straight) + _products(mirrored(given), turned),
                _products(drawn, straight),
                _products(mirrored(drawn), turned),
            )
            out[pairs, :, row] = ring.reduce(np.stack(parts, axis=1) + sums[pairs, :, row].astype(np.int64))


def _products(sealed: Words, factors: tuple[Words, Words]) -> Integers:
    """U·a + K·a′ of one prime, (pairs, 4096), below 2^53."""
    (shares, wraps), (factor, factor_of_wraps) = sealed, factors
    return products(shares, factor) + products(wraps, factor_of_wraps)
