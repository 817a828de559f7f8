"""Randomness in bulk: a stream of AES-256-CTR under a key from the operating system, or from a seed that is shared.

One source for every mask, error and secret of a gallery query, where tens of millions of numbers are drawn. A seed
(32 B) is for what both sides may know: the second component of a ciphertext.
"""

import secrets
from collections.abc import Callable
from threading import local
from typing import Any, Final, TypeVar

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from numpy.typing import NDArray

from veilface.kernel import sampling
from veilface.kernel.roots import Words
from veilface.kernel.sampling import Octets, Places, Small
from veilface.kernel.threads import spread

SEED_BYTES: Final = 32

Integers = NDArray[np.int64]
Shape = int | tuple[int, ...]
_Number = TypeVar("_Number", bound=np.generic)
_Sample = Callable[[Octets, Any], Places]

_BLOCK: Final = 16
_AT_ONCE: Final = 1 << 16
"""Octets in one go: they stay in the cache until they are numbers."""
_SPAN: Final = 1 << 20
"""Octets that a thread takes."""


def fresh_seed() -> bytes:
    """A seed (32 B) from the operating system."""
    return secrets.token_bytes(SEED_BYTES)


class Stream:
    """An endless row of random numbers; not for two threads at once.

    Much of it is drawn on several threads, each from its own place: the numbers are the same.
    """

    def __init__(self, seed: bytes | None = None) -> None:
        """Start at a fresh place nobody knows, or at the one that ``seed`` (32 B) names."""
        self._key: Final = fresh_seed() if seed is None else seed
        self._position = 0
        self._cipher = self._from(0)

    def uniform(self, bound: int, shape: Shape) -> Integers:
        """Integers uniform in [0, ``bound``), 2 ≤ bound < 2^63: draws that are too large are drawn again."""
        if bound <= 1 << 32:
            return self.words(bound, shape).astype(np.int64)
        return self._drawn(lambda octets, out: sampling.wide(octets, bound, out), np.empty(shape, np.int64), 8)

    def words(self, bound: int, shape: Shape) -> Words:
        """What :meth:`uniform` draws, in 32 bits; ``bound`` up to 2^32."""
        return self.fill(bound, np.empty(shape, np.uint32))

    def fill(self, bound: int, out: Words) -> Words:
        """Those words into ``out``, which lies in one piece."""
        return self._drawn(lambda octets, part: sampling.narrow(octets, bound, part), out, 4)

    def ternary(self, shape: Shape) -> Small:
        """−1, 0 or 1, each with the same chance."""
        return self._drawn(sampling.ternary, np.empty(shape, np.int8), 1)

    def errors(self, shape: Shape) -> Small:
        """Centred binomial errors of 2·21 bits, σ = 3.24."""
        return self._drawn(sampling.binomial, np.empty(shape, np.int8), 8)

    def fractions(self, shape: Shape) -> NDArray[np.float64]:
        """Numbers in [0, 1) with 53 random bits."""
        numbers = self.uniform(1 << 53, shape).astype(np.float64)
        numbers *= 2.0**-53
        return numbers

    def permutation(self, count: int) -> Integers:
        """A random order of 0 … count − 1: that of random 63-bit keys."""
        return np.argsort(self._drawn(_sixty_three_bits, np.empty(count, np.int64), 8), kind="stable")

    # --- from octets to numbers --------------------------------------------------------------------------

    def _drawn(self, sample: _Sample, out: NDArray[_Number], width: int) -> NDArray[_Number]:
        """Fill ``out`` from ``width`` octets a number; refused ones are drawn again, in the order of their places."""
        flat = out.reshape(-1)
        places = self._filled(sample, flat, width)
        while len(places):
            again = np.empty(len(places), out.dtype)
            refused = self._filled(sample, again, width)
            flat[places] = again
            places = places[refused]
        return out

    def _filled(self, sample: _Sample, out: NDArray[_Number], width: int) -> Places:
        """Fill ``out``; the places of what was refused, in order."""
        start, self._position = self._position, self._position + width * len(out)
        if width * len(out) <= _SPAN:
            return _convert(self._cipher, sample, out, width)
        span = _SPAN // width
        found: dict[int, Places] = {}

        def convert(first: int) -> None:
            cipher = self._from(start + width * first)
            found[first] = first + _convert(cipher, sample, out[first : first + span], width)

        spread(convert, range(0, len(out), span))
        self._cipher = self._from(self._position)
        return np.concatenate([found[first] for first in sorted(found)])

    def _from(self, position: int) -> CipherContext:
        """The cipher that makes the octets from ``position`` on."""
        counter, inside = divmod(position, _BLOCK)
        cipher = Cipher(AES(self._key), CTR(counter.to_bytes(_BLOCK, "big"))).encryptor()
        cipher.update(bytes(inside))
        return cipher


def _convert(cipher: CipherContext, sample: _Sample, out: NDArray[_Number], width: int) -> Places:
    """Numbers from the cipher's next octets, a cacheful at a time."""
    octets, refused = _octets(), []
    for first in range(0, len(out), _AT_ONCE // width):
        part = out[first : first + _AT_ONCE // width]
        cipher.update_into(_ZEROS[: width * len(part)], octets.data)
        if len(places := sample(octets[: width * len(part)], part)):
            refused.append(places + first)
    return np.concatenate(refused) if refused else _NONE


def _sixty_three_bits(octets: Octets, out: Integers) -> Places:
    return sampling.wide(octets, 1 << 63, out)


def _octets() -> Octets:
    """Where a thread has its octets, with the room beside them that the cipher asks for."""
    if not hasattr(_threads, "octets"):
        _threads.octets = np.empty(_AT_ONCE + _BLOCK, np.uint8)
    octets: Octets = _threads.octets
    return octets


_threads = local()
_ZEROS: Final = memoryview(bytes(_AT_ONCE))
_NONE: Final = np.empty(0, np.int64)
