"""What the key holder opens in a gallery query, a pair of places at a time: in C, or in NumPy with equal results."""

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import choice, threads
from veilface.kernel.roots import Roots, Words, forward_roots, inverse_roots
from veilface.kernel.sampling import Small
from veilface.kernel.slots import TURNS
from veilface.keyholder import plain_opening
from veilface.protect.gallery import RESULT, SCAN, SLOTS, GallerySecretKey

_KERNEL: ModuleType = choice.compiled or plain_opening
_LEVEL: int = choice.level
_SCAN: Final = inverse_roots(SCAN.prime, SCAN.n)


def reshared(secret: GallerySecretKey, shares: Words, second: Words, noise: Small) -> Words:
    """First components (pairs, 2, 3, 4096) of U and K: the shares in ``shares`` (places, 3, 2048) and their wrap bits.

    Places 2i and 2i + 1 are real and imaginary parts. ``second`` components (3, pairs, 2, 4096); ``noise``
    (pairs, 2, 4096), the errors of the encryptions.
    """
    out = np.empty((*noise.shape[:2], len(RESULT), RESULT[0].n), np.uint32)
    sealing, (scan, result) = _result_roots(forward_roots), (secret.scan, secret.result)
    _KERNEL.reshare(
        shares, scan, result, _SCAN.powers, _SCAN.quotients, *sealing, TURNS, second, noise, out, threads.here(), _LEVEL
    )
    return out


def answers(secret: GallerySecretKey, blinded: Words) -> NDArray[np.float64]:
    """The blinded scores (places, 2048) in ``blinded`` (pairs, 3, 3, 4096)."""
    out = np.empty((2 * len(blinded), SLOTS))
    opening = _result_roots(inverse_roots)
    _KERNEL.answer(blinded, secret.result, *opening, TURNS, out, threads.here(), _LEVEL)
    return out


@cache
def _result_roots(table: Callable[[int, int], Roots]) -> tuple[Words, Words]:
    """Powers and quotients, (3, 4096) each."""
    tables = [table(ring.prime, ring.n) for ring in RESULT]
    return np.stack([roots.powers for roots in tables]), np.stack([roots.quotients for roots in tables])
