"""What the kernel opens and encrypts for the key holder, in NumPy, for machines on which it could not be built.

The same signatures and, word for word, the same results.
"""

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import slots
from veilface.kernel.roots import Words
from veilface.kernel.sampling import Small
from veilface.protect.gallery import RESULT, SHARE_MODULUS, SLOT_SCALE, WRAP, few, open_results, open_scan, share
from veilface.protect.word_ring import products

Reals = NDArray[np.float64]


def reshare(  # noqa: PLR0917 – the kernel's signature
    shares: Words,
    scan_secret: Words,
    result_secret: Words,
    scan_powers: Words,
    scan_quotients: Words,
    powers: Words,
    quotients: Words,
    turns: Reals,
    second: Words,
    noise: Small,
    out: Words,
    threads: int,
    level: int,
) -> None:
    """Shares and wrap bits of a few places at a time."""
    del scan_powers, scan_quotients, powers, quotients, turns, threads, level
    for pairs in few(len(out)):
        values = share(open_scan(shares[2 * pairs.start : 2 * pairs.stop], scan_secret))
        for column, parts in enumerate((values, (values < WRAP) * SHARE_MODULUS)):
            scaled = (parts * SLOT_SCALE).astype(np.float64)
            message = np.rint(slots.coefficients(scaled[0::2], scaled[1::2])).astype(np.int64) + noise[pairs, column]
            for row, ring in enumerate(RESULT):
                drawn = products(second[row, pairs, column], result_secret[row])
                out[pairs, column, row] = ring.reduce(ring.forward(message) - drawn)


def answer(  # noqa: PLR0917 – the kernel's signature
    blinded: Words,
    secret: Words,
    powers: Words,
    quotients: Words,
    turns: Reals,
    out: Reals,
    threads: int,
    level: int,
) -> None:
    """Slots of a few pairs at a time."""
    del powers, quotients, turns, threads, level
    for pairs in few(len(blinded)):
        places = slice(2 * pairs.start, 2 * pairs.stop)
        out[places][0::2], out[places][1::2] = slots.values(open_results(blinded[pairs], secret))
