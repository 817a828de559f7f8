"""Encryptions of zero and masks, made before they are needed (protocol §6).

They depend on nothing but the public key, and they are most of the work: so they are made while the person is
still in front of the camera. A set is used once. Noise beside products of scale Δ² may be rough
(:meth:`~veilface.protect.rlwe.PublicKey.rough_zero`); the zero that re-randomises a probe may not.
"""

import math
import secrets
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Final, Literal

import numpy as np

from veilface.kernel.roots import Words
from veilface.match.errors import MasksDoNotFit, MasksSpent
from veilface.protect.ring import DATA, N, conjugated, functional
from veilface.protect.rlwe import SCORE_COEFFICIENT, PublicKey

Purpose = Literal["enrol", "verify"]

EXPONENT_MAX: Final = 32
LIFETIME_S: Final = 90.0
CAPACITY: Final = 64
WAITING_FOR_ONE: Final = 2

_PRIMES: Final = np.repeat(np.array(DATA.primes, np.uint32), N)
_BITS: Final = np.repeat(np.array([(1 << prime.bit_length()) - 1 for prime in DATA.primes], np.uint32), N)
"""The prime of every word of a polynomial, and as many ones as it has bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """What one evaluation adds, as words, and the blinding factor ρ (verification only).

    ``refresh`` is reduced; words of ``norm`` and ``score`` are sums of at most three residues, below 2^26.
    """

    refresh: Words
    norm: Words
    score: Words
    blinding: int


class MaskSet:
    """Masks for one evaluation; :meth:`spend` gives them out once."""

    __slots__ = ("_lock", "_masks", "purpose")

    def __init__(self, purpose: Purpose, masks: Masks) -> None:
        self.purpose: Final = purpose
        self._masks: Masks | None = masks
        self._lock = Lock()

    def spend(self, purpose: Purpose) -> Masks:
        """Give the masks out; raises :class:`MasksSpent` the second time, :class:`MasksDoNotFit` before the first."""
        if purpose != self.purpose:
            raise MasksDoNotFit(got=self.purpose, expected=purpose)
        with self._lock:
            masks, self._masks = self._masks, None
        if masks is None:
            raise MasksSpent
        return masks


def prepare(public_key: bytes, *, purpose: Purpose) -> MaskSet:
    """Make a mask set for an account's key (98,304 B): 4 encryptions of zero to enrol, 6 to verify.

    Raises :class:`~veilface.protect.errors.MalformedCiphertext` for bytes that are no public key.
    """
    key = _parsed(public_key)
    masks = Masks(
        refresh=key.zero_words().copy(),
        norm=_norm_mask(key),
        score=_score_mask(key) if purpose == "verify" else np.zeros(0, np.uint32),
        blinding=blinding_factor(),
    )
    return MaskSet(purpose, masks)


def _norm_mask(key: PublicKey) -> Words:
    """(z0 + σz′0 + M_0, z1 + σz″0, σz′1, σz″1), (4, 3, 4096): zero but for M_0, in the basis 1, s, σs, s·σs."""
    mask = np.empty((4, len(DATA.primes), N), np.uint32)
    mask[:2] = key.rough_zero_words()
    for row in (0, 1):  # one zero at a time, so that SEAL's next lies where its last one was
        conjugate = conjugated(key.rough_zero_words())
        mask[row] += conjugate[0]
        mask[row + 2] = conjugate[1]
    mask[0] += uniform_without(0)
    return mask


def _score_mask(key: PublicKey) -> Words:
    """(z0 + M_127, z1 + z′0, z′1), (3, 3, 4096): zero but for M_127, in the basis 1, s, s²."""
    mask = np.empty((3, len(DATA.primes), N), np.uint32)
    mask[:2] = key.rough_zero_words()
    lifted = key.rough_zero_words()
    mask[1] += lifted[0]
    mask[2] = lifted[1]
    mask[0] += uniform_without(SCORE_COEFFICIENT)
    return mask


def uniform_without(power: int) -> Words:
    """M_k: NTT words (3, 4096) of a polynomial uniform mod q, but for coefficient ``power``, which is 0.

    Coefficient k is a weighted sum of the words, and word 0 has an invertible weight: so every choice of the other
    words has exactly one word 0 that makes the sum 0. Words 1 … 4095 are uniform, and word 0 follows from them.
    """
    words = _uniform_words()
    weights = functional(DATA, power)
    rest = np.einsum("pi,pi->p", words[:, 1:], weights[:, 1:])  # below 4096 · 2^48 = 2^60
    for row, (prime, weight) in enumerate(zip(DATA.primes, weights[:, 0], strict=True)):
        words[row, 0] = -int(rest[row]) * pow(int(weight), -1, prime) % prime
    return words


def _uniform_words() -> Words:
    """Uniform words (3, 4096) from the operating system's generator: too large ones are drawn again."""
    words = _random_bits(_BITS)
    while len(large := np.flatnonzero(words >= _PRIMES)):
        words[large] = _random_bits(_BITS[large])
    return words.reshape(len(DATA.primes), N)


