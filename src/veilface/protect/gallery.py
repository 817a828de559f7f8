"""Gallery mode, as both sides know it: two rings, their keys, the fixed point of shares, and slots (ADR 9).

The matcher scans under the *scan* key (n = 2048, one prime) and blinds under the *result* key (n = 4096, three
primes). The key holder has both secrets; each has a public key, with which the matcher encrypts zeros.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from veilface.kernel.sampling import Small
from veilface.protect import sealing, word_ring
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.stream import Integers, Stream, fresh_seed
from veilface.protect.word_ring import WordRing, Words, mirrored, products

SCAN: Final = word_ring.SCAN
RESULT: Final = word_ring.RESULT
SLOTS: Final = SCAN.n
"""Templates of a block, and complex slots of a result: two blocks, as real and imaginary parts, share one."""

TEMPLATE_DIVISOR: Final = 13
PROBE_FACTOR: Final = 3
SCORE_SCALE: Final = (1 << 30) * PROBE_FACTOR / TEMPLATE_DIVISOR
"""D: a cosine of 1 after the scan."""
SHARE_MODULUS: Final = 1 << 12
SCAN_OFFSET: Final = int(1.03 * SCORE_SCALE)
"""V: what makes every score of a sound probe positive."""
SHARE_OFFSET: Final = SCAN_OFFSET * SHARE_MODULUS / SCAN.prime
WRAP: Final = int(np.ceil(2 * SHARE_OFFSET)) + 3
"""S: a shifted score in share units is below it, and twice it is at most the share modulus."""
SHARES_A_COSINE: Final = SCORE_SCALE * SHARE_MODULUS / SCAN.prime
SLOT_SCALE: Final = 1 << 9
MOST_HITS: Final = 4
MASK_BOUND: Final = 1 << 59
"""Of the masks under which coordinates are converted: a coordinate below 2^15 hides to 2^−43 in one."""

Bits = NDArray[np.bool_]


# --- messages --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A suite-0x01 ciphertext of which the key holder can open 128 coefficients, each under a mask.

    ``key_fp`` (32 B) – the public key it is under; ``second`` – the second component, words (3, 4096);
    ``first`` – residues (3, 128), the coefficients of the first component that carry coordinates, masked. No other
    coefficient of the first component is ever sent.
    """

    key_fp: bytes
    second: Words
    first: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """Fresh symmetric encryptions under the scan key: ``first`` words (d, 2048), second components from ``seed``."""

    first: Words
    seed: bytes

    def words(self) -> Words:
        """The ciphertexts, (2, d, 2048)."""
        words = np.empty((2, *self.first.shape), np.uint32)
        words[0] = self.first
        Stream(self.seed).fill(SCAN.prime, words[1])
        return words


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBlock:
    """A block as the key holder made it, still under the masks; ``refused`` slots held nothing it could open."""

    sealed: Sealed
    refused: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One query begun at the key holder: its id (16 B) and the probe under the scan key, still masked."""

    query: bytes
    sealed: Sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Reshared:
    """Encryptions U of the shares and K of the wrap bits, a pair for each pair of blocks.

    ``first`` words (pairs, 2, 3, 4096); the second components come from ``seed``, see :meth:`second`.
    """

    first: Words
    seed: bytes

    def second(self) -> Words:
        """The second components, (3, pairs, 2, 4096)."""
        return seeded_results(self.seed, self.first.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the key holder tells of one query: nobody, too many, or where.

    ``positions`` – (block, slot) in the shuffled order, 1 to 4 of them for ``hits`` and none otherwise.
    """

    outcome: Literal["none", "hits", "ambiguous"]
    positions: tuple[tuple[int, int], ...] = ()


def require_words(words: Words, shape: tuple[int, ...], *bounds: int) -> None:
    """Refuse words of another shape, or not below their bound; ``bounds`` go with the last axis but one.

    Raises :class:`MalformedCiphertext`.
    """
    if words.dtype != np.uint32 or words.shape != shape:
        raise MalformedCiphertext(got=f"{words.dtype} {words.shape}", expected=f"uint32 {shape}")
    if words.size and (words.max(axis=-1) >= np.array(bounds, np.uint32)).any():
        raise MalformedCiphertext(got="word >= prime", expected="words below their primes")


