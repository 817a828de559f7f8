"""Whose signature counts, and from when."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.keyholder.people import Clock, Person, dump
from tests.keyholder.test_refusals import refused
from veilface.keyholder import devices, errors
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.messages import DeviceRecord
from veilface.protect import envelope
from veilface.protect.envelope import MessageType, Outcome


def test_the_first_device_is_active_at_once(holder: KeyHolder, clock: Clock) -> None:
    person = Person(holder)
    record = person.register()
    assert record == DeviceRecord(device_id=person.device, state="active", active_from_ms=clock.now_ms)


def test_a_further_device_waits_a_day(enrolled: Person, clock: Clock) -> None:
    second = enrolled.second_device()
    assert second.register().state == "pending"
    with pytest.raises(errors.DeviceNotActive):
        second.grant(MessageType.VERIFY)
    clock.advance(hours=24, seconds=-0.001)
    with pytest.raises(errors.DeviceNotActive):
        second.grant(MessageType.VERIFY)
    clock.advance(seconds=0.001)
    assert second.verify().outcome == Outcome.ACCEPTED


def test_an_active_device_approves_a_pending_one(enrolled: Person, holder: KeyHolder) -> None:
    second = enrolled.second_device()
    second.register()
    assert holder.approve_device(**enrolled.approval(second).arguments).state == "active"
    assert second.verify().outcome == Outcome.ACCEPTED


def test_a_pending_device_approves_nobody(person: Person, holder: KeyHolder, data: Path) -> None:
    second, third = person.second_device(), person.second_device()
    second.register()
    third.register()
    for approver, approved in ((second, second), (second, third)):
        arguments = approver.approval(approved).arguments
        refused(data, errors.DeviceNotActive, holder.approve_device, **arguments)


def test_an_approval_is_about_one_key_and_device(person: Person, holder: KeyHolder, data: Path) -> None:
    second, third = person.second_device(), person.second_device()
    second.register()
    third.register()
    signed = person.approval(second)
    refused(data, errors.Malformed, holder.approve_device, **signed.arguments | {"device_id": third.device})
    other_key = person.approval(Person(holder, account=person.account, device=second.device))
    refused(data, errors.Malformed, holder.approve_device, **other_key.arguments)


def test_another_persons_device_approves_nobody(person: Person, holder: KeyHolder, data: Path) -> None:
    second, stranger = person.second_device(), Person(holder)
    second.register()
    stranger.register()
    arguments = stranger.approval(second).arguments
    refused(data, errors.UnknownDevice, holder.approve_device, **arguments)


def test_registration_proves_possession(holder: KeyHolder, data: Path) -> None:
    person, thief = Person(holder), Person(holder)
    signed = person.registration()
    forged = thief.sign(signed.header, public_key=person.point)
    refused(data, errors.BadSignature, holder.register_device, **forged.arguments)
    swapped = thief.sign(signed.header, public_key=thief.point)
    refused(data, errors.Malformed, holder.register_device, **swapped.arguments)


def test_a_key_that_is_no_point(holder: KeyHolder, data: Path) -> None:
    person = Person(holder)
    key = b"\x04" + bytes(64)
    header = person.message(MessageType.DEVICE, context=envelope.device_context(key, person.device))
    refused(data, errors.Malformed, holder.register_device, **person.sign(header, public_key=key).arguments)


def test_a_registration_repeated_with_a_new_challenge_changes_no_device(person: Person, holder: KeyHolder) -> None:
    first = holder.account_status(person.account).devices
    assert person.register() == first[0]
    assert holder.account_status(person.account).devices == first


def test_a_device_identifier_belongs_to_one_key(person: Person, holder: KeyHolder, data: Path) -> None:
    thief = Person(holder, account=person.account, device=person.device)
    refused(data, errors.DeviceKnown, holder.register_device, **thief.registration().arguments)


def test_an_account_has_a_bounded_number_of_devices(person: Person, holder: KeyHolder, data: Path) -> None:
    for _ in range(devices.MOST_DEVICES - 1):
        person.second_device().register()
    refused(data, errors.TooManyDevices, holder.register_device, **person.second_device().registration().arguments)


def test_a_revoked_device_is_out_at_once_and_for_good(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    second = enrolled.second_device()
    second.register()
    holder.approve_device(**enrolled.approval(second).arguments)
    under_way = second.verification()
    assert holder.revoke_device(**enrolled.revocation(second.device).arguments).state == "revoked"
    refused(data, errors.DeviceNotActive, holder.verify, **under_way.arguments)
    refused(data, errors.DeviceNotActive, holder.approve_device, **enrolled.approval(second).arguments)
    refused(data, errors.DeviceKnown, holder.register_device, **second.registration().arguments)
    assert enrolled.verify().outcome == Outcome.ACCEPTED


def test_a_revocation_names_one_device(person: Person, holder: KeyHolder, data: Path) -> None:
    second = person.second_device()
    second.register()
    signed = person.revocation(second.device)
    refused(data, errors.Malformed, holder.revoke_device, **signed.arguments | {"device_id": person.device})
    refused(data, errors.UnknownDevice, holder.revoke_device, **person.revocation(bytes(16)).arguments)


def test_whoever_revoked_every_device_waits_for_a_new_one(person: Person, holder: KeyHolder) -> None:
    """Otherwise the server could add a device of its own as if it were the first."""
    holder.revoke_device(**person.revocation(person.device).arguments)
    assert person.second_device().register().state == "pending"


def test_unused_fields_of_a_device_message_are_zero(person: Person, holder: KeyHolder, data: Path) -> None:
    signed = person.second_device().registration()
    used = bytes(range(32))
    for header in (replace(signed.header, key_fp=used), replace(signed.header, template_hash=used)):
        arguments = signed.arguments | {"header": header.to_bytes()}
        refused(data, errors.Malformed, holder.register_device, **arguments)


def test_asking_for_a_device_challenge_leaves_nothing_behind(holder: KeyHolder, data: Path) -> None:
    before = dump(data)
    Person(holder).registration()
    assert dump(data) == before
