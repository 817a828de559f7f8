"""The matcher's two legs of a gallery query (ADR 9), one pass over memory each: in C, or in NumPy with equal words."""

from types import ModuleType
from typing import Final

import numpy as np

from veilface.kernel import choice, threads
from veilface.kernel.roots import Words, forward_roots
from veilface.match import plain_legs
from veilface.protect.gallery import SCAN
from veilface.protect.stream import Integers

_KERNEL: ModuleType = choice.compiled or plain_legs
_LEVEL: int = choice.level
_ROOTS: Final = forward_roots(SCAN.prime, SCAN.n).powers


def hidden(scores: Words, order: Integers, rotations: Integers, masks: Words) -> Words:
    """X^rotation·d + masks, (places, 3, 2048): place p holds block ``order[p]`` of scores (blocks, 3, 2048).

    A place of which ``order`` names no block has its masks alone. Rotations lie in [0, 4096).
    """
    out = np.empty_like(masks)
    _KERNEL.hide(scores, order, rotations, _ROOTS, masks, out, threads.here(), _LEVEL)
    return out


def blinded(first: Words, second: Words, factors: Words, sums: Words) -> Words:
    """(αU0 + α′K0 + βŪ0 + β′K̄0 + G0, αU1 + α′K1 + G1, βŪ1 + β′K̄1 + G2), (pairs, 3, 3, 4096).

    ``first`` (pairs, 2, 3, 4096) and ``second`` (3, pairs, 2, 4096): components of U and K. ``factors`` α, β, α′, β′
    (pairs, 4, 3, 4096); ``sums`` G (pairs, 3, 3, 4096).
    """
    out = np.empty_like(sums)
    _KERNEL.blind(first, second, factors, sums, out, threads.here(), _LEVEL)
    return out
