"""What the kernel computes for 1:1 verification, in NumPy, for machines on which it could not be built.

The same signatures and results. Words become float64 integers below 2^53, which NumPy multiplies and reduces fastest.
"""

import numpy as np
from numpy.typing import NDArray

from veilface.kernel.roots import Words
from veilface.protect.ring import DATA, DROPPED, RANGE, Residues, conjugated
from veilface.protect.rlwe import pack_words

_RANGE_PRIMES = len(RANGE.primes)
Bytes = NDArray[np.uint8]


def refresh(ciphertext: Words, zero: Words, out: Words) -> None:
    """A sum or that less the prime, whichever is smaller: below zero, 32 bits wrap around to a large number."""
    np.add(ciphertext, zero, out=out)
    np.minimum(out, out - np.array(DATA.primes, np.uint32)[:, None], out=out)


def score(  # noqa: PLR0917 – the kernel's signature
    stored: Words, probe: Words, limit: Words, blinding: Words, mask: Words, out: Bytes
) -> None:
    """ρ·(T·P − limit) + mask."""
    (t0, t1), (p0, p1) = stored.astype(np.float64), probe.astype(np.float64)
    factors = blinding[:, None].astype(np.float64)
    _pack(DATA.centre(t0 * p0 - limit) * factors, mask, out, 0)
    _pack(DATA.centre(t0 * p1 + t1 * p0) * factors, mask, out, 1)
    _pack(DATA.centre(t1 * p1) * factors, mask, out, 2)


def norm(probe: Words, mask: Words, out: Bytes) -> None:
    """P(X)·P(X⁻¹) + mask."""
    p0, p1 = probe.astype(np.float64)
    for component, (one, other) in enumerate(((p0, p0), (p1, p0), (p0, p1), (p1, p1))):
        _pack(one * conjugated(other), mask, out, component)


def rounded(  # noqa: PLR0917 – the kernel's signature
    probe: Words, powers: Words, quotients: Words, inverses: Words, out: Bytes, level: int
) -> None:
    """round(p/q3) modulo (q1, q2)."""
    del powers, quotients, level
    words = probe.astype(np.float64)
    remainder = DROPPED.inverse(words[:, _RANGE_PRIMES:])[:, 0]
    words[:, :_RANGE_PRIMES] -= RANGE.forward(np.repeat(remainder[:, None], _RANGE_PRIMES, axis=1))
    quotient = RANGE.residues(words[:, :_RANGE_PRIMES] * inverses[:, None])
    out[...] = np.frombuffer(pack_words(quotient), np.uint8)


def _pack(values: Residues, masks: Words, out: Bytes, component: int) -> None:
    """One component at a time, so that what is computed on stays in the cache and needs no fresh pages."""
    values += masks[component]
    packed = np.frombuffer(pack_words(DATA.residues(values)), np.uint8)
    out[component * len(packed) : (component + 1) * len(packed)] = packed
