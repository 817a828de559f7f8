"""Steps 1 to 3 of protocol §7: every refusal has its own code, and the database is what it was before."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.keyholder.people import CONTEXT, PARTS, Clock, Person, Signed, dump, with_part
from veilface.keyholder import errors
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.protect import envelope
from veilface.protect.envelope import MessageType
from veilface.protect.suites import Suite

ZERO = bytes(32)


def refused(
    data: Path, error: type[errors.KeyHolderError], ask: Callable[..., object], **arguments: Any
) -> errors.KeyHolderError:
    before = dump(data)
    with pytest.raises(error) as caught:
        ask(**arguments)
    assert type(caught.value) is error
    assert dump(data) == before
    return caught.value


def changed(person: Person, signed: Signed, **fields: Any) -> dict[str, bytes]:
    """The same message with other fields, signed again by the same device."""
    return person.sign(replace(signed.header, **fields), **signed.body).arguments


@pytest.mark.parametrize("length", [0, 255, 257])
def test_a_header_of_another_length(enrolled: Person, data: Path, length: int) -> None:
    arguments = enrolled.verification().arguments | {"header": bytes(length)}
    refused(data, errors.Malformed, enrolled.holder.verify, **arguments)


@pytest.mark.parametrize("offset", [0, 4, 5, 6, 7, 240, 255], ids=lambda offset: f"byte {offset}")
def test_a_header_with_a_wrong_fixed_byte(enrolled: Person, data: Path, offset: int) -> None:
    signed = enrolled.verification()
    header = bytearray(signed.header.to_bytes())
    header[offset] ^= 0x40
    signature = envelope.sign(enrolled.key, bytes(header))
    arguments = signed.arguments | {"header": bytes(header), "signature": signature}
    refused(data, errors.Malformed, enrolled.holder.verify, **arguments)


def test_another_message_type(enrolled: Person, data: Path) -> None:
    """Not even another header, properly signed, is a login; and no login is a payment, nor the other way round."""
    signed = enrolled.verification()
    arguments = changed(enrolled, signed, type=MessageType.IDENTIFY)
    refused(data, errors.Malformed, enrolled.holder.verify, **arguments)
    for got, meant in ((MessageType.VERIFY, MessageType.PAY), (MessageType.PAY, MessageType.VERIFY)):
        arguments = changed(enrolled, enrolled.verification(type_=got), type=meant)
        refused(data, errors.ChallengeForged, enrolled.holder.verify, **arguments)


@pytest.mark.parametrize("name", list(PARTS))
@pytest.mark.parametrize("damage", ["short", "long", "empty", "residue", "zero"])
def test_evidence_that_is_no_ciphertext(enrolled: Person, data: Path, name: str, damage: str) -> None:
    signed = enrolled.verification()
    evidence = signed.body["evidence"]
    whole = evidence[PARTS[name]]
    broken = {
        "short": whole[:-1],
        "long": whole + b"\0",
        "empty": b"",
        "residue": b"\xff\xff\xff" + whole[3:],
        "zero": bytes(len(whole)),
    }[damage]
    refused(
        data,
        errors.Malformed,
        enrolled.holder.verify,
        **signed.arguments | {"evidence": with_part(evidence, name, broken)},
    )


def test_an_unknown_account(enrolled: Person, data: Path) -> None:
    arguments = changed(enrolled, enrolled.verification(), account_id=bytes(16))
    refused(data, errors.UnknownAccount, enrolled.holder.verify, **arguments)


def test_an_unknown_device(enrolled: Person, data: Path) -> None:
    arguments = changed(enrolled, enrolled.verification(), device_id=bytes(16))
    refused(data, errors.UnknownDevice, enrolled.holder.verify, **arguments)


def test_a_revoked_device(enrolled: Person, data: Path) -> None:
    signed = enrolled.verification()
    enrolled.holder.revoke_device(**enrolled.revocation(enrolled.device).arguments)
    refused(data, errors.DeviceNotActive, enrolled.holder.verify, **signed.arguments)
    refused(data, errors.DeviceNotActive, enrolled.grant, type_=MessageType.VERIFY)


def test_a_person_who_is_not_enrolled(person: Person, data: Path) -> None:
    for type_ in (MessageType.VERIFY, MessageType.DELETE):
        refused(data, errors.NotEnrolled, person.grant, type_=type_)


def test_a_foreign_key(enrolled: Person, data: Path) -> None:
    arguments = changed(enrolled, enrolled.verification(), key_fp=bytes(range(32)))
    refused(data, errors.StaleKey, enrolled.holder.verify, **arguments)


def test_the_key_of_an_older_epoch(enrolled: Person, data: Path) -> None:
    signed = enrolled.verification()
    enrolled.enrol()
    refused(data, errors.StaleKey, enrolled.holder.verify, **signed.arguments)


def test_another_embedding_contract(enrolled: Person, data: Path) -> None:
    signed = enrolled.verification()
    refused(data, errors.WrongContract, enrolled.holder.verify, **changed(enrolled, signed, model_fp=ZERO))


def test_a_template_enrolled_under_an_older_contract(enrolled: Person, data: Path, clock: Clock) -> None:
    signed = enrolled.verification()
    assert isinstance(enrolled.holder, KeyHolder)
    enrolled.holder.close()
    with KeyHolder(data, clock=clock, model_fps=dict.fromkeys(Suite, bytes(range(32)))) as holder:
        refused(data, errors.WrongContract, holder.verify, **signed.arguments)
        arguments = changed(enrolled, signed, model_fp=bytes(range(32)))
        refused(data, errors.WrongContract, holder.verify, **arguments)


def test_another_accounts_template(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    other = Person(holder)
    other.register()
    other.enrol()
    foreign = other.verification().header.template_hash
    arguments = changed(enrolled, enrolled.verification(), template_hash=foreign)
    refused(data, errors.WrongTemplate, holder.verify, **arguments)


def test_another_persons_device(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    other = Person(holder)
    other.register()
    signed = enrolled.verification()
    refused(data, errors.UnknownDevice, holder.verify, **changed(other, signed, device_id=other.device))
    refused(data, errors.BadSignature, holder.verify, **changed(other, signed))


@pytest.mark.parametrize("offset", [0, 31, 32, 63])
def test_a_tampered_signature(enrolled: Person, data: Path, offset: int) -> None:
    signed = enrolled.verification()
    signature = bytearray(signed.signature)
    signature[offset] ^= 1
    refused(data, errors.BadSignature, enrolled.holder.verify, **signed.arguments | {"signature": bytes(signature)})
    assert enrolled.holder.verify(**signed.arguments)  # the challenge was not burnt by the forgery


def test_a_signature_over_another_header(enrolled: Person, data: Path) -> None:
    signed = enrolled.verification()
    other = replace(signed.header, issued_ms=1).to_bytes()
    refused(data, errors.BadSignature, enrolled.holder.verify, **signed.arguments | {"header": other})


@pytest.mark.parametrize("offset", [0, 8, 16, 31])
def test_a_forged_challenge(enrolled: Person, data: Path, offset: int) -> None:
    signed = enrolled.verification()
    challenge = bytearray(signed.header.challenge)
    challenge[offset] ^= 1
    arguments = changed(enrolled, signed, challenge=bytes(challenge))
    refused(data, errors.ChallengeForged, enrolled.holder.verify, **arguments)


def test_a_challenge_for_another_purpose(enrolled: Person, data: Path) -> None:
    signed = enrolled.verification()
    for challenge in (
        enrolled.grant(MessageType.DELETE).challenge,
        enrolled.grant(MessageType.VERIFY, context=ZERO).challenge,
        enrolled.grant(MessageType.DEVICE).challenge,
    ):
        arguments = changed(enrolled, signed, challenge=challenge)
        refused(data, errors.ChallengeForged, enrolled.holder.verify, **arguments)


def test_a_challenge_for_another_account(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    other = Person(holder)
    other.register()
    other.enrol()
    challenge = other.grant(MessageType.VERIFY).challenge
    arguments = changed(enrolled, enrolled.verification(), challenge=challenge)
    refused(data, errors.ChallengeForged, holder.verify, **arguments)


def test_an_expired_challenge(enrolled: Person, data: Path, clock: Clock) -> None:
    signed = enrolled.verification()
    clock.advance(seconds=90)
    refused(data, errors.ChallengeExpired, enrolled.holder.verify, **signed.arguments)
    clock.advance(seconds=-0.001)
    assert enrolled.holder.verify(**signed.arguments)


def test_a_replay(enrolled: Person, data: Path) -> None:
    signed = enrolled.verification()
    enrolled.holder.verify(**signed.arguments)
    refused(data, errors.ChallengeReplayed, enrolled.holder.verify, **signed.arguments)


def test_a_replay_after_a_restart(enrolled: Person, data: Path, clock: Clock) -> None:
    signed = enrolled.verification()
    enrolled.holder.verify(**signed.arguments)
    assert isinstance(enrolled.holder, KeyHolder)
    enrolled.holder.close()
    with KeyHolder(data, clock=clock) as holder:
        refused(data, errors.ChallengeReplayed, holder.verify, **signed.arguments)


def test_a_replayed_enrolment_and_deletion(enrolled: Person, data: Path) -> None:
    enrolment = enrolled.enrolment()
    enrolled.holder.enrol(**enrolment.arguments)
    refused(data, errors.StaleKey, enrolled.holder.enrol, **enrolment.arguments)
    enrolled.activate(enrolment)
    deletion = enrolled.deletion()
    enrolled.holder.delete(**deletion.arguments)
    refused(data, errors.NotEnrolled, enrolled.holder.delete, **deletion.arguments)


def test_an_enrolment_by_a_device_that_is_not_active(person: Person, data: Path) -> None:
    second = person.second_device()
    second.register()
    refused(data, errors.DeviceNotActive, second.grant, type_=MessageType.ENROL)


def test_an_enrolment_signed_by_nobody(person: Person, data: Path) -> None:
    signed = person.enrolment()
    stranger = Person(person.holder)
    signature = stranger.sign(signed.header).signature
    refused(data, errors.BadSignature, person.holder.enrol, **signed.arguments | {"signature": signature})


def test_an_enrolment_under_another_contract(person: Person, data: Path) -> None:
    signed = person.enrolment()
    refused(data, errors.WrongContract, person.holder.enrol, **changed(person, signed, model_fp=ZERO))


def test_a_deletion_that_names_another_template_or_key(enrolled: Person, data: Path) -> None:
    signed = enrolled.deletion()
    delete = enrolled.holder.delete
    refused(data, errors.WrongTemplate, delete, **changed(enrolled, signed, template_hash=ZERO))
    refused(data, errors.StaleKey, delete, **changed(enrolled, signed, key_fp=ZERO))
    refused(data, errors.Malformed, delete, **changed(enrolled, signed, body_hash=ZERO))


def test_an_account_is_no_gallery_to_search(enrolled: Person, data: Path) -> None:
    refused(data, GalleryUnknown, enrolled.grant, type_=MessageType.IDENTIFY)


def test_identifiers_of_a_wrong_length(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    ask = {"type": MessageType.VERIFY, "account": enrolled.account, "device": enrolled.device, "context_hash": CONTEXT}
    for name in ("account", "device", "context_hash"):
        refused(data, errors.Malformed, holder.issue_challenge, **ask | {name: b"short"})
    refused(data, errors.Malformed, holder.public_key, key_fp=b"short")
    refused(data, errors.Malformed, holder.account_status, account=b"short")


def test_a_key_that_does_not_exist(holder: KeyHolder, data: Path) -> None:
    refused(data, errors.StaleKey, holder.public_key, key_fp=ZERO)
