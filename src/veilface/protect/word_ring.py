"""The rings of gallery mode: Z_p[X]/(X^n + 1) for primes below 2^30, exact in float64 and int64.

Word i of a polynomial's NTT is its value at ψ^(2·r(i)+1), where r reverses log₂ n bits and ψ is the smallest primitive
2n-th root of unity: the order of :mod:`veilface.protect.ring`, whose own trick ends at primes of 24 bits.

A transform is two products with small matrices and a twist between them. Numbers are split at 2^15 before a product:
one half times a centred residue is below 2^44, and a sum of 64 of them is below 2^50, which float64 holds exactly.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import transforms
from veilface.kernel.sampling import Small

Integers = NDArray[np.int64]
Words = NDArray[np.uint32]
Coefficients = Integers | Small

_HALF_BITS: Final = 15
_HALF: Final = 1 << _HALF_BITS
_TOGETHER: Final = 2
_Grid = NDArray[np.float64]
_Numbers = NDArray[Any]


class WordRing:
    """Arithmetic on words: residues in [0, prime) as uint32, arrays ending in n of them."""

    def __init__(self, n: int, prime: int) -> None:
        """``n`` – a power of two up to 4096; ``prime`` – below 2^30 and 1 modulo 2n."""
        self.n: Final = n
        self.prime: Final = prime
        self._bits: Final = n.bit_length() - 1
        self._columns: Final = 1 << ((self._bits + 1) // 2)
        self._rows: Final = n // self._columns

    def forward(self, coefficients: Coefficients) -> Words:
        """The NTT of integer coefficients (…, n) of size at most 2^33."""
        if transforms.available:
            residues = self.reduce(coefficients.astype(np.int64, order="C")).astype(np.uint32)
            return transforms.forward(residues, prime=self.prime)
        words = np.empty(coefficients.shape, np.uint32)
        for source, target in self._parts(coefficients, words):
            rows, twist, columns = self._forward_tables
            grid = self._twisted(self._product(rows, self._grid(source), left=True), twist)
            target[...] = self._residues(self._product(columns, grid), source.shape)
        return words

    def inverse(self, words: Words) -> Integers:
        """The coefficients (…, n) in [0, prime) of NTT words."""
        if transforms.available:
            return transforms.inverse(words, prime=self.prime).astype(np.int64)
        coefficients = np.empty(words.shape, np.int64)
        for source, target in self._parts(words, coefficients):
            columns, twist, rows = self._inverse_tables
            grid = self._twisted(self._product(columns, self._grid(source)), twist)
            target[...] = self._residues(self._product(rows, grid, left=True), source.shape)
        return coefficients

    def multiply(self, first: Words | Integers, second: Words | Integers) -> Integers:
        """The product word by word, in [0, prime)."""
        return self.reduce(products(first, second))

    def reduce(self, values: Integers) -> Integers:
        """``values``, of size below 2^62, modulo the prime, in [0, prime); in place where they lie in one piece."""
        return transforms.reduce(values, prime=self.prime)

    def monomials(self, powers: Integers) -> Words:
        """The NTT (…, n) of X^power for each of ``powers`` (…), taken modulo 2n."""
        words: Words = self._root_powers[powers[..., None] * self._exponents % (2 * self.n)]
        return words

    # --- the transform -----------------------------------------------------------------------------------

    def _parts(self, source: _Numbers, target: _Numbers) -> Iterator[tuple[_Numbers, _Numbers]]:
        """A few polynomials at a time, so that what is computed on stays in the cache: a quarter of the time."""
        rows, out = source.reshape(-1, self.n), target.reshape(-1, self.n)
        for start in range(0, len(rows), _TOGETHER):
            yield rows[start : start + _TOGETHER], out[start : start + _TOGETHER]

    def _grid(self, values: Coefficients | Words) -> Integers:
        return values.reshape(*values.shape[:-1], self._rows, self._columns).astype(np.int64, copy=False)

    def _product(self, table: _Grid, grid: Integers, *, left: bool = False) -> _Grid:
        """table·grid, or grid·table, centred: size at most prime/2 + 1."""
        high, low = ((half @ table) if not left else (table @ half) for half in _halves(grid))
        self._centre(high)
        high *= _HALF
        high += low
        return self._centre(high)

    def _centre(self, values: _Grid) -> _Grid:
        quotient = values * (1.0 / self.prime)
        np.rint(quotient, out=quotient)
        quotient *= self.prime
        values -= quotient
        return values

    def _twisted(self, grid: _Grid, twist: Integers) -> Integers:
        values = grid.astype(np.int64)
        values *= twist
        return self.reduce(values)

    def _residues(self, grid: _Grid, shape: tuple[int, ...]) -> Integers:
        return self.reduce(grid.astype(np.int64).reshape(shape))

    # --- tables ------------------------------------------------------------------------------------------

    @cached_property
    def _forward_tables(self) -> tuple[_Grid, Integers, _Grid]:
        """Rows, twist, columns, for coefficient columns·n1 + n2 and word columns·i1 + i2."""
        odd, index = self._odd_rows, np.arange(self._columns)
        return (
            self._table(self._columns * np.outer(odd, np.arange(self._rows))),
            self._powers(np.outer(odd, index)),
            self._table(2 * self._rows * np.outer(index, _bit_reversed(self._columns))),
        )

    @cached_property
    def _inverse_tables(self) -> tuple[_Grid, Integers, _Grid]:
        """Columns, twist with 1/n, rows: the forward steps undone in reverse."""
        odd, index = self._odd_rows, np.arange(self._columns)
        return (
            self._table(-2 * self._rows * np.outer(_bit_reversed(self._columns), index)),
            self._powers(-np.outer(odd, index)) * pow(self.n, -1, self.prime) % self.prime,
            self._table(-self._columns * np.outer(np.arange(self._rows), odd)),
        )

    @cached_property
    def _odd_rows(self) -> Integers:
        return 2 * _bit_reversed(self._rows) + 1

    @cached_property
    def _exponents(self) -> Integers:
        return 2 * _bit_reversed(self.n) + 1

    def _table(self, exponents: Integers) -> _Grid:
        return self._centre(self._powers(exponents).astype(np.float64))

    def _powers(self, exponents: Integers) -> Integers:
        return self._root_powers[exponents % (2 * self.n)].astype(np.int64)

    @cached_property
    def _root_powers(self) -> Words:
        """ψ^0 … ψ^(2n−1)."""
        root, table = self._smallest_root(), [1]
        for _ in range(2 * self.n - 1):
            table.append(table[-1] * root % self.prime)
        return np.array(table, dtype=np.uint32)

    def _smallest_root(self) -> int:
        step = (self.prime - 1) // (2 * self.n)
        candidates = (pow(base, step, self.prime) for base in range(2, self.prime))
        root = next(found for found in candidates if pow(found, self.n, self.prime) == self.prime - 1)
        return min(pow(root, odd, self.prime) for odd in range(1, 2 * self.n, 2))


SCAN: Final = WordRing(2048, 1073692673)
RESULT: Final = tuple(WordRing(4096, prime) for prime in (67084289, 67043329, 66994177))


def mirrored(words: Words) -> Words:
    """The NTT of p(X⁻¹) from that of p (…, n), as a view: ψ^e and ψ^−e stand at mirrored places."""
    return words[..., ::-1]


def products(first: Words | Integers, second: Words | Integers) -> Integers:
    """Word by word, not reduced: below 2^60, or 2^52 for the primes of a result."""
    exact: Integers = np.multiply(first, second, dtype=np.int64)
    return exact


def _halves(grid: Integers) -> tuple[_Grid, _Grid]:
    """High and low parts, grid = 2^15·high + low."""
    return (grid >> _HALF_BITS).astype(np.float64), (grid & (_HALF - 1)).astype(np.float64)


def _bit_reversed(count: int) -> Integers:
    numbers, bits = np.arange(count, dtype=np.int64), count.bit_length() - 1
    reversed_ = np.zeros_like(numbers)
    for bit in range(bits):
        reversed_ |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return reversed_
