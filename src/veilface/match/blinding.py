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

from veilface.kernel.slots import Reals
from veilface.kernel.threads import spread
from veilface.match import masking
from veilface.match.gallery_errors import QueryMasksSpent
from veilface.match.masking import Halves, Places, Zeros
from veilface.protect.gallery import RESULT, SCAN, SHARES_A_COSINE, SLOTS, Bits, GalleryPublicKey, few
from veilface.protect.stream import Integers, Stream
from veilface.protect.word_ring import Words

EXPONENT_MIN: Final = 19
EXPONENT_SPAN: Final = 36
IMPOSTOR_SIGMA: Final = 0.1
"""How cosines of strangers scatter about zero: what an empty slot looks like."""


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

    def shuffled(self, live: Bits) -> Bits:
        """Bits (places, 2048) where they stand, of bits (blocks, 2048); none where there is no block."""
        moved = np.zeros((len(self.order), SLOTS), np.bool_)
        for place in np.flatnonzero(self.order < len(live)):
            moved[place] = np.roll(live[self.order[place]], self.rotation[place])
        return moved

    def origin(self, place: int, index: int) -> tuple[int, int]:
        """The block and slot behind a position of the key holder's answer."""
        return int(self.order[place]), int((index - self.rotation[place]) % SLOTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The matcher's half of every score: ``masks`` words (places, 3, 2048) and shares (places, 2048)."""

    masks: Words
    share: Halves


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
    shuffle = Shuffle.draw(len(live), Stream())
    shares, shuffled = _draw_shares(len(shuffle.order), public_key), shuffle.shuffled(live)
    return QueryMasks(
        generation=generation,
        threshold=threshold,
        public_key=public_key,
        shuffle=shuffle,
        shares=shares,
        live=shuffled,
        blinding=blind(shares, shuffle, shuffled, public_key, threshold),
    )


def _draw_shares(places: int, public_key: GalleryPublicKey) -> Shares:
    """What is added to a score ciphertext: a uniform number, and two encryptions of zero."""
    masks, shares = np.empty((places, 3, SLOTS), np.uint32), np.empty((places, SLOTS), np.uint16)

    def draw(part: slice) -> None:
        stream, out = Stream(), masks[part]
        uniform = stream.words(SCAN.prime, (len(out), SLOTS))
        zeros = Zeros.draw(len(out), SCAN.n, stream)
        masking.masks(uniform, public_key.scan, zeros, out, shares[part])

    spread(draw, few(places))
    return Shares(masks=masks, share=shares)


# --- the factors, the constants and the zeros of the second leg ---------------------------------------------


def blind(shares: Shares, shuffle: Shuffle, live: Bits, public_key: GalleryPublicKey, threshold: float) -> Blinding:
    """Fresh factors ρ = 2^(19+e) for every slot, and what makes of a share ρ·(score − θ): exact modulo Q.

    Two places form the real and the imaginary part of one pair.
    """
    pairs, polynomial = len(live) // 2, (len(RESULT), RESULT[0].n)
    factors, sums = (np.empty((pairs, count, *polynomial), np.uint32) for count in (4, 3))

    def make(part: slice) -> None:
        stream, places = Stream(), slice(2 * part.start, 2 * part.stop)
        taken = live[places]
        drawn = Places(
            factors=factors_of(stream.fractions(taken.shape), stream.fractions(taken.shape)),
            dither=stream.fractions(taken.shape),
            decoys=_decoys(stream, taken, threshold),
            live=taken,
            shares=shares.share[places],
            rotations=shuffle.rotation[places],
        )
        zeros = Zeros.draw(len(taken) // 2, RESULT[0].n, stream)
        masking.factors(drawn, threshold=threshold, key=public_key.result, zeros=zeros, out=(factors[part], sums[part]))

    spread(make, few(pairs))
    return Blinding(factors=factors, sums=sums)


def factors_of(positions: Reals, chances: Reals) -> Reals:
    """ρ = 2^(19+e), e in [0, 36] with density (1 − cos(2πe/36))/36, from two numbers each, uniform in [0, 1).

    A position x is kept with a chance of sin²(πx), and otherwise moved by a half: sin²(πx) and 1 − sin²(π(x − ½)) come
    to 1 − cos(2πx), with nothing to look up and nobody to ask again.
    """
    exponents = positions + 0.5 * (chances >= np.sin(np.pi * positions) ** 2)
    exponents -= exponents >= 1
    factors: Reals = np.exp2(EXPONENT_MIN + EXPONENT_SPAN * exponents)
    return factors


def _decoys(stream: Stream, live: Bits, threshold: float) -> Reals:
    """θ − s in share units, for s as strangers score and never above θ: what stands in an empty slot. Elsewhere 0."""
    decoys, empty = np.zeros(live.shape), ~live
    radius, turn = (stream.fractions(int(np.count_nonzero(empty))) for _ in range(2))
    normal = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * turn)
    decoys[empty] = np.abs(threshold - np.minimum(IMPOSTOR_SIGMA * normal, threshold)) * SHARES_A_COSINE + 1
    return decoys
