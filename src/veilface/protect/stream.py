"""Randomness in bulk: a stream of AES-256-CTR under a key from the operating system, or from a seed that is shared.

One source for every mask, error and secret of a gallery query, where tens of millions of numbers are drawn. A seed
(32 B) is for what both sides may know: the second component of a ciphertext.
"""

import secrets
from collections.abc import Callable
from typing import Final, TypeVar

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from numpy.typing import NDArray

SEED_BYTES: Final = 32
BINOMIAL: Final = 21
"""Bits on each side of a centred binomial error: σ = √(21/2) = 3.24."""

Integers = NDArray[np.int64]
Shape = int | tuple[int, ...]
_Word = TypeVar("_Word", np.uint8, np.uint32, np.uint64)

_SPARE: Final = 255
_TERNARY: Final = np.arange(_SPARE, dtype=np.int64) % 3 - 1
"""What the bytes 0 … 254 stand for; 255 is drawn again."""


def fresh_seed() -> bytes:
    """A seed (32 B) from the operating system."""
    return secrets.token_bytes(SEED_BYTES)


class Stream:
    """An endless row of random numbers; not for two threads at once."""

    def __init__(self, seed: bytes | None = None) -> None:
        """Start at a fresh place nobody knows, or at the one that ``seed`` (32 B) names."""
        self._cipher = Cipher(AES(fresh_seed() if seed is None else seed), CTR(bytes(16))).encryptor()

    def uniform(self, bound: int, shape: Shape) -> Integers:
        """Integers uniform in [0, ``bound``), bound < 2^63: draws that are too large are drawn again."""
        bits = (bound - 1).bit_length()
        if bits > 32:  # noqa: PLR2004 – the width of the cheaper word
            return self._refused(
                lambda count: (self._words(np.uint64, count) >> np.uint64(64 - bits)).astype(np.int64), bound, shape
            )
        return self._refused(
            lambda count: (self._words(np.uint32, count) >> np.uint32(32 - bits)).astype(np.int64), bound, shape
        )

    def ternary(self, shape: Shape) -> Integers:
        """−1, 0 or 1, each with the same chance."""
        drawn = self._words(np.uint8, int(np.prod(shape))).copy()
        while len(spare := np.flatnonzero(drawn == _SPARE)):
            drawn[spare] = self._words(np.uint8, len(spare))
        ternary: Integers = _TERNARY[drawn].reshape(shape)
        return ternary

    def errors(self, shape: Shape) -> Integers:
        """Centred binomial errors of 2·21 bits, σ = 3.24."""
        words = self._words(np.uint64, int(np.prod(shape))).reshape(shape)
        side = np.uint64((1 << BINOMIAL) - 1)
        plus, minus = np.bitwise_count(words & side), np.bitwise_count((words >> np.uint64(BINOMIAL)) & side)
        errors: Integers = np.subtract(plus, minus, dtype=np.int64)
        return errors

    def fractions(self, shape: Shape) -> NDArray[np.float64]:
        """Numbers in [0, 1) with 53 random bits."""
        words = self._words(np.uint64, int(np.prod(shape))).reshape(shape)
        return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def permutation(self, count: int) -> Integers:
        """A random order of 0 … count − 1: that of random 64-bit keys."""
        return np.argsort(self._words(np.uint64, count), kind="stable").astype(np.int64)

    def _refused(self, draw: Callable[[int], Integers], bound: int, shape: Shape) -> Integers:
        values = draw(int(np.prod(shape)))
        while len(large := np.flatnonzero(values >= bound)):
            values[large] = draw(len(large))
        return values.reshape(shape)

    def _words(self, kind: type[_Word], count: int) -> NDArray[_Word]:
        octets = self._cipher.update(bytes(count * np.dtype(kind).itemsize))
        return np.frombuffer(octets, kind)
