"""The ring Z_q[X]/(X^4096 + 1) of suite 0x01, prime by prime, exact in float64.

Word i of a polynomial's NTT is its value at ψ^(2·r(i)+1), where r reverses 12 bits and ψ is the smallest
primitive 8192-th root of unity: SEAL's own order, so its words can be used as they are.

A transform is two products with 64×64 matrices and a twist between them. Every factor is a residue below 2^24
and one of the two is centred, so a sum of 64 products stays below 2^53 and float64 holds it exactly.
"""

import math
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

N: Final = 4096
PRIMES: Final = (16736257, 16760833, 974849)
SPECIAL_PRIME: Final = 1032193

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Residues = NDArray[np.float64]
AnyWord = TypeVar("AnyWord", np.float64, np.uint32)

_SIDE: Final = 64
_ORDER: Final = 2 * N


class Basis:
    """Some of the primes, and the arithmetic modulo all of them at once.

    Arrays end in (primes, 4096). Residues travel as uint64 words in [0, prime) and are computed on as float64
    integers, of size below 2^53 at every step.
    """

    def __init__(self, primes: Sequence[int]) -> None:
        self.primes: Final = tuple(primes)
        self.modulus: Final = math.prod(primes)
        self._column: Final = np.array(primes, dtype=np.float64)[:, None]
        self._inverses: Final = 1.0 / self._column
        self._halves: Final = 0.5 / self._column

    def centre(self, values: Residues) -> Residues:
        """Residues of size at most (prime+3)/2, in float64, of integers (…, primes, 4096) below 2^53."""
        quotient = values * self._inverses
        np.rint(quotient, out=quotient)
        quotient *= self._column
        return np.subtract(values, quotient, out=quotient)

    def residues(self, values: Residues) -> Residues:
        """Residues in [0, prime), in float64, of integers (…, primes, 4096) of size at most 2^50.

        The added half keeps the quotient 0.5/prime or more from every integer; the three roundings move it by
        0.375/prime at most. So its floor is exact.
        """
        quotient = values * self._inverses
        quotient += self._halves
        np.floor(quotient, out=quotient)
        quotient *= self._column
        return np.subtract(values, quotient, out=quotient)

    def forward(self, coefficients: Integers) -> Residues:
        """The NTT, residues in [0, prime), of coefficients of size at most 2^23.

        Takes (…, 4096) for one polynomial modulo every prime, or (…, primes, 4096) residue by residue.
        """
        rows, twist, columns = self._forward_tables
        if coefficients.ndim == 1:
            coefficients = coefficients[None, :]
        grid = coefficients.astype(np.float64).reshape(*coefficients.shape[:-1], _SIDE, _SIDE)
        grid = self._centre_grid(rows @ grid)
        grid *= twist
        grid = self._centre_grid(grid)
        return self.residues(self.centre((grid @ columns).reshape(*grid.shape[:-2], N)))

    def inverse(self, residues: Residues) -> Integers:
        """The coefficients (…, primes, 4096), centred about zero, of NTT residues of the same shape."""
        columns, twist, rows = self._inverse_tables
        grid = self._centre_grid(residues.reshape(*residues.shape[:-1], _SIDE, _SIDE) @ columns)
        grid *= twist
        grid = self._centre_grid(grid)
        return self.centre((rows @ grid).reshape(residues.shape)).astype(np.int64)

    def low_coefficients(self, residues: Residues, count: int) -> Integers:
        """The first ``count`` coefficients, a multiple of 64, of what :meth:`inverse` gives, for half the work."""
        columns, twist, rows = self._inverse_tables
        grid = self._centre_grid(residues.reshape(*residues.shape[:-1], _SIDE, _SIDE) @ columns)
        grid *= twist
        low = rows[:, : count // _SIDE] @ self._centre_grid(grid)
        return self.centre(low.reshape(*residues.shape[:-1], count)).astype(np.int64)

    def crt(self, residues: Sequence[int]) -> int:
        """The integer in (−q/2, q/2] with these residues, one for each prime."""
        total = sum(residue * factor for residue, factor in zip(residues, self._crt_factors, strict=True))
        total %= self.modulus
        return total - self.modulus if 2 * total > self.modulus else total

    @cached_property
    def _crt_factors(self) -> list[int]:
        cofactors = [self.modulus // prime for prime in self.primes]
        return [other * pow(other, -1, prime) for other, prime in zip(cofactors, self.primes, strict=True)]

    @cached_property
    def _forward_tables(self) -> tuple[Residues, Residues, Residues]:
        """Rows, twist, columns: n = 64·n1 + n2, and the evaluation index in two halves, each bit-reversed."""
        index, half = np.arange(_SIDE, dtype=np.int64), _bit_reversed(6)
        odd = 2 * half + 1
        return (
            self._matrices(_SIDE * np.outer(odd, index)),
            self._matrices(np.outer(odd, index)),
            self._matrices(2 * _SIDE * np.outer(index, half)),
        )

    @cached_property
    def _inverse_tables(self) -> tuple[Residues, Residues, Residues]:
        """Columns, twist with 1/4096, rows: the forward steps undone in reverse."""
        index, half = np.arange(_SIDE, dtype=np.int64), _bit_reversed(6)
        odd = 2 * half + 1
        return (
            self._matrices(-2 * _SIDE * np.outer(half, index)),
            self._matrices(-np.outer(odd, index), divisor=N),
            self._matrices(-_SIDE * np.outer(index, odd)),
        )

    def _matrices(self, exponents: Integers, divisor: int = 1) -> Residues:
        """ψ^exponents / divisor for each prime, (primes, 64, 64), centred so that products stay exact."""
        words = np.stack([_scaled_powers(exponents, divisor, prime) for prime in self.primes])
        return self._centre_grid(words.astype(np.float64))

    def _centre_grid(self, grid: Residues) -> Residues:
        return self.centre(grid.reshape(*grid.shape[:-2], N)).reshape(grid.shape)


DATA: Final = Basis(PRIMES)
KEY: Final = Basis((*PRIMES, SPECIAL_PRIME))
RANGE: Final = Basis(PRIMES[:2])
DROPPED: Final = Basis(PRIMES[2:])


@cache
def monomial(basis: Basis, power: int) -> Residues:
    """The NTT residues (primes, 4096) of X^power."""
    words = [_powers(power * evaluation_exponents(), prime) for prime in basis.primes]
    return np.stack(words).astype(np.float64)


@cache
def functional(basis: Basis, power: int) -> Words:
    """Words v (primes, 4096) with Σ v_i·w_i ≡ coefficient ``power`` of the polynomial whose NTT is w."""
    return np.stack([_scaled_powers(-power * evaluation_exponents(), N, prime) for prime in basis.primes])


@cache
def evaluation_exponents() -> Integers:
    """The odd exponent e_i of each word: word i is the value at ψ^(e_i)."""
    return 2 * _bit_reversed(12) + 1


def conjugated(residues: NDArray[AnyWord]) -> NDArray[AnyWord]:
    """The NTT of σp, σ: X → X⁻¹, from that of p (…, 4096), as a view.

    σ takes the value at ψ^e to that at ψ^−e. In bit-reversed order e_i and −e_i stand at mirrored places.
    """
    return residues[..., ::-1]


@cache
def smallest_root(prime: int) -> int:
    """ψ: the smallest primitive 8192-th root of unity modulo ``prime``."""
    candidates = (pow(base, (prime - 1) // _ORDER, prime) for base in range(2, prime))
    root = next(candidate for candidate in candidates if pow(candidate, N, prime) == prime - 1)
    return min(pow(root, odd, prime) for odd in range(1, _ORDER, 2))


@cache
def _root_powers(prime: int) -> Words:
    """ψ^0 … ψ^8191."""
    root, table = smallest_root(prime), [1]
    for _ in range(_ORDER - 1):
        table.append(table[-1] * root % prime)
    return np.array(table, dtype=np.uint64)


def _powers(exponents: Integers, prime: int) -> Words:
    return _root_powers(prime)[exponents % _ORDER]


def _scaled_powers(exponents: Integers, divisor: int, prime: int) -> Words:
    return _powers(exponents, prime) * np.uint64(pow(divisor, -1, prime)) % np.uint64(prime)


def _bit_reversed(bits: int) -> Integers:
    numbers = np.arange(1 << bits, dtype=np.int64)
    reversed_ = np.zeros_like(numbers)
    for bit in range(bits):
        reversed_ |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return reversed_
