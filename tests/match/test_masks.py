"""Masks are uniform, used once, made in time and thrown away."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.match.parties import Account, unit
from veilface.match.errors import MasksSpent
from veilface.match.masks import (
    EXPONENT_MAX,
    MaskPool,
    blinding_exponent,
    blinding_factor,
    prepare,
    uniform_without,
)
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.ring import DATA, Integers, Residues, conjugated
from veilface.protect.rlwe import open_by_seal, parse_words


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


def assert_uniform(values: Integers) -> None:
    """χ² over 256 bins for each prime: |z| < 6, which chance passes but once in 5·10^8."""
    for row, prime in zip(values, DATA.primes, strict=True):
        counts = np.bincount(row % prime * 256 // prime, minlength=256)
        expected = row.size / 256
        chi_squared = float(((counts - expected) ** 2 / expected).sum())
        assert abs(chi_squared - 255) / math.sqrt(2 * 255) < 6


@pytest.mark.parametrize("power", [0, 127])
def test_a_mask_is_uniform_but_for_one_coefficient(power: int) -> None:
    samples = [DATA.inverse(uniform_without(power).astype(np.float64)) for _ in range(16)]
    assert not any(sample[:, power].any() for sample in samples)
    assert_uniform(np.concatenate([np.delete(sample, power, axis=1) for sample in samples], axis=1))
    assert (samples[0] != samples[1]).mean() > 0.99


def test_the_key_holder_sees_one_coefficient_of_the_score(account: Account) -> None:
    """Everything else it can open – cross-correlations of template and probe, unmasked – is uniform."""
    template, probe = account.template(unit(0)), account.probe(unit(0))
    views = []
    for _ in range(16):
        words = parse_words(account.probe_evidence(template, probe).score, components=3)
        views.append(np.delete(DATA.inverse(open_by_seal(account.secret, words)), 127, axis=1))
    assert_uniform(np.concatenate(views, axis=1))


def open_norm(account: Account, norm: bytes) -> Integers:
    """All coefficients of a norm ciphertext, as a curious key holder would open it."""
    words = parse_words(norm, components=4)
    secret = account.secret._residues[:3]
    conjugate = conjugated(secret)
    basis: list[Residues] = [np.ones_like(secret), secret, conjugate, DATA.residues(secret * conjugate)]
    return DATA.inverse(
        DATA.residues(sum((DATA.residues(w * b) for w, b in zip(words, basis, strict=True)), basis[0] * 0))
    )


def test_the_key_holder_sees_one_coefficient_of_the_norm(account: Account) -> None:
    template, probe = account.template(unit(0)), account.probe(unit(1))
    views = [open_norm(account, account.probe_evidence(template, probe).norm)[:, 1:] for _ in range(16)]
    assert_uniform(np.concatenate(views, axis=1))


def test_components_the_key_holder_gets_are_uniform_and_fresh(account: Account) -> None:
    """Two logins with the very same ciphertexts share no word."""
    template, probe = account.template(unit(0)), account.probe(unit(0))
    first, second = account.probe_evidence(template, probe), account.probe_evidence(template, probe)
    for name, components in (("score", 3), ("norm", 4)):
        left, right = (parse_words(getattr(side, name), components=components) for side in (first, second))
        assert (left == right).mean() < 0.001
        assert_uniform(np.concatenate([*left.astype(np.int64), *right.astype(np.int64)], axis=1))


# --- the blinding factor ---


@given(st.floats(0, 1, exclude_max=True))
def test_exponent_inverts_its_distribution(quantile: float) -> None:
    exponent = blinding_exponent(quantile)
    assert 0 <= exponent <= EXPONENT_MAX
    turn = exponent / EXPONENT_MAX
    assert turn - math.sin(2 * math.pi * turn) / (2 * math.pi) == pytest.approx(quantile, abs=1e-12)


def test_blinding_factors_have_the_density_of_the_protocol() -> None:
    exponents = np.sort(np.log2([blinding_factor() for _ in range(4000)]))
    turns = exponents / EXPONENT_MAX
    expected = turns - np.sin(2 * np.pi * turns) / (2 * np.pi)
    distance = np.abs(expected - (np.arange(4000) + 0.5) / 4000).max()
    assert distance < 2.6 / math.sqrt(4000), "Kolmogorov–Smirnov, once in 10^5"
    assert exponents[0] >= 0
    assert exponents[-1] <= EXPONENT_MAX


# --- single use ---


def test_only_one_of_many_threads_gets_the_masks(account: Account) -> None:
    masks = account.masks()

    def spend(_: int) -> bool:
        try:
            masks.spend("verify")
        except MasksSpent:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(spend, range(64))) == 1


def test_a_malformed_key_makes_no_masks(account: Account) -> None:
    with pytest.raises(MalformedCiphertext):
        prepare(account.public[:-1], purpose="verify")


# --- the pool ---


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_pool_gives_what_it_prepared_once(account: Account) -> None:
    pool = MaskPool()
    assert pool.prepare_soon((b"account", b"challenge"), account.public, "verify", owner="one")
    assert not pool.prepare_soon((b"account", b"challenge"), account.public, "verify", owner="one"), "known already"
    masks = pool.take((b"account", b"challenge"))
    assert masks is not None
    assert masks.purpose == "verify"
    assert pool.take((b"account", b"challenge")) is None
    assert pool.take((b"account", b"another")) is None
    pool.close()


def test_the_pool_forgets_after_its_lifetime(account: Account) -> None:
    clock = Clock()
    pool = MaskPool(clock=clock)
    pool.prepare_soon("one", account.public, "enrol", owner="one")
    clock.now = 89.9
    pool.prepare_soon("two", account.public, "enrol", owner="one")
    clock.now = 90.0
    assert pool.take("one") is None
    pool._executor.submit(int).result()
    assert pool.take("two") is not None
    pool.close()


def test_the_pool_is_bounded(account: Account) -> None:
    pool = MaskPool(capacity=2)
    assert [pool.prepare_soon(key, account.public, "verify", owner=key) for key in range(3)] == [True, True, False]
    assert pool.take(0) is not None
    assert pool.prepare_soon(3, account.public, "verify", owner=3), "room again"
    pool.close()


def test_one_account_cannot_fill_the_pool(account: Account) -> None:
    pool = MaskPool(capacity=4)
    for key in range(100):
        assert pool.prepare_soon(("flood", key), account.public, "verify", owner="flood")
    assert pool.prepare_soon("mine", account.public, "verify", owner="another"), "there is room"
    pool._executor.submit(int).result()
    for key in range(100, 200):
        assert pool.prepare_soon(("flood", key), account.public, "verify", owner="flood")
    assert pool.take("mine") is not None
    pool.close()


def test_of_one_accounts_challenges_the_two_newest_have_masks(account: Account) -> None:
    pool = MaskPool()
    for key in range(4):
        pool.prepare_soon(key, account.public, "verify", owner="one")
    pool.prepare_soon("enrolment", account.public, "enrol", owner="one")
    pool._executor.submit(int).result()
    found = {key: pool.take(key) is not None for key in (0, 1, 2, 3, "enrolment")}
    assert found == {0: False, 1: False, 2: True, 3: True, "enrolment": True}
    pool.close()


def test_what_still_queues_is_taken_back(account: Account) -> None:
    pool = MaskPool()
    for key in range(12):
        pool.prepare_soon(key, account.public, "verify", owner=key)
    assert pool.take(11) is None
    assert pool.take(0) is not None
    pool.close()


def test_a_failed_preparation_is_no_masks(account: Account) -> None:
    pool = MaskPool()
    assert pool.prepare_soon("bad", account.public[:-1], "verify", owner="one")
    assert pool.take("bad") is None
    pool.close()
