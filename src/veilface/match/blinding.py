"""What one gallery query hides behind: uniform shares, a shuffle, and a fresh factor for every score (ADR 9).

It depends on the gallery's layout and on nothing else, is made before the probe comes, and is used once: two answers
under the same masks would reveal differences of scores. It lives in memory only, so a crash cannot bring it back, and
it is of no use to a process that was forked off with a copy of it.
"""

import os
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.match.gallery_errors import QueryMasksSpent
from veilface.protect.gallery import (
    RESULT,
    SCAN,
    SCAN_OFFSET,
    SHARE_MODULUS,
    SHARE_OFFSET,
    SHARES_A_COSINE,
    SLOT_SCALE,
    SLOTS,
    WRAP,
    Bits,
    GalleryPublicKey,
    Slots,
    encode,
    few,
    from_slots,
    share,
)
from veilface.protect.stream import Integers, Stream
from veilface.protect.word_ring import WordRing, Words, mirrored, products

EXPONENT_MIN: Final = 19
EXPONENT_SPAN: Final = 36
IMPOSTOR_SIGMA: Final = 0.1
"""How cosines of strangers scatter about zero: what an empty slot looks like."""

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shuffle:
    """Where a score stands: place p holds block ``order[p]``, turned by ``rotation[p]`` in [0, 4096).

    An even number of places; the last blocks of an odd gallery's order are none of it and stay empty.
    """

    order: Integers
    rotation: Integers

    @classmethod
    def draw(cls, blocks: int, stream: Stream) -> "Shuffle":
        places = blocks + blocks % 2
        return cls(order=stream.permutation(places), rotation=stream.uniform(2 * SLOTS, places))

    def source(self) -> Integers:
        """The slot of its own block that stands at each index: (places, 2048)."""
        return (np.arange(SLOTS) - self.rotation[:, None]) % SLOTS

    def signs(self) -> Integers:
        """±1, the sign with which X^rotation brings it there: (places, 2048)."""
        return 1 - 2 * ((self.source() + self.rotation[:, None]) // SLOTS % 2)

    def origin(self, place: int, index: int) -> tuple[int, int]:
        """The block and slot behind a position of the key holder's answer."""
        return int(self.order[place]), int((index - self.rotation[place]) % SLOTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The matcher's half of every score: ``masks`` words (places, 3, 2048); share and wrap bit m, (places, 2048)."""

    masks: Words
    share: Integers
    wraps: Bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Blinding:
    """``factors`` words (pairs, 4, 3, 4096): α, β, α′, β′; ``sums`` words (pairs, 3, 3, 4096): G0, G1, G2."""

    factors: Words
    sums: Words


@dataclass(slots=True)
class QueryMasks:
    """Everything one query needs; :meth:`spend` lets it be used once, in the process that made it.

    ``generation`` – of the gallery's layout; ``live`` bits (places, 2048), in the shuffled order.
    """

    generation: int
    threshold: float
    public_key: GalleryPublicKey
    shuffle: Shuffle
    shares: Shares
    live: Bits
    blinding: Blinding
    _process: int = field(default_factory=os.getpid)
    _spent: bool = False
    _lock: Lock = field(default_factory=Lock)

    def spend(self) -> "QueryMasks":
        """Itself, once; raises :class:`QueryMasksSpent` ever after, and in any other process."""
        with self._lock:
            if self._spent or self._process != os.getpid():
                raise QueryMasksSpent
            self._spent = True
        return self

    def again(self, threshold: float) -> Blinding:
        """A fresh blinding of the same shares, for one more question about the same scores."""
        return blind(self.shares, self.shuffle, self.live, self.public_key, threshold)


def prepare(*, generation: int, live: Bits, public_key: GalleryPublicKey, threshold: float) -> QueryMasks:
    """Masks for a query of a gallery with ``live`` slots (blocks, 2048), at a cosine ``threshold``."""
    stream = Stream()
    shuffle = Shuffle.draw(len(live), stream)
    padded = np.zeros((len(shuffle.order), SLOTS), np.bool_)
    padded[: len(live)] = live
    shuffled = np.take_along_axis(padded[shuffle.order], shuffle.source(), axis=1)
    shares = _draw_shares(len(shuffle.order), public_key, stream)
    return QueryMasks(
        generation=generation,
        threshold=threshold,
        public_key=public_key,
        shuffle=shuffle,
        shares=shares,
        live=shuffled,
        blinding=blind(shares, shuffle, shuffled, public_key, threshold),
    )


def _draw_shares(places: int, public_key: GalleryPublicKey, stream: Stream) -> Shares:
    """P0 = Z0 + r + V, P1 = Z1 + Z′0, P2 = Z′1 with r uniform: what is added to a score ciphertext."""
    uniform = stream.uniform(SCAN.prime, (places, SLOTS))
    masked = public_key.scan_zeros(stream, (uniform + SCAN_OFFSET) % SCAN.prime)
    lifted = public_key.scan_zeros(stream, np.zeros_like(uniform))
    middle = SCAN.reduce(masked[:, 1].astype(np.int64) + lifted[:, 0])
    masks = np.stack([masked[:, 0], middle.astype(np.uint32), lifted[:, 1]], axis=1)
    shares = share(uniform)
    return Shares(masks=masks, share=shares, wraps=shares >= SHARE_MODULUS - WRAP)


# --- the factors, the constants and the zeros of the second leg ---------------------------------------------


def blind(shares: Shares, shuffle: Shuffle, live: Bits, public_key: GalleryPublicKey, threshold: float) -> Blinding:
    """Fresh factors ρ = 2^(19+e) for every slot, and what makes of a share ρ·(score − θ): exact modulo Q.

    Two places form the real and the imaginary part of one pair. C is the product of α, β with an integer polynomial,
    so what the factors really are after rounding does not matter.
    """
    stream, signs = Stream(), shuffle.signs()
    offset = shares.share + SHARE_OFFSET + signs * (threshold * SHARES_A_COSINE) + stream.fractions(live.shape) - 0.5
    batches = [
        _blind_pairs(
            signs[part], offset[part], shares.wraps[part], live[part], public_key, stream=stream, threshold=threshold
        )
        for part in few(len(live))
    ]
    factors, sums = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    return Blinding(factors=factors, sums=sums)


def _blind_pairs(
    signs: Integers,
    offset: Reals,
    wraps: Bits,
    live: Bits,
    public_key: GalleryPublicKey,
    *,
    threshold: float,
    stream: Stream,
) -> tuple[Words, Words]:
    """Factors and sums of some pairs of places, from arrays (2·pairs, 2048)."""
    rho = factors_of(stream.fractions(live.shape))
    real = rho * signs * live
    shown, wrapped = _conjugate_pair(real), _conjugate_pair(real * wraps)
    constant = encode(_paired(np.where(live, offset, 0.0)) * SLOT_SCALE)
    dead = _conjugate_pair(rho * ~live)
    decoy = encode(_paired(np.where(live, 0.0, _decoys(stream, live.shape, threshold))) * SLOT_SCALE)
    zeros, lifted = (public_key.result_zeros(stream, len(constant)) for _ in range(2))
    factors = np.empty((len(constant), 4, len(RESULT), RESULT[0].n), np.uint32)
    sums = np.empty((len(constant), 3, len(RESULT), RESULT[0].n), np.uint32)
    for row, ring in enumerate(RESULT):
        factors[:, :, row] = np.stack([_transformed(ring, poly) for poly in (*shown, *wrapped)], axis=1)
        total = _twice(factors[:, 0, row], factors[:, 1, row], ring.forward(constant))
        total += _twice(_transformed(ring, dead[0]), _transformed(ring, dead[1]), ring.forward(decoy))
        sums[:, 0, row] = ring.reduce(zeros[:, 0, row] + mirrored(lifted[:, 0, row]).astype(np.int64) - total)
    sums[:, 1], sums[:, 2] = zeros[:, 1], mirrored(lifted[:, 1])
    return factors, sums


def factors_of(quantiles: Reals) -> Reals:
    """ρ = 2^(19+e), e in [0, 36] with density (1 − cos(2πe/36))/36, from numbers uniform in [0, 1)."""
    return np.exp2(EXPONENT_MIN + EXPONENT_SPAN * np.interp(quantiles, _CUMULATED, _FINE))


def _decoys(stream: Stream, shape: tuple[int, ...], threshold: float) -> Reals:
    """θ − s in share units, for s as strangers score and never above θ: what stands in an empty slot."""
    radius = np.sqrt(-2 * np.log1p(-stream.fractions(shape)))
    score = np.minimum(IMPOSTOR_SIGMA * radius * np.cos(2 * np.pi * stream.fractions(shape)), threshold)
    missing: Reals = np.abs(threshold - score) * SHARES_A_COSINE
    return missing + 1


def _paired(values: Reals) -> Slots:
    """Places 2i and 2i + 1 as the real and imaginary part of one."""
    return values[0::2] + 1j * values[1::2]


def _conjugate_pair(values: Reals) -> tuple[Integers, Integers]:
    """α and β: α·W + β·W̄ multiplies real and imaginary parts by the values of the even and the odd place."""
    return _symmetric((values[0::2] + values[1::2]) / 2), _symmetric((values[0::2] - values[1::2]) / 2)


def _symmetric(slots: Reals) -> Integers:
    """The nearest integer polynomials with p(X⁻¹) = p(X), so that every slot is exactly real."""
    polynomials = np.rint(from_slots(slots.astype(np.complex128))).astype(np.int64)
    polynomials[..., SLOTS] = 0
    polynomials[..., SLOTS + 1 :] = -polynomials[..., SLOTS - 1 : 0 : -1]
    return polynomials


def _transformed(ring: WordRing, polynomials: Integers) -> Words:
    return ring.forward(polynomials % ring.prime)


def _twice(alpha: Words, beta: Words, words: Words) -> Integers:
    """α·W + β·W̄, not reduced, below 2^53."""
    return products(alpha, words) + products(beta, mirrored(words))


_FINE: Final = np.linspace(0, 1, 1 << 16)
_CUMULATED: Final = _FINE - np.sin(2 * np.pi * _FINE) / (2 * np.pi)