# --- keys ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochKeys:
    """What the matcher knows of an epoch: the key of zeros, and the suite-0x01 key (98,304 B) of probes."""

    epoch: int
    zeros: "GalleryPublicKey"
    probes: bytes

    @property
    def scan_fp(self) -> bytes:
        """SHA-256 of the key that is scanned under: under another one, a block is noise."""
        return sha256(self.zeros.scan.astype("<u4").tobytes()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryPublicKey:
    """Encrypts zeros: ``scan`` words (2, 2048) and ``result`` words (2, 3, 4096), each (b, a) with b = e − a·s."""

    scan: Words
    result: Words


class GallerySecretKey:
    """The two ternary secrets of a gallery's epoch. Never printed, pickled or compared.

    NTT words: ``scan`` (2, 2048), s and s²; ``result`` (3, 4096), s modulo each prime.
    """

    __slots__ = ("_drawn_from", "result", "scan")

    def __init__(self, packed: bytes) -> None:
        """Take :meth:`generate`'s bytes; raises :class:`MalformedCiphertext`."""
        digits = np.frombuffer(packed, np.int8)
        if len(digits) != SECRET_BYTES or (np.abs(digits) > 1).any():
            raise MalformedCiphertext(got=f"{len(digits)} B", expected=f"{SECRET_BYTES} ternary digits")
        coefficients = digits.astype(np.int64)
        scan = SCAN.forward(coefficients[: SCAN.n])
        self.scan: Final = np.stack([scan, SCAN.multiply(scan, scan).astype(np.uint32)])
        self.result: Final = np.stack([ring.forward(coefficients[SCAN.n :]) for ring in RESULT])
        self._drawn_from: Final = sha256(b"VFGALLERYKEY" + packed).digest()

    @staticmethod
    def generate() -> bytes:
        """Fresh secrets, one int8 a coefficient: scan, then result; for wrapping, never for a wire."""
        return Stream().ternary(SECRET_BYTES).tobytes()

    def public_key(self) -> GalleryPublicKey:
        """The public key of both, the same each time: what is packed under it is known by its fingerprint."""
        stream = Stream(self._drawn_from)
        second, noise = stream.words(SCAN.prime, (1, SCAN.n)), stream.errors((1, SCAN.n))
        scan = sealing.sealed(np.zeros((1, SCAN.n), np.int64), noise, second, self.scan[0])
        seconds = np.stack([stream.words(ring.prime, (1, ring.n)) for ring in RESULT], axis=1)
        result = self._sealed_results(stream.errors((1, RESULT[0].n)).astype(np.int64), seconds)
        return GalleryPublicKey(scan=np.concatenate([scan, second]), result=result[0])

    def seal(self, messages: Integers) -> Sealed:
        """Encrypt coefficients (d, 2048) of size below 2^30 afresh under the scan key."""
        seed, noise = fresh_seed(), Stream().errors(messages.shape)
        return Sealed(first=sealing.sealed(messages, noise, seeded_words(seed, len(messages)), self.scan[0]), seed=seed)

    def seal_results(self, messages: Integers, second: Words) -> Words:
        """Encrypt coefficients (count, 4096) under the result key with these second components: (count, 2, 3, 4096)."""
        return self._sealed_results(messages + Stream().errors(messages.shape), second)

    def _sealed_results(self, noisy: Integers, second: Words) -> Words:
        made = np.stack([np.empty_like(second), second], axis=1)
        for row, ring in enumerate(RESULT):
            drawn = ring.multiply(second[:, row], self.result[row])
            made[:, 0, row] = ring.reduce(ring.forward(noisy).astype(np.int64) - drawn)
        return made

    def open_scan(self, words: Words) -> Integers:
        """Coefficients (blocks, 2048) in [0, q) of size-3 ciphertexts (blocks, 3, 2048)."""
        return open_scan(words, self.scan)

    def open_results(self, words: Words) -> NDArray[np.float64]:
        """Coefficients (pairs, 4096), centred and rounded to float64, of words (pairs, 3, 3, 4096) under (1, s, σs)."""
        return open_results(words, self.result)

    def __repr__(self) -> str:
        return "GallerySecretKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret key is not pickled")


