"""Malicious senders with a valid key: every forged probe or template fails range, norm or score (protocol §12)."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from tests.match.parties import Account, at_cosine, unit
from veilface.keyholder.audit import Cause
from veilface.protect.homomorphic import NORM_CENTRE, SCALE, encode_probe
from veilface.protect.ring import DATA, N

Q1, Q2, Q3 = DATA.primes
ENROLLED = unit(0)
STRANGER = at_cosine(ENROLLED, 0.25, 1)


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


@pytest.fixture(scope="module")
def template(account: Account) -> bytes:
    return account.template(ENROLLED)


def squares(total: int) -> Iterator[int]:
    """Integers whose squares sum to ``total``, greedily."""
    while total:
        root = math.isqrt(total)
        yield root
        total -= root * root


def test_the_stranger_is_no_match(account: Account, template: bytes) -> None:
    assert account.verdict(template, account.probe(STRANGER)) == Cause.SCORE


@pytest.mark.parametrize("scale", [1.05, 2, 2.2, 3, 6, 10, 25])
def test_a_longer_vector_fails_the_norm(account: Account, template: bytes, scale: float) -> None:
    assert account.verdict(template, account.probe(STRANGER, scale=scale)) & Cause.NORM
    assert account.enrolment_verdict(account.template(STRANGER)) == Cause.NONE
    scaled = [round(scale * c) for c in encode_probe(STRANGER).tolist()]
    assert account.enrolment_verdict(account.encrypt(scaled)) & Cause.NORM


def test_a_shorter_vector_fails_the_norm(account: Account, template: bytes) -> None:
    assert account.verdict(template, account.probe(ENROLLED, scale=0.9)) & Cause.NORM


@pytest.mark.parametrize("places", [[128], [4095], range(128, 4096), range(2000, 2100)])
def test_junk_beyond_the_embedding_counts_in_the_norm(account: Account, template: bytes, places: list[int]) -> None:
    size = round(SCALE * 0.2 / math.sqrt(len(places)))
    junk = {place: size if place % 2 else -size for place in places}
    assert account.verdict(template, account.probe(ENROLLED, junk=junk)) == Cause.NORM


@pytest.mark.parametrize("wraps", [1, 2, 7])
def test_a_norm_that_wraps_around_fails_the_range(account: Account, template: bytes, wraps: int) -> None:
    """×6, and junk that brings the squared length to exactly the right value modulo q."""
    long = [round(6 * c) for c in encode_probe(STRANGER).tolist()]
    missing = round(NORM_CENTRE * SCALE**2) + wraps * DATA.modulus - sum(c * c for c in long)
    junk = dict(enumerate(squares(missing), start=2000))
    assert (sum(c * c for c in long) + missing) % DATA.modulus == round(NORM_CENTRE * SCALE**2)
    assert account.verdict(template, account.probe(STRANGER, scale=6, junk=junk)) & Cause.RANGE


@pytest.mark.parametrize("modulus", [Q1, Q2, Q1 * Q2, Q1 * Q3, Q2 * Q3])
def test_multiples_of_some_primes_fail(account: Account, template: bytes, modulus: int) -> None:
    """Invisible modulo one prime, large modulo another."""
    for junk in ({0: modulus}, {64: -modulus}, {3000: modulus}, dict.fromkeys(range(128), modulus)):
        assert account.verdict(template, account.probe(STRANGER, junk=junk)) & (Cause.RANGE | Cause.NORM)


@pytest.mark.parametrize("steps", [1, 5, 100])
def test_multiples_of_the_dropped_prime_within_the_range_fail_the_norm(
    account: Account, template: bytes, steps: int
) -> None:
    verdict = account.verdict(template, account.probe(STRANGER, junk={int(np.argmax(ENROLLED)): steps * Q3}))
    assert verdict & Cause.NORM


def test_multiples_of_q_change_nothing(account: Account, template: bytes) -> None:
    junk = dict.fromkeys(range(N), DATA.modulus)
    assert account.verdict(template, account.probe(STRANGER, junk=junk)) == Cause.SCORE
    assert account.verdict(template, account.probe(ENROLLED, junk=junk)) == Cause.NONE


def test_random_ciphertexts_fail_the_range(account: Account, template: bytes) -> None:
    rng = np.random.default_rng(7)
    random = rng.integers(-(2**40), 2**40, N).tolist()
    assert account.verdict(template, account.encrypt(random)) & Cause.RANGE
    assert account.enrolment_verdict(account.encrypt(random)) & Cause.RANGE


def test_a_probe_under_a_foreign_key_fails_the_range(account: Account, template: bytes) -> None:
    assert account.verdict(template, Account().probe(ENROLLED)) & Cause.RANGE


def test_a_template_under_a_foreign_key_fails_the_range_at_enrolment(account: Account) -> None:
    assert account.enrolment_verdict(Account().template(ENROLLED)) & Cause.RANGE


def test_a_template_under_a_foreign_key_scores_at_random(account: Account) -> None:
    """Uniform modulo q, so in [0, 2^63] about once in 25: the template hash in the signed header is what forbids it."""
    foreign, probe = Account().template(ENROLLED), account.probe(ENROLLED)
    accepted = sum(account.verdict(foreign, probe) == Cause.NONE for _ in range(12))
    assert accepted < 6


def test_a_replayed_template_is_no_probe(account: Account, template: bytes) -> None:
    """Stolen from the server's database and sent as a probe: in the wrong order of coefficients."""
    assert account.verdict(template, template) == Cause.SCORE
