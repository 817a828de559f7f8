"""What a gallery query hides behind, place by place and pair by pair: in C, or in NumPy with equal results (ADR 9)."""

from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import choice
from veilface.kernel.roots import Words, forward_roots
from veilface.kernel.sampling import Small
from veilface.kernel.slots import TURNS, Reals
from veilface.match import plain_masking
from veilface.protect.gallery import RESULT, SCAN, SCAN_OFFSET, SHARE_OFFSET, SHARES_A_COSINE, Bits
from veilface.protect.stream import Integers, Stream

Halves = NDArray[np.uint16]
"""Shares, numbers below 2^12."""

_KERNEL: ModuleType = choice.compiled or plain_masking
_LEVEL: int = choice.level
_SCAN: Final = forward_roots(SCAN.prime, SCAN.n)
_THREADS: Final = 1
"""Batches of places are what threads take here, for drawing is most of the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zeros:
    """What two encryptions of zero each are made from: ternary secrets (…, 2, n) and errors (…, 2, 2, n)."""

    secrets: Small
    errors: Small

    @classmethod
    def draw(cls, count: int, n: int, stream: Stream) -> Self:
        return cls(secrets=stream.ternary((count, 2, n)), errors=stream.errors((count, 2, 2, n)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What of some places goes into their factors and offsets, (places, 2048) each.

    ``factors`` ρ; ``dither`` in [0, 1); ``decoys``, what stands in empty slots; ``live`` – whether somebody is in a
    slot; ``shares`` – the matcher's; ``rotations`` (places,).
    """

    factors: Reals
    dither: Reals
    decoys: Reals
    live: Bits
    shares: Halves
    rotations: Integers


def masks(uniform: Words, key: Words, zeros: Zeros, out: Words, share: Halves) -> None:
    """Into ``out`` (places, 3, 2048) P0 = Z0 + r + V, P1 = Z1 + Z′0, P2 = Z′1, and into ``share`` what r is a share of.

    r is ``uniform`` (places, 2048); ``key`` (2, 2048) is public.
    """
    samples, roots = (zeros.secrets, zeros.errors), (_SCAN.powers, _SCAN.quotients)
    _KERNEL.mask_places(uniform, SCAN_OFFSET, key, *samples, *roots, out, share, _THREADS, _LEVEL)


def factors(places: Places, *, threshold: float, key: Words, zeros: Zeros, out: tuple[Words, Words]) -> None:
    """Into ``out`` factors (pairs, 4, 3, 4096) α, β, α′, β′ and sums (pairs, 3, 3, 4096) Y0 + Ȳ′0 − C, Y1, Ȳ′1.

    ``threshold`` – a cosine; ``key`` (2, 3, 4096) is public.
    """
    taken = (places.factors, places.dither, places.decoys, places.live.view(np.uint8), places.shares, places.rotations)
    numbers, samples = (SHARE_OFFSET, threshold * SHARES_A_COSINE), (zeros.secrets, zeros.errors)
    _KERNEL.blind_pairs(*taken, *numbers, key, *samples, *_result_roots(), TURNS, *out, _THREADS, _LEVEL)


@cache
def _result_roots() -> tuple[Words, Words]:
    tables = [forward_roots(ring.prime, ring.n) for ring in RESULT]
    return np.stack([roots.powers for roots in tables]), np.stack([roots.quotients for roots in tables])
