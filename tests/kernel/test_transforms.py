"""Transforms and reductions, by every instruction set of this machine and in NumPy, against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.ways import FEW, NAMES, SEEDS, WAYS, go, words
from veilface.kernel import transforms
from veilface.kernel.roots import forward_roots, inverse_roots
from veilface.protect.ring import KEY

PRIME = 1073692673
SCAN_AND_RESULT_PRIMES = (PRIME, 67084289, 67043329, 66994177)


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    go(monkeypatch, transforms, request.param)


@FEW
@given(SEEDS, st.sampled_from([2048, 4096]), st.sampled_from(SCAN_AND_RESULT_PRIMES), st.data())
def test_a_word_is_the_value_at_its_root(seed: int, n: int, prime: int, data: st.DataObject) -> None:
    coefficients = words(np.random.default_rng(seed), n, prime=prime)
    index = data.draw(st.integers(0, n - 1))
    root = int(forward_roots(prime, n).powers[n // 2])
    point = pow(root, 2 * int(f"{index:0{n.bit_length() - 1}b}"[::-1], 2) + 1, prime)
    value = 0
    for coefficient in coefficients[::-1].tolist():
        value = (value * point + coefficient) % prime
    assert int(transforms.forward(coefficients, prime=prime)[index]) == value


@FEW
@given(SEEDS, st.sampled_from([2048, 4096]), st.sampled_from(SCAN_AND_RESULT_PRIMES))
def test_inverse_undoes_forward(seed: int, n: int, prime: int) -> None:
    residues = words(np.random.default_rng(seed), 2, 2, n, prime=prime)
    assert (transforms.inverse(transforms.forward(residues, prime=prime), prime=prime) == residues).all()


def test_the_order_is_that_of_the_ring() -> None:
    coefficients = np.random.default_rng(5).integers(-1000, 1000, 4096)
    for prime, expected in zip(KEY.primes, KEY.forward(coefficients), strict=True):
        assert (transforms.forward((coefficients % prime).astype(np.uint32), prime=prime) == expected).all()


@pytest.mark.parametrize("n", [2048, 4096])
def test_extremes_stay_exact(n: int) -> None:
    largest = np.full(n, PRIME - 1, np.uint32)
    assert (transforms.inverse(transforms.forward(largest, prime=PRIME), prime=PRIME) == largest).all()
    assert (transforms.forward(transforms.inverse(largest, prime=PRIME), prime=PRIME) == largest).all()


def test_roots_are_for_primes_that_have_them() -> None:
    for prime, n in ((PRIME, 2047), (1073741827, 2048), (2**31 - 1, 2)):
        with pytest.raises(ValueError, match="no transform"):
            forward_roots(prime, n)
    assert int(inverse_roots(PRIME, 2048).powers[0]) * 2048 % PRIME == 1


@FEW
@given(st.lists(st.integers(-(2**62) + 1, 2**62 - 1), min_size=1, max_size=40), st.sampled_from(SCAN_AND_RESULT_PRIMES))
def test_reduction(values: list[int], prime: int) -> None:
    beside = [near for value in values for near in (value, value // prime * prime, value // prime * prime - 1)]
    reduced = transforms.reduce(np.array(beside), prime=prime)
    assert reduced.tolist() == [value % prime for value in beside]


def test_reduction_is_in_place() -> None:
    values = np.array([-1, PRIME, 2 * PRIME + 5])
    assert transforms.reduce(values, prime=PRIME) is values
    assert values.tolist() == [PRIME - 1, 0, 5]