SECRET_BYTES: Final = SCAN.n + RESULT[0].n


def scan_zeros(key: Words, messages: Integers, secrets: Small, errors: Small) -> Words:
    """Encryptions (…, 2, 2048) of ``messages`` (…, 2048), of size below 2^30, under a public ``key`` (2, 2048).

    From ternary ``secrets`` (…, 2048) and ``errors`` (…, 2, 2048).
    """
    lifted = SCAN.forward(secrets)
    first, second = SCAN.forward(messages + errors[..., 0, :]), SCAN.forward(errors[..., 1, :])
    return np.stack([_fused(SCAN, lifted, key[0], first), _fused(SCAN, lifted, key[1], second)], -2)


def result_zeros(key: Words, secrets: Small, errors: Small) -> Words:
    """Encryptions (…, 2, 3, 4096) of zero under a public ``key`` (2, 3, 4096); samples as in :func:`scan_zeros`."""
    made = np.empty((*errors.shape[:-1], len(RESULT), RESULT[0].n), np.uint32)
    for row, ring in enumerate(RESULT):
        lifted = ring.forward(secrets)
        for component in range(2):
            noise = ring.forward(errors[..., component, :])
            made[..., component, row, :] = _fused(ring, lifted, key[component, row], noise)
    return made


def open_scan(words: Words, secrets: Words) -> Integers:
    """What :meth:`GallerySecretKey.open_scan` opens with s and s², words (2, 2048)."""
    phase = products(words[:, 1], secrets[0]) + products(words[:, 2], secrets[1]) + words[:, 0]
    return SCAN.inverse(SCAN.reduce(phase).astype(np.uint32))


def open_results(words: Words, secrets: Words) -> NDArray[np.float64]:
    """What :meth:`GallerySecretKey.open_results` opens with s, words (3, 4096)."""
    residues = []
    for row, (ring, secret) in enumerate(zip(RESULT, secrets, strict=True)):
        phase = products(words[:, 1, row], secret) + products(words[:, 2, row], mirrored(secret)) + words[:, 0, row]
        residues.append(ring.inverse(ring.reduce(phase).astype(np.uint32)))
    return _centred(residues)


def seeded_words(seed: bytes, count: int) -> Words:
    """Second components (count, 2048) under the scan key."""
    return Stream(seed).words(SCAN.prime, (count, SCAN.n))


def seeded_results(seed: bytes, pairs: int) -> Words:
    """Second components (3, pairs, 2, 4096) under the result key."""
    stream, drawn = Stream(seed), np.empty((len(RESULT), pairs, 2, RESULT[0].n), np.uint32)
    for ring, words in zip(RESULT, drawn, strict=True):
        stream.fill(ring.prime, words)
    return drawn


def few(count: int) -> Iterator[slice]:
    """Slices of few polynomials each, so that what is computed on stays in the cache."""
    return (slice(start, start + _TOGETHER) for start in range(0, count, _TOGETHER))


_TOGETHER: Final = 4

# --- shares ----------------------------------------------------------------------------------------------


def share(values: Integers) -> Integers:
    """round(value·t/q) mod t of values in [0, q)."""
    return (values * (2 * SHARE_MODULUS) + SCAN.prime) // (2 * SCAN.prime) % SHARE_MODULUS


def _fused(ring: WordRing, first: Words, second: Words, added: Words) -> Words:
    return ring.reduce(products(first, second) + added.astype(np.int64)).astype(np.uint32)


def _centred(residues: list[Integers]) -> NDArray[np.float64]:
    """Mixed radix: v1 + v2·Q1 + v3·Q1·Q2 with v3 centred; the first two are exact below 2^53."""
    first, second, third = (ring.prime for ring in RESULT)
    middle = (residues[1] - residues[0]) * pow(first, -1, second) % second
    low: Integers = residues[0] + middle * first
    high: Integers = (residues[2] - low) % third * pow(first * second, -1, third) % third
    high[2 * high > third] -= third
    return low + high * float(first * second)
