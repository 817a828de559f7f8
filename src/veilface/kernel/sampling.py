"""The door to the kernel's samplers: random words as numbers, in C, or in NumPy with equal results.

Each takes the words of a stream and writes a number for every one of them, from the word's upper bits. Numbers that
must be refused for the rest to be uniform are written as well; their places come back, in order, to be drawn again.
"""

from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import choice, plain
from veilface.kernel.roots import Words

Octets = NDArray[np.uint8]
Places = NDArray[np.int64]
Small = NDArray[np.int8]

BINOMIAL: Final = 21
"""Bits on each side of a centred binomial error: σ = √(21/2) = 3.24."""

_KERNEL: ModuleType = choice.compiled or plain
_LEVEL: int = choice.level


def narrow(octets: Octets, bound: int, out: Words) -> Places:
    """Numbers in [0, ``bound``), bound from 2 up to 2^32, from four octets each."""
    refused = np.empty(len(out), np.int64)
    shift = 32 - (bound - 1).bit_length()
    return refused[: _KERNEL.narrow(octets.view(np.uint32), shift, bound - 1, out, refused, _LEVEL)]


def wide(octets: Octets, bound: int, out: NDArray[np.int64]) -> Places:
    """Numbers in [0, ``bound``), bound from 2 up to 2^63, from eight octets each."""
    refused = np.empty(len(out), np.int64)
    shift = 64 - (bound - 1).bit_length()
    return refused[: _KERNEL.wide(octets.view(np.uint64), shift, bound - 1, out, refused, _LEVEL)]


def ternary(octets: Octets, out: Small) -> Places:
    """−1, 0 or 1 from one octet each; 255, one too many for a multiple of three, is refused."""
    refused = np.empty(len(octets), np.int64)
    return refused[: _KERNEL.ternary(octets, out, refused, _LEVEL)]


def binomial(octets: Octets, out: Small) -> Places:
    """Centred binomial errors from eight octets each; none is refused."""
    _KERNEL.binomial(octets.view(np.uint64), out, _LEVEL)
    return np.empty(0, np.int64)
