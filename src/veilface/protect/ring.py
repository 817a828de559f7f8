"""The ring Z_q[X]/(X^4096 + 1) of suite 0x01, one prime at a time, exact in float64.

Word i of a polynomial's NTT is its value at ψ^(2·r(i)+1), where r reverses 12 bits and ψ is the smallest
primitive 8192-th root of unity: SEAL's own order, so its words can be used as they are.

A transform is two 64×64 matrix products with a twist between them. All factors are centred residues below
2^23, so every sum of 64 products stays below 2^52 and float64 holds it exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

N: Final = 4096
PRIMES: Final = (16736257, 16760833, 974849)
SPECIAL_PRIME: Final = 1032193
KEY_PRIMES: Final = (*PRIMES, SPECIAL_PRIME)

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]
Reals = NDArray[np.float64]

_SIDE: Final = 64


@dataclass(frozen=True, slots=True)
class _Tables:
    """The matrices of one prime: (64, 64) float64 of centred residues."""

    rows: Reals
    twist: Reals
    columns: Reals
    columns_back: Reals
    twist_back: Reals
    rows_back: Reals


def forward(coefficients: Integers, prime: int) -> Words:
    """The NTT modulo ``prime`` of int64 coefficients (…, 4096) of size below 2^52; words (…, 4096) in [0, prime)."""
    tables = _tables(prime)
    grid = centre(coefficients.astype(np.float64), prime).reshape(*coefficients.shape[:-1], _SIDE, _SIDE)
    grid = centre(tables.rows @ grid, prime)
    grid = centre(grid * tables.twist, prime)
    grid = centre(grid @ tables.columns, prime)
    return to_words(grid.reshape(coefficients.shape), prime)


def inverse(words: Words, prime: int) -> Integers:
    """The coefficients (…, 4096) of NTT words (…, 4096), as int64 centred about zero."""
    tables = _tables(prime)
    grid = centre(words.astype(np.float64), prime).reshape(*words.shape[:-1], _SIDE, _SIDE)
    grid = centre(grid @ tables.columns_back, prime)
    grid = centre(grid * tables.twist_back, prime)
    grid = centre(tables.rows_back @ grid, prime)
    return grid.reshape(words.shape).astype(np.int64)


def centre(values: Reals, prime: int) -> Reals:
    """Residues in [−prime/2, prime/2] of integers of size at most 2^52, in float64 throughout."""
    quotient = values * (1.0 / prime)
    np.rint(quotient, out=quotient)
    quotient *= -prime
    quotient += values
    return quotient


def to_words(values: Reals, prime: int) -> Words:
    """Centred residues to the uint64 words in [0, prime) that SEAL and the wire use."""
    return np.where(values < 0, values + prime, values).astype(np.uint64)


def powers(exponents: Integers, prime: int) -> Words:
    """ψ to each exponent, modulo ``prime``."""
    return _root_powers(prime)[exponents % (2 * N)]


@cache
def monomial(power: int, prime: int) -> Words:
    """The NTT words (4096,) of X^power."""
    return powers(power * evaluation_exponents(), prime)


@cache
def coefficient_functional(power: int, prime: int) -> Words:
    """Words v (4096,) with Σ v_i·w_i ≡ coefficient ``power`` of the polynomial whose NTT is w."""
    unscaled = powers(-power * evaluation_exponents(), prime)
    return unscaled * np.uint64(pow(N, -1, prime)) % np.uint64(prime)


@cache
def evaluation_exponents() -> Integers:
    """The odd exponent e_i of each word: word i is the value at ψ^(e_i)."""
    return 2 * _bit_reversed(12) + 1


@cache
def conjugation() -> Integers:
    """The permutation of words that is X → X⁻¹: NTT(σp) = NTT(p)[conjugation()]."""
    exponents = evaluation_exponents()
    position = np.empty(2 * N, dtype=np.int64)
    position[exponents] = np.arange(N)
    return position[(-exponents) % (2 * N)]


def centred_crt(residues: Sequence[int], primes: Sequence[int] = PRIMES) -> int:
    """The integer in (−q/2, q/2] with these residues modulo the primes of product q."""
    modulus = math.prod(primes)
    total = 0
    for residue, prime in zip(residues, primes, strict=True):
        others = modulus // prime
        total += residue * others * pow(others, -1, prime)
    total %= modulus
    return total - modulus if 2 * total > modulus else total


@cache
def _bit_reversed(bits: int) -> Integers:
    numbers = np.arange(1 << bits, dtype=np.int64)
    reversed_ = np.zeros_like(numbers)
    for bit in range(bits):
        reversed_ |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return reversed_


@cache
def _root_powers(prime: int) -> Words:
    """ψ^0 … ψ^8191 for the smallest primitive 8192-th root ψ."""
    generator = next(c for base in range(2, prime) if pow(c := pow(base, (prime - 1) // (2 * N), prime), N, prime) != 1)
    root = min(pow(generator, odd, prime) for odd in range(1, 2 * N, 2))
    table = [1]
    for _ in range(2 * N - 1):
        table.append(table[-1] * root % prime)
    return np.array(table, dtype=np.uint64)


@cache
def _tables(prime: int) -> _Tables:
    """Split n = 64·n1 + n2 and the evaluation index into its two 6-bit halves, each already bit-reversed."""
    index, half = np.arange(_SIDE, dtype=np.int64), _bit_reversed(6)
    odd = 2 * half + 1
    rows = _SIDE * np.outer(odd, index)
    twist = np.outer(odd, index)
    columns = 2 * _SIDE * np.outer(index, half)
    scale = pow(N, -1, prime)

    def matrix(exponents: Integers, factor: int = 1) -> Reals:
        words = powers(exponents, prime) * np.uint64(factor) % np.uint64(prime)
        return centre(words.astype(np.float64), prime)

    return _Tables(
        rows=matrix(rows),
        twist=matrix(twist),
        columns=matrix(columns),
        columns_back=matrix(-columns.T),
        twist_back=matrix(-twist, scale),
        rows_back=matrix(-rows.T),
    )
