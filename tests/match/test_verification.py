"""Honest senders: scores, norms and ranges are what the plaintext says, and decisions follow."""

import numpy as np
import pytest

from tests.match.parties import THRESHOLD, Account, at_cosine, unit
from veilface.keyholder.audit import Cause
from veilface.keyholder.decide import Evidence
from veilface.match import verification
from veilface.match.errors import MasksDoNotFit, MasksSpent
from veilface.match.masks import Masks, MaskSet, prepare
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.homomorphic import NORM_CENTRE, NORM_SLACK, RANGE_MAX, SCALE
from veilface.protect.rlwe import NORM_BYTES, RANGE_BYTES, SCORE_BYTES, open_blinded, open_norm, open_range


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


def unblinded(account: Account) -> MaskSet:
    """Masks with ρ = 1, so that a test may read the score."""
    made = account.masks().spend("verify")
    return MaskSet("verify", Masks(refresh=made.refresh, norm=made.norm, score=made.score, blinding=1))


def test_score_norm_and_range_are_those_of_the_plaintext(account: Account) -> None:
    errors, norms, largest = [], [], 0
    template_embedding = unit(0)
    template = account.template(template_embedding)
    for seed in range(1, 41):
        embedding = at_cosine(template_embedding, np.cos(seed / 13), seed)
        probe = account.probe(embedding)
        evidence = verification.probe_evidence(template, probe, threshold=0.25, masks=unblinded(account))
        opened = Evidence.parse(norm=evidence.norm, range_=evidence.range_, score=evidence.score)
        assert opened.score is not None
        score = open_blinded(account.secret, opened.score) / SCALE**2 + 0.25
        errors.append(score - template_embedding @ embedding)
        norms.append(open_norm(account.secret, opened.norm) / SCALE**2)
        largest = max(largest, int(np.abs(open_range(account.secret, opened.range_)).max()))
    assert np.sqrt(np.mean(np.square(errors))) <= 0.001 * 1.3, "rms of 40; 0.0008 over many"
    assert max(abs(norm - NORM_CENTRE) for norm in norms) < NORM_SLACK
    assert abs(np.mean(norms) - NORM_CENTRE) < 0.001
    assert largest <= RANGE_MAX


def test_sizes_are_those_of_the_protocol(account: Account) -> None:
    evidence = account.probe_evidence(account.template(unit(0)), account.probe(unit(1)))
    assert len(evidence.score) == SCORE_BYTES
    assert len(evidence.norm) == NORM_BYTES
    assert len(evidence.range_) == RANGE_BYTES
    assert 256 + 64 + len(evidence.score) + len(evidence.norm) + len(evidence.range_) == 307_520


@pytest.mark.parametrize("seed", range(12))
def test_decisions_follow_the_cosine(account: Account, seed: int) -> None:
    embedding = unit(seed)
    template = account.template(embedding)
    assert account.enrolment_verdict(template) == Cause.NONE
    for cosine, expected in (
        (1.0, Cause.NONE),
        (THRESHOLD + 0.01, Cause.NONE),
        (THRESHOLD - 0.01, Cause.SCORE),
        (0.0, Cause.SCORE),
        (-1.0, Cause.SCORE),
    ):
        probe = account.probe(at_cosine(embedding, cosine, 100 + seed))
        assert account.verdict(template, probe) == expected, cosine


def test_negative_threshold_is_a_threshold_too(account: Account) -> None:
    embedding = unit(5)
    template = account.template(embedding)
    assert account.verdict(template, account.probe(at_cosine(embedding, -0.1, 6)), threshold=-0.2) == Cause.NONE
    assert account.verdict(template, account.probe(at_cosine(embedding, -0.3, 6)), threshold=-0.2) == Cause.SCORE


def test_masks_are_spent_once(account: Account) -> None:
    template, probe, masks = account.template(unit(0)), account.probe(unit(0)), account.masks()
    verification.probe_evidence(template, probe, threshold=THRESHOLD, masks=masks)
    with pytest.raises(MasksSpent):
        verification.probe_evidence(template, probe, threshold=THRESHOLD, masks=masks)


def test_masks_serve_the_purpose_they_were_made_for(account: Account) -> None:
    template, masks = account.template(unit(0)), account.masks()
    with pytest.raises(MasksDoNotFit):
        verification.template_evidence(template, masks=masks)
    assert masks.spend("verify").blinding >= 1, "the refusal spent nothing"


@pytest.mark.parametrize("which", ["template", "probe"])
@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"\xff" * len(data)]
)
def test_malformed_input_is_refused_and_spends_nothing(account: Account, which: str, damage: object) -> None:
    inputs = {"template": account.template(unit(0)), "probe": account.probe(unit(0))}
    assert callable(damage)
    inputs[which] = damage(inputs[which])
    masks = account.masks()
    with pytest.raises(MalformedCiphertext):
        verification.probe_evidence(**inputs, threshold=THRESHOLD, masks=masks)
    masks.spend("verify")


def test_a_malformed_template_is_refused_at_enrolment(account: Account) -> None:
    masks = prepare(account.public, purpose="enrol")
    with pytest.raises(MalformedCiphertext):
        verification.template_evidence(account.template(unit(0))[:-3], masks=masks)
    masks.spend("enrol")
