"""Handing coordinates over blindly, word by word and many at once: in C, or in NumPy with equal results (protocol §9).

The matcher hides 128 coefficients of suite-0x01 ciphertexts under masks; the key holder opens what is hidden. Both do
so for every template of a gallery, so wire bytes go in and nothing is made on the way that need not be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import choice
from veilface.kernel.roots import forward_roots, inverse_roots
from veilface.kernel.sampling import Small
from veilface.protect import plain_conversion
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import MASK_BOUND, Masked, require_words
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.ring import DATA, KEY, N
from veilface.protect.rlwe import (
    CIPHERTEXT_BYTES,
    PUBLIC_KEY_BYTES,
    SECRET_KEY_BYTES,
    parse_residues,
    ternary_coefficients,
)
from veilface.protect.stream import Integers, Stream
from veilface.protect.word_ring import Words

_KERNEL: ModuleType = choice.compiled or plain_conversion
_LEVEL: int = choice.level

OPENED: Final = 0
MALFORMED: Final = 1
_LARGEST_DIGIT: Final = 2 * MASK_BOUND // (DATA.primes[0] * DATA.primes[1])
"""Of what a mask and a coordinate come to, in units of the first two primes' product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What hides some ciphertexts: ternary ``secrets`` (count, 4096), ``errors`` (count, 128 + 4096), ``masks`` r.

    The masks (count, 128) are in [0, 2^59).
    """

    secrets: Small
    errors: Small
    masks: Integers

    @classmethod
    def draw(cls, count: int, stream: Stream) -> Self:
        return cls(
            secrets=stream.ternary((count, N)),
            errors=stream.errors((count, DIMENSION + N)),
            masks=stream.uniform(MASK_BOUND, (count, DIMENSION)),
        )


def mask(
    ciphertexts: Sequence[bytes], keys: Sequence[bytes], samples: Samples, *, threads: int = 1
) -> tuple[Words, Words]:
    """Residues (count, 3, 128) and words (count, 3, 4096): the two components of what the key holder may have.

    The public keys (98,304 B each) are those that the ciphertexts (73,728 B each) are under. Raises
    :class:`MalformedCiphertext`.
    """
    choice.say_what_computes()
    count, rows = len(ciphertexts), len(DATA.primes)
    first, second = np.empty((count, rows, DIMENSION), np.uint32), np.empty((count, rows, N), np.uint32)
    sound = np.zeros(count, np.uint8)
    if _have_their_size(ciphertexts, keys):
        drawn = samples.secrets, samples.errors, samples.masks
        _KERNEL.mask_coordinates(ciphertexts, keys, *drawn, roots(), first, second, sound, threads, _LEVEL)
    for place in np.flatnonzero(sound == 0).tolist():
        parse_residues(ciphertexts[place], components=2)
        parse_residues(keys[place], components=2, basis=KEY)
    return first, second


def open_masked(
    secrets: Sequence[bytes], hidden: Sequence[Masked], *, threads: int = 1
) -> tuple[Integers, NDArray[np.bool_]]:
    """The masked integers (count, 128), and of which of them a mask can have made all.

    Secrets are packed (1,024 B each). Raises :class:`MalformedCiphertext` for words of another shape or not below
    their primes, and for a secret that is none.
    """
    for one in hidden:
        _require_shape(one.first, DIMENSION)
        _require_shape(one.second, N)
    if not all(len(secret) == SECRET_KEY_BYTES for secret in secrets):
        raise MalformedCiphertext(got="another length", expected=f"{SECRET_KEY_BYTES} B")
    out, found = np.empty((len(hidden), DIMENSION), np.int64), np.zeros(len(hidden), np.uint8)
    parts = [one.first for one in hidden], [one.second for one in hidden]
    _KERNEL.open_coordinates(secrets, *parts, _LARGEST_DIGIT, roots(), out, found, threads, _LEVEL)
    for place in np.flatnonzero(found == MALFORMED).tolist():
        require_words(hidden[place].second, (len(DATA.primes), N), *DATA.primes)
        require_words(hidden[place].first, (len(DATA.primes), DIMENSION), *DATA.primes)
        ternary_coefficients(secrets[place])
    return out, found == OPENED


@cache
def roots() -> Words:
    """Powers and quotients, forward and inverse, for each prime of a key: (4, 2, 2, 4096)."""
    tables = [[forward_roots(prime, N), inverse_roots(prime, N)] for prime in KEY.primes]
    return np.array([[[table.powers, table.quotients] for table in pair] for pair in tables])


def _have_their_size(ciphertexts: Sequence[bytes], keys: Sequence[bytes]) -> bool:
    return all(len(one) == CIPHERTEXT_BYTES for one in ciphertexts) and all(
        len(key) == PUBLIC_KEY_BYTES for key in keys
    )


def _require_shape(words: Words, n: int) -> None:
    if words.dtype != np.uint32 or words.shape != (len(DATA.primes), n) or not words.flags.c_contiguous:
        raise MalformedCiphertext(got=f"{words.dtype} {words.shape}", expected=f"uint32 {(len(DATA.primes), n)}")
