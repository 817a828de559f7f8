"""Handing coordinates over blindly: from a suite-0x01 ciphertext to the scan key of a gallery (protocol §9).

The matcher re-randomises the ciphertext and adds a mask r, uniform in [0, 2^59), to each of the 128 coefficients that
carry a coordinate. The key holder opens those, rescales the sum and encrypts it under the gallery's key; the matcher
takes the rescaled mask away. The other 3,968 coefficients are not sent at all, which hides them better than a mask.

The encryption of zero is made here rather than by SEAL, in a third of its time: of its first component no more than
128 coefficients are needed.
"""

from hashlib import sha256
from typing import Final

import numpy as np

from veilface.protect.gallery import MASK_BOUND, PROBE_FACTOR, SCAN, TEMPLATE_DIVISOR, Masked, Sealed
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.ring import DATA, KEY, SPECIAL_PRIME, N
from veilface.protect.rlwe import parse_integers
from veilface.protect.stream import Integers, Stream
from veilface.protect.word_ring import Coefficients, WordRing, Words

_RINGS: Final = tuple(WordRing(N, prime) for prime in KEY.primes)
_COLUMN: Final = np.array(KEY.primes, np.int64)[:, None]
_PRIMES: Final = _COLUMN[:-1]
_SPECIAL_INVERSES: Final = np.array([[pow(SPECIAL_PRIME, -1, prime)] for prime in DATA.primes], np.int64)


class SubjectKey:
    """An account's public key, or that of a gallery's probes, as words: (2, 4, 4096), the special prime last."""

    def __init__(self, data: bytes, fingerprint: bytes | None = None) -> None:
        """Take 98,304 wire bytes, and their SHA-256 where it is known; raises ``MalformedCiphertext``."""
        self.words: Final = parse_integers(data, components=2, basis=KEY).astype(np.int64)
        self.fingerprint: Final = fingerprint or sha256(data).digest()


def masked(ciphertext: bytes, key: SubjectKey, stream: Stream) -> tuple[Masked, Integers]:
    """What goes to the key holder for a template or a probe (73,728 B), and the masks r (128,) that stay here.

    Raises :class:`~veilface.protect.errors.MalformedCiphertext`.
    """
    words = parse_integers(ciphertext, components=2).astype(np.int64)
    lifted = _forward(stream.ternary(N), len(KEY.primes)) * key.words
    lifted[0, :-1] += words[0] * SPECIAL_PRIME
    _reduce(lifted, _COLUMN)
    first = _rounded_down(_inverse(lifted[0])[:, :DIMENSION], stream.errors(DIMENSION))
    masks = stream.uniform(MASK_BOUND, DIMENSION)
    first = _reduce(first + masks % _PRIMES, _PRIMES)
    second = _reduce(words[1] + _lowered(lifted[1], stream.errors(N)) * _SPECIAL_INVERSES, _PRIMES)
    return Masked(key_fp=key.fingerprint, first=first.astype(np.uint32), second=second.astype(np.uint32)), masks


def packed_templates(sealed: Sealed, masks: Integers) -> Words:
    """A block's ciphertexts (2, 128, 2048), coordinate by coordinate, from those under ``masks`` (128, 2048)."""
    words = sealed.words()
    words[0] = _less(words[0], SCAN.forward(rounded(masks)))
    return words


def converted_probe(sealed: Sealed, masks: Integers) -> Words:
    """Constant ciphertexts (2, 128, 2048) of three times each coordinate, from those under ``masks`` (128,).

    A constant is the same word everywhere. Coordinates of a probe stand in reverse order.
    """
    words = sealed.words()
    constants = SCAN.reduce(masks[::-1] * PROBE_FACTOR)
    words[0] = _less(words[0], constants[:, None])
    return words


def rounded(values: Integers) -> Integers:
    """round(value/13) modulo the scan's prime: what the key holder does to a masked coordinate."""
    return SCAN.reduce((2 * values + TEMPLATE_DIVISOR) // (2 * TEMPLATE_DIVISOR))


def _less(words: Words, masks: Words | Integers) -> Words:
    return SCAN.reduce(words.astype(np.int64) - masks).astype(np.uint32)


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
