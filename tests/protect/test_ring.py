"""The ring against big integers, and against SEAL through the shared vectors."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veilface.protect.ring import (
    DATA,
    KEY,
    RANGE,
    N,
    Residues,
    conjugated,
    evaluation_exponents,
    functional,
    monomial,
    smallest_root,
)

seeds = st.integers(0, 2**32 - 1)


def random_residues(seed: int) -> Residues:
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(0, prime, N) for prime in KEY.primes]).astype(np.float64)


def test_root_is_primitive_and_smallest() -> None:
    for prime in KEY.primes:
        root = smallest_root(prime)
        assert pow(root, N, prime) == prime - 1
        assert root == min(pow(root, odd, prime) for odd in range(1, 2 * N, 2))


def test_exponents_are_every_odd_number_once() -> None:
    assert sorted(evaluation_exponents().tolist()) == list(range(1, 2 * N, 2))


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(0, N - 1))
def test_a_word_is_the_value_at_its_root(seed: int, index: int) -> None:
    coefficients = np.random.default_rng(seed).integers(-(2**23), 2**23, N)
    words = KEY.forward(coefficients)
    for row, prime in enumerate(KEY.primes):
        point = pow(smallest_root(prime), int(evaluation_exponents()[index]), prime)
        value = 0
        for coefficient in coefficients[::-1].tolist():
            value = (value * point + coefficient) % prime
        assert int(words[row, index]) == value


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_inverse_undoes_forward(seed: int) -> None:
    residues = random_residues(seed)
    coefficients = KEY.inverse(residues)
    assert (np.abs(coefficients) <= (np.array(KEY.primes)[:, None] + 3) // 2).all()
    assert (KEY.forward(coefficients) == residues).all()


def test_extremes_stay_exact() -> None:
    largest = np.array(KEY.primes, np.float64)[:, None] * np.ones((1, N)) - 1
    assert (KEY.forward(KEY.inverse(largest)) == largest).all()
    for sign in (-1, 1):
        coefficients = np.full(N, sign * 2**23, np.int64)
        assert ((KEY.inverse(KEY.forward(coefficients)) - coefficients) % np.array(KEY.primes)[:, None] == 0).all()


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(1, 40), st.integers(1, 40))
def test_product_of_words_is_the_negacyclic_product(seed: int, left_terms: int, right_terms: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = np.zeros(N, np.int64), np.zeros(N, np.int64)
    left[rng.integers(0, N, left_terms)] = rng.integers(-(2**20), 2**20, left_terms)
    right[rng.integers(0, N, right_terms)] = rng.integers(-(2**20), 2**20, right_terms)
    expected = [0] * N
    for i in np.flatnonzero(left).tolist():
        for j in np.flatnonzero(right).tolist():
            sign = -1 if i + j >= N else 1
            expected[(i + j) % N] += sign * int(left[i]) * int(right[j])
    product = DATA.inverse(DATA.residues(DATA.forward(left) * DATA.forward(right)))
    for row, prime in enumerate(DATA.primes):
        assert [int(value) % prime for value in product[row]] == [value % prime for value in expected]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-(2**50), 2**50), min_size=8, max_size=8))
def test_reduction_of_large_integers(values: list[int]) -> None:
    array = np.zeros((3, N))
    array[:, :8] = values
    assert [[int(v) for v in row[:8]] for row in DATA.residues(array)] == [[v % p for v in values] for p in DATA.primes]


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_reduction_beside_large_multiples(offset: int) -> None:
    """Where a quotient rounded the wrong way would show."""
    for row, prime in enumerate(DATA.primes):
        multiples = (2**50 // prime - np.arange(N, dtype=np.int64)) * prime
        for values in (multiples + offset, -multiples + offset):
            array = np.zeros((3, N))
            array[row] = values
            assert (DATA.residues(array)[row] == offset % prime).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(-(RANGE.modulus // 2), RANGE.modulus // 2), st.integers(-(DATA.modulus // 2), DATA.modulus // 2))
def test_crt_recovers_the_integer(small: int, large: int) -> None:
    assert RANGE.crt([small % prime for prime in RANGE.primes]) == small
    assert DATA.crt([large % prime for prime in DATA.primes]) == large


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(0, N - 1))
def test_functional_reads_one_coefficient(seed: int, power: int) -> None:
    words = DATA.forward(DATA.inverse(random_residues(seed)[:3]))
    coefficients = DATA.inverse(words)[:, power]
    sums = (words.astype(np.uint64) * functional(DATA, power)).sum(axis=1)
    assert [int(s) % p for s, p in zip(sums, DATA.primes, strict=True)] == (
        coefficients % np.array(DATA.primes)
    ).tolist()


@pytest.mark.parametrize("power", [0, 1, 127, N - 1])
def test_monomial_has_one_coefficient(power: int) -> None:
    expected = np.zeros(N, np.int64)
    expected[power] = 1
    assert (DATA.inverse(monomial(DATA, power)) == expected).all()


def test_conjugation_is_x_to_its_inverse() -> None:
    coefficients = np.random.default_rng(3).integers(-1000, 1000, N)
    mirrored = np.concatenate([coefficients[:1], -coefficients[:0:-1]])
    assert (conjugated(DATA.forward(coefficients)) == DATA.forward(mirrored)).all()


def test_vectors(vectors: Path) -> None:
    data = json.loads((vectors / "ring.json").read_text())
    assert data["n"] == N
    assert data["primes"] == list(KEY.primes)
    assert data["roots"] == [smallest_root(prime) for prime in KEY.primes]
    for case in data["transforms"]:
        coefficients = np.zeros(N, np.int64)
        coefficients[: len(case["coefficients"])] = case["coefficients"]
        words = KEY.forward(coefficients)
        for row, digest, first in zip(words, case["sha256"], case["first_words"], strict=True):
            assert hashlib.sha256(row.astype("<u4").tobytes()).hexdigest() == digest
            assert row[:8].astype(int).tolist() == first
