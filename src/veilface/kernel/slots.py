"""Polynomials of 4096 real coefficients and their 2048 complex slots: the values at ζ^(4j+1), ζ = e^(iπ/4096).

A complex transform after Stockham, real and imaginary parts apart. Every operation is one that IEEE 754 rounds, in the
order in which ``kernel/slots.h`` does it: so NumPy and the kernel give the same bits, and the same integers when they
round them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

SLOTS: Final = 2048
_HALF: Final = SLOTS // 2
_SPANS: Final = tuple(1 << bit for bit in range(_HALF.bit_length()))


def _turns() -> Reals:
    steps = np.arange(SLOTS)
    whole, twist = 2 * np.pi * steps / SLOTS, np.pi * steps / (2 * SLOTS)
    return np.stack([np.cos(whole), np.sin(whole), np.cos(twist), np.sin(twist)])


TURNS: Final = _turns()
"""cos and sin of 2πk/2048, then of πk/4096: (4, 2048)."""


def coefficients(real: Reals, imaginary: Reals) -> Reals:
    """The real polynomials (…, 4096) with these slots (…, 2048)."""
    real, imaginary = _transform(real, imaginary)
    cosines, sines = TURNS[2:] / SLOTS
    return np.concatenate([real * cosines + imaginary * sines, imaginary * cosines - real * sines], axis=-1)


def values(polynomials: Reals) -> tuple[Reals, Reals]:
    """Real and imaginary parts (…, 2048) of the slots of real polynomials (…, 4096)."""
    low, high = polynomials[..., :SLOTS], polynomials[..., SLOTS:]
    cosines, sines = TURNS[2:]
    # An inverse transform is a transform with real and imaginary parts exchanged.
    imaginary, real = _transform(low * sines + high * cosines, low * cosines - high * sines)
    return real, imaginary


def _transform(real: Reals, imaginary: Reals) -> tuple[Reals, Reals]:
    """Σ x_j·e^(−2πi·jk/2048) along the last axis, in layers of butterflies."""
    for span in _SPANS:
        cosines, sines = (turn[:_HALF:span, None] for turn in TURNS[:2])
        (low_real, high_real), (low, high) = (_halves(part, span) for part in (real, imaginary))
        down_real, down = low_real - high_real, low - high
        real = _beside(low_real + high_real, down_real * cosines + down * sines)
        imaginary = _beside(low + high, down * cosines - down_real * sines)
    return real, imaginary


def _halves(numbers: Reals, span: int) -> tuple[Reals, Reals]:
    shape = (*numbers.shape[:-1], _HALF // span, span)
    return numbers[..., :_HALF].reshape(shape), numbers[..., _HALF:].reshape(shape)


def _beside(upper: Reals, lower: Reals) -> Reals:
    return np.stack([upper, lower], axis=-2).reshape(*upper.shape[:-2], SLOTS)
