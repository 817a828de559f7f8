"""Powers of the roots of unity behind a number-theoretic transform modulo X^n + 1, in the order it takes them.

Word i of a transform is the value at ψ^(2·r(i)+1), r reversing the bits of i and ψ the smallest primitive 2n-th root
of unity: SEAL's own order, and that of :mod:`veilface.protect.ring`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]
PRIME_BITS: Final = 30


@dataclass(frozen=True, kw_only=True)
class Roots:
    """Powers in bit-reversed order, (n,), and each with its floor(power · 2^32 / prime), which saves a division."""

    powers: Words
    quotients: Words

    @classmethod
    def of(cls, powers: list[int], prime: int) -> Self:
        quotients = [(power << 32) // prime for power in powers]
        return cls(powers=np.array(powers, np.uint32), quotients=np.array(quotients, np.uint32))


@cache
def forward_roots(prime: int, n: int) -> Roots:
    """ψ^r(k) for k = 0 … n−1; ``prime`` below 2^30 and ≡ 1 modulo 2n, which is a power of two."""
    if not 1 < prime < 1 << PRIME_BITS or n & (n - 1) or (prime - 1) % (2 * n):
        raise ValueError(f"no transform of {n} words modulo {prime}")
    return Roots.of(_reversed_powers(_smallest_root(prime, 2 * n), prime, n), prime)


@cache
def inverse_roots(prime: int, n: int) -> Roots:
    """ψ^−r(k) for k = 1 … n−1, and at 0, where none is needed, 1/n."""
    powers = _reversed_powers(pow(int(forward_roots(prime, n).powers[n // 2]), -1, prime), prime, n)
    return Roots.of([pow(n, -1, prime), *powers[1:]], prime)


def _reversed_powers(root: int, prime: int, n: int) -> list[int]:
    bits = n.bit_length() - 1
    powers = [1]
    for _ in range(n - 1):
        powers.append(powers[-1] * root % prime)
    return [powers[int(f"{k:0{bits}b}"[::-1], 2)] for k in range(n)]


def _smallest_root(prime: int, order: int) -> int:
    candidates = (pow(base, (prime - 1) // order, prime) for base in range(2, prime))
    root = next(candidate for candidate in candidates if pow(candidate, order // 2, prime) == prime - 1)
    return min(pow(root, odd, prime) for odd in range(1, order, 2))
