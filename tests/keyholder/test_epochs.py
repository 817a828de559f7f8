"""One current key at every moment: enrol, re-enrol, activate, delete, forget."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.keyholder.people import FACE, STRANGER, Clock, Person, dump, unit
from tests.keyholder.test_refusals import refused
from veilface.keyholder import audit, errors
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.messages import forget_message
from veilface.keyholder.store import FILE_NAME
from veilface.protect.envelope import KeyCert, KeyPurpose, MessageType, Outcome, Receipt


def wrapped_keys(holder: KeyHolder) -> list[bytes]:
    with holder._office.store.reading() as db:
        return [row["wrapped"] for row in db.execute("SELECT wrapped FROM epochs")]


def on_disk(data: Path, needle: bytes) -> bool:
    return any(needle in path.read_bytes() for path in data.glob(f"{FILE_NAME}*"))


def test_an_enrolment_counts_only_when_activated(person: Person, holder: KeyHolder) -> None:
    signed = person.enrolment()
    receipt = Receipt.parse(holder.enrol(**signed.arguments))
    receipt.verify(holder.identity().public_key, header=signed.header.to_bytes())
    assert (receipt.outcome, receipt.template_hash) == (Outcome.ACCEPTED, signed.header.body_hash)
    assert holder.account_status(person.account).epoch is None
    person.activate(signed)
    assert person.verify().outcome == Outcome.ACCEPTED


def test_activation_twice_changes_nothing_more(person: Person, holder: KeyHolder, data: Path) -> None:
    signed = person.enrolment()
    holder.enrol(**signed.arguments)
    person.activate(signed)
    before = dump(data)
    holder.activate(account=person.account, epoch=1, template_hash=signed.header.body_hash)
    assert dump(data) == before


def test_only_the_waiting_epoch_can_be_activated(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    signed = enrolled.enrolment()
    account, template_hash = enrolled.account, signed.header.body_hash
    refused(data, errors.ActivationStale, holder.activate, account=account, epoch=2, template_hash=template_hash)
    holder.enrol(**signed.arguments)
    refused(data, errors.ActivationStale, holder.activate, account=account, epoch=2, template_hash=bytes(32))
    refused(data, errors.ActivationStale, holder.activate, account=account, epoch=3, template_hash=template_hash)
    refused(data, errors.UnknownAccount, holder.activate, account=bytes(16), epoch=2, template_hash=template_hash)


def test_reenrolment_replaces_the_key_when_it_is_activated(enrolled: Person, holder: KeyHolder) -> None:
    old = wrapped_keys(holder)[0]
    old_template = enrolled.template
    signed = enrolled.enrolment(STRANGER)
    holder.enrol(**signed.arguments)
    enrolled.template, new_template = old_template, enrolled.template
    assert enrolled.verify(FACE).outcome == Outcome.ACCEPTED  # the old one works until the new one is safe
    enrolled.template = new_template
    enrolled.activate(signed)
    assert old not in wrapped_keys(holder)
    assert enrolled.verify(STRANGER).outcome == Outcome.ACCEPTED
    assert enrolled.verify(FACE).outcome == Outcome.NOT_ACCEPTED


def test_a_rejected_reenrolment_leaves_the_old_template_working(enrolled: Person, holder: KeyHolder) -> None:
    before = holder.account_status(enrolled.account)
    old_template, stranger = enrolled.template, Person(holder)
    stranger.register()
    signed = enrolled.enrolment()
    foreign = stranger.enrolment().body
    assert Receipt.parse(holder.enrol(**{**signed.arguments, **foreign})).outcome == Outcome.NOT_ACCEPTED
    enrolled.template = old_template
    after = holder.account_status(enrolled.account)
    assert (after.epoch, after.template_hash) == (before.epoch, before.template_hash)
    assert enrolled.verify().outcome == Outcome.ACCEPTED


def test_a_key_is_judged_once(person: Person, holder: KeyHolder, data: Path) -> None:
    """A second enrolment under the same key would be a second look at what it hides."""
    challenge = person.grant(MessageType.ENROL).challenge
    signed = person.enrolment()
    again = person.sign(replace(signed.header, challenge=challenge), **signed.body)
    assert Receipt.parse(holder.enrol(**signed.arguments)).outcome == Outcome.ACCEPTED
    refused(data, errors.StaleKey, holder.enrol, **again.arguments)


def test_asking_again_makes_a_fresh_key_and_drops_the_one_before(person: Person, holder: KeyHolder) -> None:
    first, second = person.grant(MessageType.ENROL), person.grant(MessageType.ENROL)
    assert first.key_fp is not None
    assert first.key_fp != second.key_fp
    assert (first.epoch, second.epoch) == (1, 2)
    assert len(wrapped_keys(holder)) == 1
    with pytest.raises(errors.StaleKey):
        holder.public_key(first.key_fp)


def test_an_account_never_has_more_than_three_keys(enrolled: Person, holder: KeyHolder) -> None:
    for _ in range(3):
        holder.enrol(**enrolled.enrolment().arguments)
        enrolled.grant(MessageType.ENROL)
    assert len(wrapped_keys(holder)) == 3


def test_an_abandoned_pending_key_is_dropped_in_time(person: Person, holder: KeyHolder, clock: Clock) -> None:
    person.grant(MessageType.ENROL)
    clock.advance(hours=2)
    person.second_device().register()
    assert wrapped_keys(holder) == []


def test_the_certificate_is_about_this_key_account_and_time(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    for type_ in (MessageType.ENROL, MessageType.VERIFY, MessageType.DELETE):
        grant = enrolled.grant(type_)
        assert grant.key_cert is not None
        certificate = KeyCert.parse(grant.key_cert)
        certificate.verify(holder.identity().public_key)
        assert (certificate.purpose, certificate.subject_id) == (KeyPurpose.ACCOUNT, enrolled.account)
        assert (certificate.key_fp, certificate.epoch) == (grant.key_fp, grant.epoch)
        assert certificate.not_before < clock.now_ms < certificate.not_after


def test_deletion_erases_the_key_and_leaves_a_tombstone(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    wrapped = wrapped_keys(holder)[0]
    assert on_disk(data, wrapped[12:44])
    signed = enrolled.deletion()
    receipt = Receipt.parse(holder.delete(**signed.arguments))
    receipt.verify(holder.identity().public_key, header=signed.header.to_bytes())
    assert (receipt.decision, receipt.outcome) == (MessageType.DELETE, Outcome.ACCEPTED)
    assert receipt.template_hash == signed.header.template_hash
    assert wrapped_keys(holder) == []
    assert not on_disk(data, wrapped[12:44])
    assert holder.account_status(enrolled.account).epoch is None
    with holder._office.store.reading() as db:
        rows = db.execute("SELECT epoch, reason FROM tombstones").fetchall()
    assert [tuple(row) for row in rows] == [(1, "deleted")]
    with pytest.raises(errors.NotEnrolled):
        enrolled.grant(MessageType.VERIFY)


def test_replaced_keys_leave_the_disk_too(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    wrapped = wrapped_keys(holder)[0]
    enrolled.enrol()
    assert not on_disk(data, wrapped[12:44])


def test_after_a_deletion_one_can_enrol_anew(enrolled: Person, holder: KeyHolder) -> None:
    holder.delete(**enrolled.deletion().arguments)
    assert enrolled.enrol(unit(7)).outcome == Outcome.ACCEPTED
    assert holder.account_status(enrolled.account).epoch == 2
    assert enrolled.verify(unit(7)).outcome == Outcome.ACCEPTED


def test_a_forgotten_account_is_gone_for_good(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    under_way = enrolled.verification()
    receipt = Receipt.parse(holder.forget_account(account=enrolled.account))
    receipt.verify(holder.identity().public_key, header=forget_message(enrolled.account))
    assert receipt.total_decisions == 2
    assert wrapped_keys(holder) == []
    rows = dump(data)
    assert not [row for row in rows if row.startswith(('INSERT INTO "devices"', 'INSERT INTO "attempts"'))]
    refused(data, errors.AccountForgotten, holder.verify, **under_way.arguments)
    refused(data, errors.AccountForgotten, holder.forget_account, account=enrolled.account)
    refused(data, errors.AccountForgotten, enrolled.grant, type_=MessageType.DEVICE)
    refused(data, errors.UnknownAccount, holder.forget_account, account=bytes(16))
    assert audit.check(data).records == receipt.log_index


@contextmanager
def interrupted(data: Path, clock: Clock) -> Iterator[tuple[KeyHolder, list[Callable[[], object]]]]:
    """A key holder that does what was put into the list between opening evidence and recording the decision."""
    meanwhile: list[Callable[[], object]] = []

    def interfere(stage: str, _seconds: float) -> None:
        if stage == "decide" and meanwhile:
            meanwhile.pop()()

    with KeyHolder(data, clock=clock, observe=interfere) as holder:
        yield holder, meanwhile


def test_what_changed_while_it_was_judged_is_not_accepted(data: Path, clock: Clock) -> None:
    """Between opening the evidence and recording the decision the device is revoked, then the key replaced."""
    with interrupted(data, clock) as (holder, meanwhile):
        person = Person(holder)
        person.register()
        person.enrol()
        second = person.second_device()
        second.register()
        holder.approve_device(**person.approval(second).arguments)
        revocation = person.revocation(second.device)
        signed = second.verification()
        meanwhile.append(lambda: holder.revoke_device(**revocation.arguments))
        assert Receipt.parse(holder.verify(**signed.arguments)).outcome == Outcome.NOT_ACCEPTED
        waiting, signed = person.enrolment(), person.verification()
        holder.enrol(**waiting.arguments)
        meanwhile.append(lambda: person.activate(waiting))
        assert Receipt.parse(holder.verify(**signed.arguments)).outcome == Outcome.NOT_ACCEPTED
        enrolment = person.enrolment()
        meanwhile.append(lambda: person.grant(MessageType.ENROL))
        assert Receipt.parse(holder.enrol(**enrolment.arguments)).outcome == Outcome.NOT_ACCEPTED


def test_a_second_message_for_the_same_key_does_not_erase_what_the_first_made_current(data: Path, clock: Clock) -> None:
    """A challenge does not name its key, so two messages may be judged under one: the late one takes nothing away."""
    with interrupted(data, clock) as (holder, meanwhile):
        person = Person(holder)
        person.register()
        spare = person.grant(MessageType.ENROL).challenge
        first = person.enrolment()
        late = person.sign(replace(first.header, challenge=spare), **first.body)

        def first_wins() -> None:
            holder.enrol(**first.arguments)
            person.activate(first)

        meanwhile.append(first_wins)
        assert Receipt.parse(holder.enrol(**late.arguments)).outcome == Outcome.NOT_ACCEPTED
        assert holder.account_status(person.account).template_hash == first.header.body_hash
        assert person.verify().outcome == Outcome.ACCEPTED
