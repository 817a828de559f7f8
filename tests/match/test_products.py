"""The products of 1:1 verification, in C and in NumPy, against Python's integers."""

from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from veilface.kernel import choice
from veilface.kernel.roots import Words
from veilface.match import plain_products, products
from veilface.protect.ring import DATA, DROPPED, RANGE, N, monomial
from veilface.protect.rlwe import SCORE_COEFFICIENT

PRIMES = np.array(DATA.primes, np.int64)[:, None]
few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
seeds = st.one_of(st.integers(0, 2**32 - 1), st.just("largest"))
compiled = choice.built()
ways = {"numpy": (plain_products, 0)}
if compiled is not None:
    ways |= {name: (compiled, level) for level, name in enumerate(choice.LEVELS[: compiled.best_level() + 1])}


@pytest.fixture(params=ways, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    found, level = ways[request.param]
    monkeypatch.setattr(products, "_KERNEL", found)
    monkeypatch.setattr(products, "_LEVEL", level)
    return found


def words(seed: int | str, components: int, *, times: int = 1) -> Words:
    """Residues, or sums of ``times`` of them: random ones, or the largest there are."""
    if isinstance(seed, str):
        return np.full((components, 3, N), times * (PRIMES - 1), np.uint32)
    rng = np.random.default_rng([seed, components, times])
    return (rng.integers(0, PRIMES, (components, 3, N)) * times).astype(np.uint32)


def opened(wire: bytes, components: int, rows: int = 3) -> NDArray[np.object_]:
    assert len(wire) == 3 * components * rows * N
    residues = [int.from_bytes(wire[i : i + 3], "little") for i in range(0, len(wire), 3)]
    return np.array(residues, object).reshape(components, rows, N)


@few
@given(seeds)
def test_refreshing_adds(seed: int | str) -> None:
    ciphertext, zero = words(seed, 2), words(seed, 2)[::-1].copy()
    assert (products.refreshed(ciphertext, zero) == (ciphertext.astype(np.int64) + zero) % PRIMES).all()


@few
@given(seeds, st.integers(0, 2**30), st.integers(1, 2**32))
def test_a_blinded_score(seed: int | str, limit: int, blinding: int) -> None:
    template, probe, mask = words(seed, 2), words(seed, 2)[..., ::-1].copy(), words(seed, 3, times=3)
    (t0, t1), (p0, p1) = template.astype(object), probe.astype(object)
    first = t0 * p0 - limit * monomial(DATA, SCORE_COEFFICIENT).astype(int).astype(object)
    expected = (blinding * np.stack([first, t0 * p1 + t1 * p0, t1 * p1]) + mask) % PRIMES
    wire = products.blinded_score(template, probe, limit=limit, blinding=blinding, mask=mask)
    assert (opened(wire, 3) == expected).all()


@few
@given(seeds)
def test_a_norm(seed: int | str) -> None:
    probe, mask = words(seed, 2), words(seed, 4, times=3)
    p0, p1 = probe.astype(object)
    c0, c1 = p0[:, ::-1], p1[:, ::-1]
    expected = (np.stack([p0 * c0, p1 * c0, p0 * c1, p1 * c1]) + mask) % PRIMES
    assert (opened(products.norm(probe, mask), 4) == expected).all()


@few
@given(seeds)
def test_rounding_divides_exactly(seed: int | str) -> None:
    """q3 times the result differs from the probe by its centred residue modulo q3."""
    probe = words(seed, 2)
    rounded = opened(products.rounded(probe), 2, rows=2).astype(np.int64)
    for component, quotient in zip(probe, rounded, strict=True):
        remainder = DROPPED.inverse(component[2:].astype(np.float64))[0]
        assert np.abs(remainder).max() <= DROPPED.modulus // 2
        expected = RANGE.residues(component[:2] - RANGE.forward(remainder)).astype(np.int64)
        assert (quotient * DROPPED.modulus % PRIMES[:2] == expected).all()


def test_the_kernel_refuses_what_does_not_fit(way: ModuleType) -> None:
    if way is plain_products:
        return
    probe, wire = words(1, 2), np.empty(3 * 4 * 3 * N, np.uint8)
    for arguments in ((probe[:1], words(1, 4), wire), (probe, words(1, 3), wire), (probe, words(1, 4), wire[:-1])):
        with pytest.raises((TypeError, ValueError)):
            way.norm(*arguments)
