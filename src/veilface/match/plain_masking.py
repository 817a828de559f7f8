"""What the kernel makes before a gallery query, in NumPy, for machines on which it could not be built.

The same signatures and, word for word, the same results.
"""

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import slots
from veilface.kernel.roots import Words
from veilface.kernel.sampling import Small
from veilface.kernel.slots import Reals
from veilface.protect.gallery import (
    RESULT,
    SCAN,
    SHARE_MODULUS,
    SLOT_SCALE,
    SLOTS,
    WRAP,
    few,
    result_zeros,
    scan_zeros,
    share,
)
from veilface.protect.stream import Integers
from veilface.protect.word_ring import mirrored, products


def mask_places(  # noqa: PLR0917 – the kernel's signature
    uniform: Words,
    offset: int,
    key: Words,
    secrets: Small,
    errors: Small,
    powers: Words,
    quotients: Words,
    out: Words,
    shares: NDArray[np.uint16],
    threads: int,
    level: int,
) -> None:
    """A few places at a time."""
    del powers, quotients, threads, level
    for places in few(len(out)):
        numbers = uniform[places].astype(np.int64)
        messages = np.stack([(numbers + offset) % SCAN.prime, np.zeros_like(numbers)], axis=1)
        zeros = scan_zeros(key, messages, secrets[places], errors[places])
        out[places, 0], out[places, 2] = zeros[:, 0, 0], zeros[:, 1, 1]
        out[places, 1] = SCAN.reduce(zeros[:, 0, 1].astype(np.int64) + zeros[:, 1, 0])
        shares[places] = share(numbers)


def blind_pairs(  # noqa: PLR0917 – the kernel's signature
    factors: Reals,
    dither: Reals,
    decoys: Reals,
    live: NDArray[np.uint8],
    shares: NDArray[np.uint16],
    rotations: Integers,
    offset: float,
    limit: float,
    key: Words,
    secrets: Small,
    errors: Small,
    powers: Words,
    quotients: Words,
    turns: Reals,
    out_factors: Words,
    out_sums: Words,
    threads: int,
    level: int,
) -> None:
    """Pair by pair. C is the product of α, β with an integer polynomial, so nothing of it is left to round."""
    del powers, quotients, turns, threads, level
    sources = (np.arange(SLOTS) - rotations[:, None]) % SLOTS
    signs = 1 - 2 * ((sources + rotations[:, None]) // SLOTS % 2)
    real: Reals = factors * signs * live
    offsets = np.where(live, shares + offset + signs * limit + dither - 0.5, 0.0)
    wraps, dead = shares >= SHARE_MODULUS - WRAP, factors * (live == 0)
    for pair, two in enumerate(slice(start, start + 2) for start in range(0, len(real), 2)):
        polynomials = (*_conjugate_pair(real[two]), *_conjugate_pair((real * wraps)[two]))
        empty = (*_conjugate_pair(dead[two]), _encoded(np.where(live, 0.0, decoys)[two]))
        zeros = result_zeros(key, secrets[pair], errors[pair])
        for row, ring in enumerate(RESULT):
            made = out_factors[pair, :, row]
            made[...] = [ring.forward(polynomial % ring.prime) for polynomial in polynomials]
            alpha, beta, decoy = (ring.forward(polynomial % ring.prime) for polynomial in empty)
            total = _twice(made[0], made[1], ring.forward(_encoded(offsets[two]))) + _twice(alpha, beta, decoy)
            first = zeros[0, 0, row] + mirrored(zeros[1, 0, row]).astype(np.int64)
            out_sums[pair, 0, row] = ring.reduce(first - total)
        out_sums[pair, 1], out_sums[pair, 2] = zeros[0, 1], mirrored(zeros[1, 1])


def _encoded(values: Reals) -> Integers:
    """The integer polynomial (4096,) nearest to the values of the even place and, imaginary, of the odd one."""
    return np.rint(slots.coefficients(*(values * SLOT_SCALE))).astype(np.int64)


def _conjugate_pair(values: Reals) -> tuple[Integers, Integers]:
    """α and β: α·W + β·W̄ multiplies real and imaginary parts by the values of the even and the odd place."""
    return _symmetric((values[0] + values[1]) / 2), _symmetric((values[0] - values[1]) / 2)


def _symmetric(values: Reals) -> Integers:
    """The nearest integer polynomial with p(X⁻¹) = p(X), so that every slot is exactly real."""
    polynomial = np.rint(slots.coefficients(values, np.zeros_like(values))).astype(np.int64)
    polynomial[SLOTS] = 0
    polynomial[SLOTS + 1 :] = -polynomial[SLOTS - 1 : 0 : -1]
    return polynomial


def _twice(alpha: Words, beta: Words, words: Words) -> Integers:
    """α·W + β·W̄, not reduced, below 2^53."""
    return products(alpha, words) + products(beta, mirrored(words))
