"""What :mod:`veilface.kernel._scan` computes, in NumPy: for machines on which the kernel could not be built.

The same signatures and, word for word, the same results; a scan takes some hundred times as long.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from veilface.kernel.roots import Words

_PRIME = np.uint64(1073692673)
_STRIDE = 8
"""Sixteen products below 2^60 fit in 64 bits, and the middle component takes two for each coordinate."""
_SPARE = 255
_TERNARY = (np.arange(_SPARE + 1) % 3 - 1).astype(np.int8)
_BINOMIAL = 21
_SIDE = np.uint64((1 << _BINOMIAL) - 1)


def best_level() -> int:
    """NumPy looks for instructions itself."""
    return 0


def scan(gallery: Sequence[Words], probe: Words, out: Words, threads: int, level: int) -> None:
    """Block by block, so that a gallery is never held as 64-bit words."""
    del threads, level
    right0, right1 = probe.astype(np.uint64).transpose(1, 2, 0, 3).swapaxes(0, 1)
    for block, templates in enumerate(gallery):
        left0, left1 = templates.transpose(2, 1, 0, 3)
        sums = np.zeros((3, *right0.shape[1:]), np.uint64)
        for first in range(0, len(right0), _STRIDE):
            part = slice(first, first + _STRIDE)
            sums[0] += (left0[part] * right0[part]).sum(axis=0) % _PRIME
            sums[1] += (left0[part] * right1[part] + left1[part] * right0[part]).sum(axis=0) % _PRIME
            sums[2] += (left1[part] * right1[part]).sum(axis=0) % _PRIME
        out[block] = (sums % _PRIME).reshape(out.shape[1:])


def forward(words: Words, roots: Words, quotients: Words, prime: int, level: int) -> None:
    """Layers of butterflies, the widest first."""
    del quotients, level
    rows, n = words.shape
    wide, modulus = words.astype(np.uint64), np.uint64(prime)
    groups = 1
    while groups < n:
        pairs = wide.reshape(rows, groups, 2, n // groups // 2)
        turned = pairs[:, :, 1] * roots[groups : 2 * groups, None] % modulus
        pairs[:, :, 1] = (pairs[:, :, 0] + modulus - turned) % modulus
        pairs[:, :, 0] = (pairs[:, :, 0] + turned) % modulus
        groups *= 2
    words[...] = wide


def inverse(words: Words, roots: Words, quotients: Words, prime: int, level: int) -> None:
    """The same layers undone, the narrowest first."""
    del quotients, level
    rows, n = words.shape
    wide, modulus = words.astype(np.uint64), np.uint64(prime)
    groups = n // 2
    while groups:
        pairs = wide.reshape(rows, groups, 2, n // groups // 2)
        differences = pairs[:, :, 0] + modulus - pairs[:, :, 1]
        pairs[:, :, 0] = (pairs[:, :, 0] + pairs[:, :, 1]) % modulus
        pairs[:, :, 1] = differences * roots[groups : 2 * groups, None] % modulus
        groups //= 2
    words[...] = wide * roots[0] % modulus


def reduce(values: NDArray[np.int64], prime: int, level: int) -> None:
    """In place, to [0, prime)."""
    del level
    quotient = values // prime
    quotient *= prime
    values -= quotient


def narrow(  # noqa: PLR0917 – the kernel's signature
    drawn: Words, shift: int, largest: int, out: Words, refused: NDArray[np.int64], level: int
) -> int:
    """The upper bits of each word; places of those above ``largest`` go to ``refused``, and their count comes back."""
    del level
    np.right_shift(drawn, np.uint32(shift), out=out)
    return _noted(np.flatnonzero(out > largest), refused)


def wide(  # noqa: PLR0917 – the kernel's signature
    drawn: NDArray[np.uint64],
    shift: int,
    largest: int,
    out: NDArray[np.int64],
    refused: NDArray[np.int64],
    level: int,
) -> int:
    """The same of 64-bit words."""
    del level
    out[...] = drawn >> np.uint64(shift)
    return _noted(np.flatnonzero(out > largest), refused)


def ternary(drawn: NDArray[np.uint8], out: NDArray[np.int8], refused: NDArray[np.int64], level: int) -> int:
    """−1, 0 or 1; the octet 255 is refused."""
    del level
    out[...] = _TERNARY[drawn]
    return _noted(np.flatnonzero(drawn == _SPARE), refused)


def binomial(drawn: NDArray[np.uint64], out: NDArray[np.int8], level: int) -> None:
    """How many of 21 bits are ones, less how many of 21 others."""
    del level
    plus = np.bitwise_count(drawn & _SIDE)
    np.subtract(plus, np.bitwise_count((drawn >> np.uint64(_BINOMIAL)) & _SIDE), out=out, casting="unsafe")


def _noted(places: NDArray[np.int64], refused: NDArray[np.int64]) -> int:
    refused[: len(places)] = places
    return len(places)


def read(words: Words, threads: int, level: int) -> int:
    """The exclusive or of all words."""
    del threads, level
    return int(np.bitwise_xor.reduce(words, axis=None))
