"""The counters of protocol §7, to the attempt and to the millisecond."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.keyholder.people import STRANGER, Clock, Person, dump
from veilface.keyholder import audit
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.limits import Policy
from veilface.protect.envelope import MessageType, Outcome, Receipt

UNLIMITED = 10**6


def fail(person: Person, clock: Clock, times: int, *, every_seconds: float = 0) -> None:
    for _ in range(times):
        assert person.verify(STRANGER).outcome == Outcome.NOT_ACCEPTED
        clock.advance(seconds=every_seconds)


def rows(data: Path, table: str) -> list[str]:
    return [line for line in dump(data) if line.startswith(f'INSERT INTO "{table}"')]


def test_five_failures_cost_a_pause_before_each_further_attempt(
    enrolled: Person, holder: KeyHolder, clock: Clock
) -> None:
    fail(enrolled, clock, 5)
    for _ in range(2):
        assert enrolled.verify().outcome == Outcome.RETRY_LATER
        assert holder.account_status(enrolled.account).retry_at_ms == clock.now_ms + 30_000
        clock.advance(seconds=29.999)
        assert enrolled.verify().outcome == Outcome.RETRY_LATER
        clock.advance(seconds=0.001)
        assert holder.account_status(enrolled.account).retry_at_ms is None
        assert enrolled.verify(STRANGER).outcome == Outcome.NOT_ACCEPTED
    clock.advance(seconds=30)
    assert enrolled.verify().outcome == Outcome.ACCEPTED
    assert enrolled.verify().outcome == Outcome.ACCEPTED


def test_four_failures_cost_nothing(enrolled: Person, clock: Clock) -> None:
    for _ in range(3):
        fail(enrolled, clock, 4)
        assert enrolled.verify().consecutive_failures == 0


def test_a_request_turned_away_is_answered_but_not_judged(
    enrolled: Person, holder: KeyHolder, clock: Clock, data: Path
) -> None:
    fail(enrolled, clock, 5)
    before = rows(data, "attempts")
    signed = enrolled.verification()
    receipt = Receipt.parse(holder.verify(**signed.arguments))
    receipt.verify(holder.identity().public_key, header=signed.header.to_bytes())
    assert (receipt.outcome, receipt.consecutive_failures) == (Outcome.RETRY_LATER, 5)
    assert receipt.total_decisions == 7
    assert rows(data, "attempts") == before
    assert enrolled.verify().total_decisions == 8


def test_the_pause_is_the_devices_too(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    """A success on one device does not end the row of failures of another."""
    second = enrolled.second_device()
    second.register()
    holder.approve_device(**enrolled.approval(second).arguments)
    fail(second, clock, 5)
    clock.advance(seconds=30)
    assert enrolled.verify().consecutive_failures == 0
    assert second.verify().outcome == Outcome.ACCEPTED  # thirty seconds have passed for it as well
    fail(second, clock, 5)
    clock.advance(seconds=30)
    enrolled.verify()
    fail(second, clock, 1)
    assert second.verify().outcome == Outcome.RETRY_LATER
    assert enrolled.verify().outcome == Outcome.ACCEPTED


@pytest.fixture
def patient(data: Path, clock: Clock) -> Iterator[Person]:
    """Somebody enrolled at a key holder that counts consecutive failures only."""
    policy = Policy(per_hour=UNLIMITED, per_day=UNLIMITED, failures_per_30_days=UNLIMITED)
    with KeyHolder(data, clock=clock, policy=policy) as holder:
        person = Person(holder)
        person.register()
        person.enrol()
        yield person


def test_fifty_failures_in_a_row_disable_until_the_next_enrolment(patient: Person, clock: Clock) -> None:
    fail(patient, clock, 50, every_seconds=30)
    clock.advance(days=365)
    receipt = patient.verify()
    assert (receipt.outcome, receipt.consecutive_failures) == (Outcome.DISABLED, 50)
    assert patient.holder.account_status(patient.account).disabled
    assert patient.enrol().outcome == Outcome.ACCEPTED
    assert not patient.holder.account_status(patient.account).disabled
    assert patient.verify().outcome == Outcome.ACCEPTED


def test_a_rejected_or_unfinished_enrolment_enables_nothing(patient: Person, clock: Clock) -> None:
    fail(patient, clock, 50, every_seconds=30)
    template = patient.template
    patient.holder.enrol(**patient.enrolment().arguments)
    patient.template = template
    assert patient.verify().outcome == Outcome.DISABLED


def test_a_deletion_resets_nothing(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    fail(enrolled, clock, 5)
    holder.delete(**enrolled.deletion().arguments)
    assert Receipt.parse(holder.enrol(**enrolled.enrolment().arguments)).outcome == Outcome.RETRY_LATER


def test_twenty_decisions_an_hour(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    """The enrolment was one of them."""
    for _ in range(19):
        clock.advance(seconds=60)
        assert enrolled.verify().outcome == Outcome.ACCEPTED
    assert enrolled.verify().outcome == Outcome.RETRY_LATER
    assert holder.account_status(enrolled.account).retry_at_ms == clock.now_ms - 19 * 60_000 + 3_600_000
    clock.advance(seconds=41 * 60 - 0.001)
    assert enrolled.verify().outcome == Outcome.RETRY_LATER
    clock.advance(seconds=0.001)
    assert enrolled.verify().outcome == Outcome.ACCEPTED
    assert enrolled.verify().outcome == Outcome.RETRY_LATER


def test_a_hundred_decisions_a_day(enrolled: Person, clock: Clock) -> None:
    enrolled_at = clock.now_ms
    for _ in range(99):
        clock.advance(seconds=240)
        assert enrolled.verify().outcome == Outcome.ACCEPTED
    clock.advance(hours=2)
    assert enrolled.verify().outcome == Outcome.RETRY_LATER
    clock.now_ms = enrolled_at + 24 * 3_600_000 - 1
    assert enrolled.verify().outcome == Outcome.RETRY_LATER
    clock.now_ms += 1
    assert enrolled.verify().outcome == Outcome.ACCEPTED


def test_fifty_failures_in_thirty_days(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    """Successes in between end the row of failures, not the count."""
    started = clock.now_ms
    for _ in range(13):
        fail(enrolled, clock, 4)
        if enrolled.verify().outcome == Outcome.RETRY_LATER:
            break
        clock.advance(hours=12)
        if sum("'failed'" in row for row in rows_of(holder)) == 48:
            fail(enrolled, clock, 2)
            break
    assert enrolled.verify().outcome == Outcome.RETRY_LATER
    clock.now_ms = started + 30 * 24 * 3_600_000 - 1
    assert enrolled.verify().outcome == Outcome.RETRY_LATER
    clock.now_ms += 1
    assert enrolled.verify().outcome == Outcome.ACCEPTED


def rows_of(holder: KeyHolder) -> list[str]:
    with holder._office.store.reading() as db:
        return [str(tuple(row)) for row in db.execute("SELECT outcome FROM attempts")]


def test_a_restart_keeps_every_counter(enrolled: Person, holder: KeyHolder, data: Path, clock: Clock) -> None:
    fail(enrolled, clock, 5)
    before = dump(data)
    holder.close()
    with KeyHolder(data, clock=clock) as reopened:
        assert dump(data) == before
        enrolled.holder = reopened
        receipt = enrolled.verify()
        assert (receipt.outcome, receipt.consecutive_failures) == (Outcome.RETRY_LATER, 5)
        assert receipt.total_decisions == 7


def test_a_clock_set_back_frees_nobody(enrolled: Person, clock: Clock) -> None:
    clock.advance(hours=2)
    fail(enrolled, clock, 5)
    clock.advance(hours=-1)
    assert enrolled.verify().outcome == Outcome.RETRY_LATER


def test_attempts_side_by_side_never_pass_a_limit(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    signed = [enrolled.verification(STRANGER) for _ in range(24)]
    with ThreadPoolExecutor(12) as pool:
        receipts = [Receipt.parse(raw) for raw in pool.map(lambda one: holder.verify(**one.arguments), signed)]
    assert Counter(receipt.outcome for receipt in receipts) == {Outcome.NOT_ACCEPTED: 5, Outcome.RETRY_LATER: 19}
    assert sorted(receipt.total_decisions for receipt in receipts) == list(range(2, 26))
    assert holder.account_status(enrolled.account).retry_at_ms is not None
    assert audit.check(data).records == max(receipt.log_index for receipt in receipts)


def test_successes_side_by_side_never_pass_the_hourly_limit(enrolled: Person, holder: KeyHolder) -> None:
    """No more than five are ever open together, so some are turned away early; never are too many let through."""
    signed = [enrolled.verification() for _ in range(40)]
    with ThreadPoolExecutor(4) as pool:
        receipts = [Receipt.parse(raw) for raw in pool.map(lambda one: holder.verify(**one.arguments), signed)]
    outcomes = Counter(receipt.outcome for receipt in receipts)
    assert outcomes == {Outcome.ACCEPTED: 19, Outcome.RETRY_LATER: 21}
    assert sorted(receipt.total_decisions for receipt in receipts) == list(range(2, 42))


def test_one_challenge_is_good_for_one_of_many(enrolled: Person, holder: KeyHolder) -> None:
    signed = enrolled.verification()

    def ask(_: int) -> str:
        try:
            return Receipt.parse(holder.verify(**signed.arguments)).outcome.name
        except Exception as error:  # noqa: BLE001 – counted below by its name
            return type(error).__name__

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(ask, range(16))) == {"ACCEPTED": 1, "ChallengeReplayed": 15}


def test_one_persons_failures_are_not_anothers(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    other = Person(holder)
    other.register()
    other.enrol()
    fail(enrolled, clock, 5)
    assert other.verify().outcome == Outcome.ACCEPTED


def test_enrolments_are_decisions(person: Person, holder: KeyHolder) -> None:
    for _ in range(20):
        holder.enrol(**person.enrolment().arguments)
    receipt = Receipt.parse(holder.enrol(**person.enrolment().arguments))
    assert (receipt.decision, receipt.outcome) == (MessageType.ENROL, Outcome.RETRY_LATER)
    assert receipt.total_decisions == 21
