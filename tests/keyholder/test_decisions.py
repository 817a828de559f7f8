"""What is accepted, what is not, and that nobody outside can tell why not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.keyholder.people import FACE, PARTS, STRANGER, Clock, Person, Vector, dump, unit, with_part
from veilface.keyholder.core import KeyHolder
from veilface.match import masks, verification
from veilface.protect import rlwe
from veilface.protect.calibration import cosine_threshold
from veilface.protect.envelope import MessageType, Outcome, Receipt
from veilface.protect.ring import Integers
from veilface.protect.rlwe import N, PublicKey


def at_cosine(cosine: float) -> Vector:
    """A unit vector with this cosine to FACE."""
    other = STRANGER - (STRANGER @ FACE) * FACE
    other /= np.linalg.norm(other)
    return np.asarray(cosine * FACE + np.sqrt(1 - cosine**2) * other, np.float64)


def coefficients(face: Vector) -> Integers:
    probe = np.zeros(N, np.int64)
    probe[:128] = np.round(face[::-1] * 2**15)
    return probe


def judged(person: Person, probe: Integers) -> Outcome:
    """The outcome for a probe with any coefficients, which an honest device would never make."""
    signed = person.verification()
    public_key = person.holder.public_key(signed.header.key_fp)
    sealed = rlwe.pack_words(rlwe.encrypt(PublicKey(public_key), probe))
    made = verification.probe_evidence(
        person.template,
        sealed,
        threshold=cosine_threshold(),
        masks=masks.prepare(public_key, purpose="verify"),
    )
    return Receipt.parse(person.holder.verify(**{**signed.arguments, "evidence": made.to_bytes()})).outcome


def test_the_same_face_is_accepted(enrolled: Person) -> None:
    assert enrolled.verify().outcome == Outcome.ACCEPTED


def test_another_face_is_not(enrolled: Person) -> None:
    assert enrolled.verify(STRANGER).outcome == Outcome.NOT_ACCEPTED


@pytest.mark.parametrize(("cosine", "outcome"), [(0.02, Outcome.ACCEPTED), (-0.02, Outcome.NOT_ACCEPTED)])
def test_the_threshold_is_the_contracts(enrolled: Person, cosine: float, outcome: Outcome) -> None:
    assert enrolled.verify(at_cosine(cosine_threshold() + cosine)).outcome == outcome


def with_junk(probe: Integers) -> Integers:
    probe[1000:] = np.random.default_rng(3).integers(-(2**19), 2**19, N - 1000)
    return probe


UNSOUND: dict[str, Callable[[Integers], Integers]] = {
    "norm × 6": lambda probe: probe * 6,
    "norm × 1.02": lambda probe: np.round(probe * 1.02).astype(np.int64),
    "norm × 0.98": lambda probe: np.round(probe * 0.98).astype(np.int64),
    "nothing at all": np.zeros_like,
    "junk beyond the embedding": with_junk,
    "wrap-around modulo the primes of the range": lambda probe: probe + 16736257,
    "wrap-around modulo q3": lambda probe: probe + 974849 * 400,
}


@pytest.mark.parametrize("change", UNSOUND.values(), ids=UNSOUND.keys())
def test_an_unsound_probe_is_not_accepted(enrolled: Person, change: Callable[[Integers], Integers]) -> None:
    assert judged(enrolled, coefficients(FACE)) == Outcome.ACCEPTED
    assert judged(enrolled, change(coefficients(FACE))) == Outcome.NOT_ACCEPTED


def test_a_probe_under_a_foreign_key_is_not_accepted(enrolled: Person, holder: KeyHolder) -> None:
    other = Person(holder)
    other.register()
    other.enrol()
    foreign = other.verification().body
    receipt = Receipt.parse(holder.verify(**{**enrolled.verification().arguments, **foreign}))
    assert receipt.outcome == Outcome.NOT_ACCEPTED


@pytest.mark.parametrize("swapped", ["norm", "range"])
def test_one_swapped_ciphertext_spoils_the_evidence(enrolled: Person, holder: KeyHolder, swapped: str) -> None:
    """A swapped score would open to a uniform number, which is not negative and small enough once in thirty times."""
    other = Person(holder)
    other.register()
    other.enrol()
    foreign, own = other.verification().body["evidence"], enrolled.verification()
    mixed = with_part(own.body["evidence"], swapped, foreign[PARTS[swapped]])
    receipt = Receipt.parse(holder.verify(**{**own.arguments, "evidence": mixed}))
    assert receipt.outcome == Outcome.NOT_ACCEPTED


def test_a_template_that_is_not_a_unit_vector_is_not_accepted(person: Person, data: Path) -> None:
    signed = person.enrolment()
    public_key = person.holder.public_key(signed.header.key_fp)
    scaled = rlwe.pack_words(rlwe.encrypt(PublicKey(public_key), coefficients(FACE) * 3))
    made = verification.template_evidence(scaled, masks=masks.prepare(public_key, purpose="enrol"))
    receipt = Receipt.parse(person.holder.enrol(**{**signed.arguments, "evidence": made.to_bytes()}))
    assert receipt.outcome == Outcome.NOT_ACCEPTED
    assert person.holder.account_status(person.account).epoch is None
    assert not [line for line in dump(data) if line.startswith('INSERT INTO "epochs"')]


def test_failures_look_alike(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    """Three different causes, three receipts that differ in nothing but what must count up."""
    foreign = Person(holder)
    foreign.register()
    foreign.enrol()
    other = foreign.verification().body["evidence"]
    own = enrolled.verification(STRANGER).body["evidence"]
    receipts = []
    for evidence in (own, with_part(own, "norm", other[PARTS["norm"]]), other):
        signed = enrolled.verification(STRANGER)
        receipts.append(Receipt.parse(holder.verify(**{**signed.arguments, "evidence": evidence})))
        clock.advance(seconds=40)
    neutral = {
        replace(
            receipt,
            header_hash=bytes(32),
            time_ms=0,
            total_decisions=receipt.total_decisions - number,
            consecutive_failures=receipt.consecutive_failures - number,
            log_index=0,
            log_head=bytes(32),
            signature=bytes(64),
        )
        for number, receipt in enumerate(receipts)
    }
    assert len(neutral) == 1


def test_the_receipt_answers_the_request(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    signed = enrolled.verification()
    receipt = Receipt.parse(holder.verify(**signed.arguments))
    receipt.verify(holder.identity().public_key, header=signed.header.to_bytes())
    assert receipt.decision == MessageType.VERIFY
    assert receipt.template_hash == signed.header.template_hash
    assert receipt.time_ms == clock.now_ms
    assert receipt.consecutive_failures == 0
    head = holder.audit_head()
    assert (receipt.log_index, receipt.log_head) == (head.index, head.head)


def test_every_receipt_counts_one(enrolled: Person, holder: KeyHolder) -> None:
    """An enrolment, refusals that count nothing, acceptances, rejections and a deletion."""
    totals = [enrolled.verify(unit(1)).total_decisions, enrolled.verify(STRANGER).total_decisions]
    stale = enrolled.verification()
    with pytest.raises(Exception, match="stale_key"):
        holder.verify(**{**stale.arguments, **enrolled.sign(replace(stale.header, key_fp=bytes(32))).arguments})
    totals.append(Receipt.parse(holder.delete(**enrolled.deletion().arguments)).total_decisions)
    assert totals == [2, 3, 4]


def test_the_observer_hears_of_stages_and_seconds_only(data: Path, clock: Clock) -> None:
    heard: list[tuple[str, float]] = []
    with KeyHolder(data, clock=clock, observe=lambda stage, seconds: heard.append((stage, seconds))) as holder:
        person = Person(holder)
        person.register()
        person.enrol()
        heard.clear()
        person.verify()
    assert [stage for stage, _ in heard] == ["parse", "reserve", "unseal", "decide", "record"]
    assert all(seconds > 0 for _, seconds in heard)
