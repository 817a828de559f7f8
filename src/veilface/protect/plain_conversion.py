"""What :mod:`veilface.protect.conversion` computes, in NumPy: for machines on which the kernel could not be built.

The kernel's signatures and, word for word, its results. The encryption of zero is made here rather than by SEAL: of
its first component no more than 128 coefficients are needed.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.kernel.sampling import Small
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import require_words
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.ring import DATA, KEY, SPECIAL_PRIME, N
from veilface.protect.rlwe import parse_residues, ternary_coefficients
from veilface.protect.stream import Integers
from veilface.protect.word_ring import Coefficients, WordRing, Words

_RINGS: Final = tuple(WordRing(N, prime) for prime in KEY.primes)
_COLUMN: Final = np.array(KEY.primes, np.int64)[:, None]
_PRIMES: Final = _COLUMN[:-1]
_SPECIAL_INVERSES: Final = np.array([[pow(SPECIAL_PRIME, -1, prime)] for prime in DATA.primes], np.int64)
_OPENED, _MALFORMED, _NO_MASK = range(3)


def mask_coordinates(  # noqa: PLR0917 – the kernel's signature
    ciphertexts: Sequence[bytes],
    keys: Sequence[bytes],
    secrets: Small,
    errors: Small,
    masks: Integers,
    roots: Words,
    first: Words,
    second: Words,
    sound: NDArray[np.uint8],
    threads: int,
    level: int,
) -> None:
    """One after the other; where bytes are malformed, ``sound`` stays as it is."""
    del roots, threads, level
    for place, (ciphertext, key) in enumerate(zip(ciphertexts, keys, strict=True)):
        with suppress(MalformedCiphertext):
            words = parse_residues(ciphertext, components=2).astype(np.int64)
            key_words = parse_residues(key, components=2, basis=KEY).astype(np.int64)
            small, large = errors[place, :DIMENSION], errors[place, DIMENSION:]
            lifted = _forward(secrets[place], len(KEY.primes)) * key_words
            lifted[0, :-1] += words[0] * SPECIAL_PRIME
            _reduce(lifted, _COLUMN)
            low = _rounded_down(_inverse(lifted[0])[:, :DIMENSION], small)
            first[place] = _reduce(low + masks[place] % _PRIMES, _PRIMES)
            second[place] = _reduce(words[1] + _lowered(lifted[1], large) * _SPECIAL_INVERSES, _PRIMES)
            sound[place] = 1


def open_coordinates(  # noqa: PLR0917 – the kernel's signature
    secrets: Sequence[bytes],
    first: Sequence[Words],
    second: Sequence[Words],
    largest: int,
    roots: Words,
    out: Integers,
    found: NDArray[np.uint8],
    threads: int,
    level: int,
) -> None:
    """One after the other; ``found`` says of each whether it was opened."""
    del roots, threads, level
    found[...] = _MALFORMED
    for place, secret in enumerate(secrets):
        with suppress(MalformedCiphertext):
            require_words(second[place], (len(DATA.primes), N), *DATA.primes)
            require_words(first[place], (len(DATA.primes), DIMENSION), *DATA.primes)
            residues = DATA.residues(DATA.forward(ternary_coefficients(secret)) * second[place])
            phase = DATA.low_coefficients(residues, DIMENSION) + first[place]
            found[place] = _joined(phase, largest, out[place])


def _joined(phase: Integers, largest: int, out: Integers) -> int:
    """The integers with these residues, by mixed radix, if no highest digit is larger than ``largest``."""
    first, second, third = DATA.primes
    low = phase[0] % first
    middle = (phase[1] - low) * pow(first, -1, second) % second
    low += middle * first
    high = (phase[2] - low) % third * pow(first * second, -1, third) % third
    high[2 * high > third] -= third
    out[...] = low + high * (first * second)
    return _NO_MASK if (np.abs(high) > largest).any() else _OPENED


# --- division by the special prime -----------------------------------------------------------------------


def _rounded_down(coefficients: Integers, errors: Coefficients) -> Integers:
    """round((c + e)/special) modulo each prime, from residues (4, …) of c and small integers e (…)."""
    remainder = _centred_remainder(coefficients[-1], errors)
    return _reduce((coefficients[:-1] + errors - remainder) * _SPECIAL_INVERSES, _PRIMES)


def _lowered(words: Integers, errors: Coefficients) -> Integers:
    """What is left to divide, (3, 4096): words of c + e less its remainder, from words (4, 4096) of c."""
    remainder = _centred_remainder(_inverse(words[-1:], last=True)[0], errors)
    return words[:-1] + _forward(errors - remainder, len(DATA.primes))


def _centred_remainder(residues: Integers, errors: Coefficients) -> Integers:
    """``residues`` + ``errors`` modulo the special prime, about zero; the errors are small."""
    remainder = residues + errors
    remainder -= SPECIAL_PRIME * (2 * remainder > SPECIAL_PRIME)
    return remainder


def _forward(coefficients: Coefficients, primes: int) -> Integers:
    """Words (primes, 4096) of integers modulo the first so many primes."""
    return np.stack([ring.forward(coefficients) for ring in _RINGS[:primes]]).astype(np.int64)


def _inverse(words: Integers, *, last: bool = False) -> Integers:
    """Coefficients of words row by row, for all primes or for the last."""
    rings = _RINGS[-1:] if last else _RINGS
    return np.stack([ring.inverse(row.astype(np.uint32)) for ring, row in zip(rings, words, strict=True)])


def _reduce(values: Integers, primes: Integers) -> Integers:
    """``values`` (…, primes, n) modulo each prime, in [0, prime); in place, row by row, where a scalar divides fast."""
    for row, prime in enumerate(primes[:, 0].tolist()):
        part = values[..., row, :]
        part -= part // prime * prime
    return values
