"""The products of 1:1 verification, word by word in NTT form: in C, or in NumPy with equal results (protocol §6).

A ciphertext is (2, 3, 4096) words: components, primes, NTT index. Masks are words too, but for the first not reduced:
they may be sums of three residues. What leaves here is in wire form.
"""

from functools import cache, lru_cache
from types import ModuleType
from typing import Final

import numpy as np

from veilface.kernel import choice
from veilface.kernel.roots import Words, forward_roots, inverse_roots
from veilface.match import plain_products
from veilface.protect.ring import DATA, DROPPED, RANGE, N, monomial
from veilface.protect.rlwe import NORM_BYTES, RANGE_BYTES, SCORE_BYTES, SCORE_COEFFICIENT

_KERNEL: ModuleType = choice.compiled or plain_products
_LEVEL: int = choice.level
_DROPPED_INVERSES: Final = np.array([pow(DROPPED.modulus, -1, prime) for prime in RANGE.primes], np.uint32)
_THRESHOLDS: Final = 8


def refreshed(ciphertext: Words, zero: Words) -> Words:
    """An untrusted ciphertext with a fresh encryption of zero (reduced) added, reduced."""
    choice.say_what_computes()
    out = np.empty(ciphertext.shape, np.uint32)
    _KERNEL.refresh(ciphertext, zero, out)
    return out


def blinded_score(template: Words, probe: Words, *, limit: int, blinding: int, mask: Words) -> bytes:
    """ρ·(T·P − limit·X^127) + mask, (3, 3, 4096), in the basis 1, s, s²; ``limit`` is in units of Δ²."""
    out = np.empty(SCORE_BYTES, np.uint8)
    factors = np.array([blinding % prime for prime in DATA.primes], np.uint32)
    _KERNEL.score(template, probe, _limit_words(limit), factors, mask, out)
    return out.tobytes()


def norm(probe: Words, mask: Words) -> bytes:
    """P(X)·P(X⁻¹) + mask, (4, 3, 4096), in the basis 1, s, σs, s·σs."""
    out = np.empty(NORM_BYTES, np.uint8)
    _KERNEL.norm(probe, mask, out)
    return out.tobytes()


def rounded(probe: Words) -> bytes:
    """round(p/q3) modulo (q1, q2), (2, 2, 4096): p less its residue modulo q3, divided exactly."""
    out = np.empty(RANGE_BYTES, np.uint8)
    _KERNEL.rounded(probe, *_roots(), _DROPPED_INVERSES, out, _LEVEL)
    return out.tobytes()


@lru_cache(maxsize=_THRESHOLDS)
def _limit_words(limit: int) -> Words:
    primes = np.array(DATA.primes, np.int64)[:, None]
    return (limit % primes * monomial(DATA, SCORE_COEFFICIENT).astype(np.int64) % primes).astype(np.uint32)


@cache
def _roots() -> tuple[Words, Words]:
    """Powers and quotients, (3, 4096) each: forward modulo q1 and q2, inverse modulo q3."""
    tables = [*(forward_roots(prime, N) for prime in RANGE.primes), inverse_roots(DROPPED.modulus, N)]
    return np.stack([table.powers for table in tables]), np.stack([table.quotients for table in tables])
