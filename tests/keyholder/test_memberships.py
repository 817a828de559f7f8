"""Whom a gallery may hold: those who joined it with the key they have now, and those whom its kiosk registered."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tests.keyholder.kiosks import Kiosk, enrolment, joining
from tests.keyholder.people import FACE, STRANGER, Person
from tests.keyholder.test_audit import entries
from tests.keyholder.test_decisions import at_cosine
from tests.keyholder.test_limits import rows
from tests.keyholder.test_refusals import refused
from veilface.keyholder import errors
from veilface.keyholder.audit import Cause, Event
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.gallery_client import RemotePacker
from veilface.keyholder.gallery_errors import GalleryUnknown, PackUnknown, TooManyEpochs, WrongSubject
from veilface.match.conversion import SubjectKey, masked
from veilface.match.gallery_truth import Enrolment
from veilface.protect.envelope import KeyCert, KeyPurpose, MessageType, Outcome, Receipt
from veilface.protect.gallery import Masked
from veilface.protect.stream import Stream

GALLERY, OTHER = bytes(range(16)), bytes(range(1, 17))


@pytest.fixture
def kiosk(holder: KeyHolder) -> Kiosk:
    made = Kiosk(holder, account=GALLERY)
    made.create()
    made.register()
    return made


@pytest.fixture
def member(kiosk: Kiosk, enrolled: Person) -> Person:
    """Somebody who joined."""
    enrolled.holder.gallery_opt_in(**joining(enrolled, kiosk.account).arguments)
    return enrolled


def hidden(one: Enrolment) -> Masked:
    return masked(one.template, SubjectKey(one.public_key, one.key_fp), Stream())[0]


def packs(holder: KeyHolder, one: Enrolment, gallery: bytes = GALLERY) -> bool:
    """Whether the key holder lets a template into a block."""
    return RemotePacker(holder, gallery).pack(1, [None, hidden(one)]).refused == ()


# --- joining and leaving ---------------------------------------------------------------------------------


def test_joining_and_leaving_are_signed_receipted_and_recorded(
    kiosk: Kiosk, enrolled: Person, holder: KeyHolder, data: Path
) -> None:
    assert not packs(holder, enrolment(enrolled)), "nobody joined"
    for act, event in (("in", MessageType.GALLERY_OPT_IN), ("out", Event.GALLERY_LEAVE)):
        signed = joining(enrolled, kiosk.account, act)
        ask = holder.gallery_opt_in if act == "in" else holder.gallery_opt_out
        receipt = Receipt.parse(ask(**signed.arguments))
        receipt.verify(holder.identity().public_key, header=signed.header.to_bytes())
        assert (receipt.decision, receipt.outcome) == (MessageType.GALLERY_OPT_IN, Outcome.ACCEPTED)
        assert receipt.template_hash == signed.header.template_hash
        assert entries(data)[-1] == (event, Outcome.ACCEPTED, Cause.NONE)
        refused(data, errors.ChallengeReplayed, ask, **signed.arguments)
        assert packs(holder, enrolment(enrolled)) == (act == "in")
    again = joining(enrolled, kiosk.account, "out")
    assert Receipt.parse(holder.gallery_opt_out(**again.arguments)).outcome == Outcome.ACCEPTED, "left already"


def test_one_gallery_is_not_another(member: Person, holder: KeyHolder) -> None:
    holder.gallery_create(gallery=OTHER, epoch=1)
    assert packs(holder, enrolment(member))
    assert not packs(holder, enrolment(member), OTHER)


def _renew(person: Person) -> None:
    person.enrol(STRANGER)


def _delete(person: Person) -> None:
    person.holder.delete(**person.deletion().arguments)


def _forget(person: Person) -> None:
    person.holder.forget_account(account=person.account)


def _drop(person: Person) -> None:
    person.holder.gallery_drop(gallery=GALLERY, account=person.account)


@pytest.mark.parametrize("end", [_renew, _delete, _forget, _drop])
def test_a_membership_ends_with_the_template(
    member: Person, holder: KeyHolder, data: Path, end: Callable[[Person], None]
) -> None:
    one = enrolment(member)
    assert packs(holder, one)
    end(member)
    assert rows(data, "gallery_members") == []
    assert not packs(holder, one)


def test_a_renewed_template_needs_to_join_anew(member: Person, holder: KeyHolder) -> None:
    _renew(member)
    assert not packs(holder, enrolment(member))
    holder.gallery_opt_in(**joining(member, GALLERY).arguments)
    assert packs(holder, enrolment(member))


def test_a_renewal_that_is_not_activated_changes_nothing(member: Person, holder: KeyHolder) -> None:
    one, signed = enrolment(member), member.enrolment(STRANGER)
    holder.enrol(**signed.arguments)
    assert packs(holder, one)


def test_a_joining_that_is_none(kiosk: Kiosk, enrolled: Person, holder: KeyHolder, data: Path) -> None:
    zero, join = bytes(32), holder.gallery_opt_in
    refused(data, errors.StaleKey, join, **joining(enrolled, GALLERY, key_fp=zero).arguments)
    refused(data, errors.WrongTemplate, join, **joining(enrolled, GALLERY, template_hash=zero).arguments)
    refused(data, errors.WrongContract, join, **joining(enrolled, GALLERY, model_fp=zero).arguments)
    refused(data, errors.Malformed, join, **joining(enrolled, GALLERY, body_hash=zero).arguments)
    refused(data, errors.BadSignature, join, **joining(enrolled, GALLERY).arguments | {"signature": b"\1" * 64})
    refused(data, errors.UnknownDevice, join, **joining(enrolled, GALLERY, device_id=bytes(16)).arguments)
    refused(data, GalleryUnknown, join, **joining(enrolled, OTHER).arguments)
    refused(data, GalleryUnknown, join, **joining(enrolled, GALLERY, "out").arguments)
    refused(data, GalleryUnknown, holder.gallery_opt_out, **joining(enrolled, GALLERY).arguments)
    refused(data, GalleryUnknown, holder.gallery_drop, gallery=OTHER, account=enrolled.account)


def test_a_gallery_takes_no_keyed_template_and_joins_no_gallery(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    keyed = Person(holder, scheme="ranking")
    keyed.register()
    keyed.enrol()
    refused(data, errors.WrongSuite, holder.gallery_opt_in, **joining(keyed, GALLERY).arguments)
    itself = joining(kiosk, GALLERY, template_hash=b"\1" * 32)
    refused(data, WrongSubject, holder.gallery_opt_in, **itself.arguments)


# --- registered at a kiosk -------------------------------------------------------------------------------


def test_whom_a_kiosk_registers_may_be_packed(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    template, signed = kiosk.registering(FACE)
    receipt = Receipt.parse(holder.gallery_register(**signed.arguments))
    receipt.verify(holder.identity().public_key, header=signed.header.to_bytes())
    assert (receipt.outcome, receipt.template_hash) == (Outcome.ACCEPTED, sha256(template).digest())
    assert entries(data)[-1] == (Event.GALLERY_REGISTER, Outcome.ACCEPTED, Cause.NONE)
    key_fp = sha256(kiosk.ingest).digest()
    one = Enrolment(member=GALLERY, person=GALLERY, template=template, public_key=kiosk.ingest, key_fp=key_fp)
    assert packs(holder, one)
    holder.gallery_create(gallery=OTHER, epoch=1)
    assert not packs(holder, one, OTHER), "another gallery's ingest key is another key"


def test_a_template_that_is_no_unit_vector_is_not_registered(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    receipt = Receipt.parse(holder.gallery_register(**kiosk.registering(FACE, scale=2)[1].arguments))
    assert receipt.outcome == Outcome.NOT_ACCEPTED
    assert entries(data)[-1] == (Event.GALLERY_REGISTER, Outcome.NOT_ACCEPTED, Cause.NORM)


@pytest.mark.parametrize("cosine", [0.0, 0.9])
def test_a_template_of_another_face_than_the_probe_is_not_registered(
    cosine: float, kiosk: Kiosk, holder: KeyHolder, data: Path
) -> None:
    """Near is not enough: a probe a little off would look for somebody else."""
    _, signed = kiosk.registering(FACE, searched=at_cosine(cosine))
    receipt = Receipt.parse(holder.gallery_register(**signed.arguments))
    assert receipt.outcome == Outcome.NOT_ACCEPTED
    assert entries(data)[-1] == (Event.GALLERY_REGISTER, Outcome.NOT_ACCEPTED, Cause.SCORE)


def test_a_registration_that_is_none(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    zero, register = bytes(32), holder.gallery_register
    refused(data, errors.StaleKey, register, **kiosk.registering(FACE, key_fp=zero)[1].arguments)
    refused(data, errors.WrongContract, register, **kiosk.registering(FACE, model_fp=zero)[1].arguments)
    refused(data, errors.Malformed, register, **kiosk.registering(FACE, template_hash=b"\1" * 32)[1].arguments)
    refused(data, errors.Malformed, register, **kiosk.registering(FACE, context_hash=zero)[1].arguments)
    refused(data, errors.Malformed, register, **kiosk.registering(FACE)[1].arguments | {"evidence": bytes(307_200)})
    refused(data, errors.UnknownDevice, register, **kiosk.registering(FACE, device_id=bytes(16))[1].arguments)


# --- a gallery's life ------------------------------------------------------------------------------------


def test_a_kiosk_is_told_the_ingest_key_under_certificate(kiosk: Kiosk, holder: KeyHolder) -> None:
    for type_ in (MessageType.IDENTIFY, MessageType.GALLERY_OPT_IN):
        grant = kiosk.grant(type_)
        assert grant.key_cert is not None
        certificate = KeyCert.parse(grant.key_cert)
        certificate.verify(holder.identity().public_key)
        assert (certificate.purpose, certificate.subject_id) == (KeyPurpose.GALLERY, GALLERY)
        assert certificate.key_fp == grant.key_fp == sha256(kiosk.ingest).digest()
        assert grant.template_hash is None


def test_a_gallery_is_no_account(kiosk: Kiosk, enrolled: Person, holder: KeyHolder, data: Path) -> None:
    refused(data, WrongSubject, holder.gallery_create, gallery=enrolled.account, epoch=1)
    refused(data, WrongSubject, kiosk.grant, type_=MessageType.ENROL)
    refused(data, WrongSubject, holder.forget_account, account=GALLERY)
    refused(data, errors.NotEnrolled, kiosk.grant, type_=MessageType.VERIFY)
    refused(data, GalleryUnknown, enrolled.grant, type_=MessageType.IDENTIFY)


def test_an_erased_epoch_does_not_come_back(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    for epoch in (2, 3, 4):
        kiosk.create(epoch)
    refused(data, TooManyEpochs, holder.gallery_create, gallery=GALLERY, epoch=5)
    refused(data, GalleryUnknown, holder.gallery_erase_before, gallery=GALLERY, epoch=9)
    holder.gallery_erase_before(gallery=GALLERY, epoch=3)
    refused(data, GalleryUnknown, holder.gallery_create, gallery=GALLERY, epoch=2)
    refused(data, GalleryUnknown, holder.gallery_pack_begin, gallery=GALLERY, epoch=2)
    before = len(entries(data))
    holder.gallery_erase_before(gallery=GALLERY, epoch=3)
    assert len(entries(data)) == before, "nothing was left to erase"


def test_a_forgotten_gallery_leaves_nothing_and_never_returns(
    member: Person, kiosk: Kiosk, holder: KeyHolder, data: Path
) -> None:
    waiting, pack = kiosk.begun(FACE), holder.gallery_pack_begin(gallery=GALLERY, epoch=1)
    holder.gallery_forget(gallery=GALLERY)
    assert rows(data, "galleries") == rows(data, "gallery_members") == rows(data, "gallery_attempts") == []
    assert not [line for line in rows(data, "secrets") if "gallery" in line]
    assert entries(data)[-1] == (Event.GALLERY_FORGET, Outcome.ACCEPTED, Cause.NONE)
    refused(data, GalleryUnknown, holder.identify_begin, **waiting)
    refused(data, PackUnknown, holder.gallery_pack_end, pack=pack)
    refused(data, errors.AccountForgotten, holder.gallery_create, gallery=GALLERY, epoch=1)
    for order in (holder.gallery_forget, lambda *, gallery: holder.gallery_drop(gallery=gallery, account=bytes(16))):
        before = len(entries(data))
        order(gallery=GALLERY)
        assert len(entries(data)) == before
    refused(data, GalleryUnknown, holder.gallery_forget, gallery=OTHER)
    assert holder.account_status(member.account).epoch == 1, "the person's own template is theirs"


# --- packing ---------------------------------------------------------------------------------------------


def test_a_slot_is_filled_once_and_malformed_parts_end_the_packing(
    member: Person, holder: KeyHolder, data: Path
) -> None:
    one, part = hidden(enrolment(member)), holder.gallery_pack_part
    pack = holder.gallery_pack_begin(gallery=GALLERY, epoch=1)
    assert entries(data)[-1] == (Event.PACK, Outcome.ACCEPTED, Cause.NONE)
    part(pack=pack, templates={0: one})
    for slot in (0, 2048, -1):
        refused(data, errors.Malformed, part, pack=pack, templates={slot: one})
    part(pack=pack, templates={1: one})
    assert holder.gallery_pack_end(pack=pack).refused == ()
    refused(data, PackUnknown, holder.gallery_pack_end, pack=pack)
    pack = holder.gallery_pack_begin(gallery=GALLERY, epoch=1)
    broken = replace(one, first=np.full_like(one.first, 1 << 24))
    refused(data, errors.Malformed, part, pack=pack, templates={0: broken})
    refused(data, PackUnknown, part, pack=pack, templates={1: one})


def test_few_blocks_are_in_the_making_and_not_for_long(
    kiosk: Kiosk, holder: KeyHolder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = [holder.gallery_pack_begin(gallery=GALLERY, epoch=1) for _ in range(5)]
    refused(data, PackUnknown, holder.gallery_pack_end, pack=begun[0])
    monkeypatch.setattr(holder._office.packs._open, "_clock", lambda: float("inf"))
    refused(data, PackUnknown, holder.gallery_pack_end, pack=begun[-1])


def test_whoever_leaves_while_a_block_is_packed_is_not_opened(member: Person, holder: KeyHolder) -> None:
    pack = holder.gallery_pack_begin(gallery=GALLERY, epoch=1)
    one = hidden(enrolment(member))
    holder.gallery_drop(gallery=GALLERY, account=member.account)
    holder.gallery_pack_part(pack=pack, templates={7: one})
    assert holder.gallery_pack_end(pack=pack).refused == (7,)