def _random_bits(bits: Words) -> Words:
    """Uniform integers below 1 + each of ``bits``, at most 2^24 − 1, which are all ones."""
    # Overlapping 4-byte reads at a stride of 3; the spare last byte keeps the final read inside the buffer.
    drawn = secrets.token_bytes(3 * len(bits) + 1)
    overlapping = np.ndarray(bits.shape, "<u4", buffer=drawn, strides=(3,))
    return overlapping & bits


def blinding_factor() -> int:
    """ρ = ⌊2^e⌋ with e in [0, 32] of density (1 − cos(2πe/32))/32, from 53 fresh random bits."""
    return math.floor(math.exp2(blinding_exponent(secrets.randbits(53) / (1 << 53))))


def blinding_exponent(quantile: float) -> float:
    """The e with e/32 − sin(2πe/32)/2π = ``quantile`` in [0, 1): bisected to the last bit of a double."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if middle - math.sin(2 * math.pi * middle) / (2 * math.pi) < quantile:
            low = middle
        else:
            high = middle
    return EXPONENT_MAX * (low + high) / 2


@lru_cache(maxsize=128)
def _parsed(public_key: bytes) -> PublicKey:
    """Parsed keys of accounts seen lately: parsing one costs as much as a quarter of a zero."""
    return PublicKey(public_key)


# --- preparation in the background -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    future: Future[MaskSet]
    expires: float
    share: tuple[Hashable, Purpose]


class MaskPool:
    """Mask sets in preparation, each under the key of one challenge; at most ``capacity``, each for 90 seconds.

    At most two wait for one owner (an account) and purpose, the newest in the oldest's place: whoever asks for
    challenges without end spoils only their own, and keeps nobody else's waiting behind more than two.
    """

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        lifetime_s: float = LIFETIME_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._waiting: dict[Hashable, _Waiting] = {}  # oldest first
        self._lock = Lock()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="veilface-masks")

    def prepare_soon(self, key: Hashable, public_key: bytes, purpose: Purpose, *, owner: Hashable) -> bool:
        """Start preparing for ``key``; False where the pool is full or ``key`` is known – nothing is lost then."""
        with self._lock:
            self._drop_expired()
            if key in self._waiting:
                return False
            self._make_room((owner, purpose))
            if len(self._waiting) >= self._capacity:
                return False
            future = self._executor.submit(prepare, public_key, purpose=purpose)
            expires = self._clock() + self._lifetime_s
            self._waiting[key] = _Waiting(future=future, expires=expires, share=(owner, purpose))
        return True

    def take(self, key: Hashable) -> MaskSet | None:
        """The set prepared for ``key``, once; None where there is none in time and the caller should make one.

        Waits for a preparation that is under way – it is at least as fast as starting another – and takes back
        one that still queues behind others.
        """
        with self._lock:
            self._drop_expired()
            waiting = self._waiting.pop(key, None)
        if waiting is None or waiting.future.cancel() or waiting.future.exception() is not None:
            return None
        return waiting.future.result()

    def close(self) -> None:
        """Drop what waits and stop the worker."""
        with self._lock:
            self._waiting.clear()
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _make_room(self, share: tuple[Hashable, Purpose]) -> None:
        keys = [key for key, waiting in self._waiting.items() if waiting.share == share]
        self._drop(keys[: max(0, len(keys) + 1 - WAITING_FOR_ONE)])

    def _drop_expired(self) -> None:
        now = self._clock()
        self._drop([key for key, waiting in self._waiting.items() if waiting.expires <= now])

    def _drop(self, keys: list[Hashable]) -> None:
        for key in keys:
            self._waiting.pop(key).future.cancel()
