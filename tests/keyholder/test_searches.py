"""Searches at the key holder: who may make one, how often, what is answered, and what is written down of it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.keyholder.kiosks import FRIEND, Hall, Kiosk, enrolment
from tests.keyholder.people import FACE, STRANGER, Clock, Person
from tests.keyholder.test_audit import entries
from tests.keyholder.test_refusals import changed, refused
from tests.match.parties import at_cosine
from veilface.keyholder import audit, errors
from veilface.keyholder.audit import Cause, Event
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.gallery_errors import GalleryUnknown, LimitReached, ProbeUnsound, QueryUnknown, TemplateClosed
from veilface.keyholder.limits import Policy, Quota
from veilface.match.conversion import SubjectKey, masked
from veilface.protect import envelope
from veilface.protect.calibration import cosine_threshold
from veilface.protect.envelope import MessageType, Outcome
from veilface.protect.gallery import SCAN, SLOTS
from veilface.protect.ring import DATA
from veilface.protect.stream import Stream

NO, YES = Outcome.NOT_ACCEPTED, Outcome.ACCEPTED


@pytest.fixture
def hall(holder: KeyHolder, tmp_path: Path) -> Iterator[Hall]:
    with closing(Hall(holder, tmp_path)) as made:
        yield made


@pytest.fixture
def kiosk(holder: KeyHolder) -> Kiosk:
    """A gallery without anybody in it, and its first kiosk."""
    made = Kiosk(holder)
    made.create()
    made.register()
    return made


def last(data: Path, count: int) -> list[tuple[int, ...]]:
    return entries(data)[-count:]


# --- answers ---------------------------------------------------------------------------------------------


def test_those_who_joined_are_found_and_a_comparison_says_so_too(hall: Hall, data: Path) -> None:
    person, friend = hall.joined(FACE), hall.registered(FRIEND)
    hall.gallery.pack()
    found, search, probe = hall.search(FACE)
    assert found.persons == (person.account,)
    assert hall.confirmed(enrolment(person), search, probe), "an account's template, handed over to the ingest key"
    assert not hall.confirmed(friend, search, probe)
    assert last(data, 4) == [
        (Event.SEARCH_BEGUN, YES, Cause.NONE),
        (MessageType.IDENTIFY, YES, Cause.NONE),
        (Event.CONFIRM, YES, Cause.NONE),
        (Event.CONFIRM, NO, Cause.SCORE),
    ]
    assert hall.search(STRANGER)[0].persons == ()
    assert last(data, 2) == [(Event.SEARCH_BEGUN, YES, Cause.NONE), (MessageType.IDENTIFY, NO, Cause.SCORE)]
    hall.gallery.rotate()
    found, search, probe = hall.search(FRIEND)
    assert found.persons == (friend.person,), "the ingest key survives a rotation"
    assert hall.confirmed(friend, search, probe)
    audit.check(data)


def test_a_comparison_decides_at_the_calibrated_threshold(hall: Hall) -> None:
    person = hall.joined(FACE)
    hall.gallery.pack()
    for cosine, passes in ((cosine_threshold() + 0.012, True), (cosine_threshold() - 0.006, False)):
        found, search, probe = hall.search(at_cosine(FACE, cosine, seed=5))
        if found.persons:
            assert hall.confirmed(enrolment(person), search, probe) == passes
        else:
            assert not passes


def test_only_a_hit_is_compared_and_only_four_times(hall: Hall, data: Path, holder: KeyHolder) -> None:
    person = hall.joined(FACE)
    hall.gallery.pack()
    outsider = Person(holder)
    outsider.register()
    outsider.enrol(STRANGER)
    _, nobody, probe = hall.search(STRANGER)
    refused(data, QueryUnknown, lambda: hall.confirmed(enrolment(person), nobody, probe))
    _, search, probe = hall.search(FACE)
    refused(data, TemplateClosed, lambda: hall.confirmed(enrolment(outsider), search, probe))
    for _ in range(4):
        assert hall.confirmed(enrolment(person), search, probe)
    refused(data, QueryUnknown, lambda: hall.confirmed(enrolment(person), search, probe))
    refused(data, QueryUnknown, holder.identify_confirm, query=search._begun(), evidence=b"\1" * 307_200)


def test_a_template_under_no_mask_is_not_handed_over(hall: Hall, holder: KeyHolder) -> None:
    person = hall.joined(FACE)
    hall.gallery.pack()
    _, search, _ = hall.search(FACE)
    one = enrolment(person)
    hidden, _ = masked(one.template, SubjectKey(one.public_key), Stream())
    first = hidden.first.copy()
    first[2, 5] = (first[2, 5] + DATA.primes[2] // 2) % DATA.primes[2]
    with pytest.raises(TemplateClosed):
        search.transfer(replace(hidden, first=first))


def test_an_unsound_probe_counts_and_is_not_said_why(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    with pytest.raises(ProbeUnsound) as caught:
        holder.identify_begin(**kiosk.begun(FACE, scale=2))
    assert caught.value.details == {}
    assert last(data, 2) == [(Event.SEARCH_BEGUN, YES, Cause.NONE), (MessageType.IDENTIFY, NO, Cause.NORM)]
    assert not issubclass(ProbeUnsound, errors.Refused), "it is no refusal without a trace"


# --- refusals --------------------------------------------------------------------------------------------


def test_a_search_that_is_not_one(kiosk: Kiosk, holder: KeyHolder, data: Path, clock: Clock) -> None:
    zero, begin = bytes(32), holder.identify_begin
    refused(data, errors.Malformed, begin, **kiosk.begun(FACE, template_hash=b"\1" * 32))
    refused(data, errors.StaleKey, begin, **_about(kiosk, key_fp=zero))
    refused(data, errors.WrongContract, begin, **kiosk.begun(FACE, model_fp=zero))
    refused(data, GalleryUnknown, begin, **kiosk.begun(FACE, epoch=2))
    refused(data, errors.UnknownDevice, begin, **kiosk.begun(FACE, device_id=bytes(16)))
    refused(data, errors.ChallengeForged, begin, **kiosk.begun(FACE, challenge=b"\1" * 32))
    refused(data, errors.BadSignature, begin, **kiosk.begun(FACE) | {"signature": b"\1" * 64})
    for name, wrong in (("norm", b""), ("range_", b"\xff" * 49_152), ("header", b"")):
        refused(data, errors.Malformed, begin, **kiosk.begun(FACE) | {name: wrong})
    late = kiosk.begun(FACE)
    clock.advance(seconds=90)
    refused(data, errors.ChallengeExpired, begin, **late)
    once = kiosk.begun(FACE)
    begin(**once)
    refused(data, errors.ChallengeReplayed, begin, **once)


def _about(kiosk: Kiosk, *, key_fp: bytes) -> dict[str, Any]:
    """A search whose header and probe name another key."""
    begun = kiosk.begun(FACE, key_fp=key_fp)
    return begun | {"probe": replace(begun["probe"], key_fp=key_fp)}


def test_a_probe_of_another_key_or_with_words_that_are_none(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    arguments = kiosk.begun(FACE)
    for wrong in (
        replace(arguments["probe"], key_fp=bytes(32)),
        replace(arguments["probe"], second=arguments["probe"].second[:2]),
        replace(arguments["probe"], first=np.full_like(arguments["probe"].first, 1 << 24)),
    ):
        refused(data, errors.Malformed, holder.identify_begin, **arguments | {"probe": wrong})


def test_a_search_is_for_one_gallery(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    other = Kiosk(holder)
    other.create()
    other.register()
    signed = kiosk.searching(b"")
    elsewhere = changed(kiosk, signed, context_hash=envelope.search_context(other.account))
    refused(data, errors.Malformed, holder.identify_begin, **kiosk.begun(FACE) | elsewhere)
    refused(data, errors.BadSignature, holder.identify_begin, **other.begun(FACE) | {"signature": signed.signature})


def test_a_second_kiosk_waits_or_is_approved_by_the_first(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    second = kiosk.another()
    assert second.register().state == "pending"
    with pytest.raises(errors.DeviceNotActive):
        second.begun(FACE)
    refused(data, errors.DeviceNotActive, holder.approve_device, **second.approval(second).arguments)
    holder.approve_device(**kiosk.approval(second).arguments)
    holder.identify_begin(**second.begun(FACE))
    waiting = second.begun(FACE)
    holder.revoke_device(**kiosk.revocation(second.device).arguments)
    refused(data, errors.DeviceNotActive, holder.identify_begin, **waiting)


def test_an_operator_ends_a_kiosk_without_a_signature(
    kiosk: Kiosk, holder: KeyHolder, data: Path, enrolled: Person
) -> None:
    second, shares = kiosk.another(), np.zeros((2, 3, SLOTS), np.uint32)
    second.register()
    waiting, approval = kiosk.begun(FACE), kiosk.approval(second).arguments
    query = holder.identify_begin(**kiosk.begun(FACE)).query
    order = {"gallery": kiosk.account, "device_id": kiosk.device}
    refused(data, errors.UnknownDevice, holder.gallery_revoke_kiosk, **order | {"device_id": bytes(16)})
    theirs = {"gallery": enrolled.account, "device_id": enrolled.device}
    refused(data, GalleryUnknown, holder.gallery_revoke_kiosk, **theirs)
    for _ in range(2):
        holder.gallery_revoke_kiosk(**order)
        assert [event for event, *_ in entries(data)].count(Event.KIOSK_REVOKE) == 1
    refused(data, errors.DeviceNotActive, holder.identify_begin, **waiting)
    refused(data, QueryUnknown, holder.identify_reshare, query=query, shares=shares)
    refused(data, errors.DeviceNotActive, holder.approve_device, **approval)


def test_a_query_ends_with_its_kiosk_its_key_and_its_time(
    kiosk: Kiosk, holder: KeyHolder, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = np.zeros((2, 3, SLOTS), np.uint32)
    second = kiosk.another()
    second.register()
    holder.approve_device(**kiosk.approval(second).arguments)
    query = holder.identify_begin(**second.begun(FACE)).query
    holder.revoke_device(**kiosk.revocation(second.device).arguments)
    refused(data, QueryUnknown, holder.identify_reshare, query=query, shares=shares)
    query = holder.identify_begin(**kiosk.begun(FACE)).query
    kiosk.create(2)
    holder.gallery_erase_before(gallery=kiosk.account, epoch=2)
    refused(data, QueryUnknown, holder.identify_reshare, query=query, shares=shares)
    query = holder.identify_begin(**kiosk.begun(FACE, epoch=2)).query
    with monkeypatch.context() as racing:  # begun while the erasure was under way
        racing.setattr(holder._office.searches, "drop", lambda *_, **__: None)
        kiosk.create(3)
        holder.gallery_erase_before(gallery=kiosk.account, epoch=3)
    refused(data, QueryUnknown, holder.identify_reshare, query=query, shares=shares)
    query = holder.identify_begin(**kiosk.begun(FACE, epoch=3)).query
    monkeypatch.setattr(holder._office.searches._open, "_clock", lambda: float("inf"))
    refused(data, QueryUnknown, holder.identify_reshare, query=query, shares=shares)


def test_words_that_are_none_are_refused(kiosk: Kiosk, holder: KeyHolder, data: Path) -> None:
    query = holder.identify_begin(**kiosk.begun(FACE)).query
    shares = np.full((2, 3, SLOTS), SCAN.prime, np.uint32)
    refused(data, errors.Malformed, holder.identify_reshare, query=query, shares=shares)
    refused(data, errors.Malformed, holder.identify_confirm, query=query, evidence=b"")
    refused(data, QueryUnknown, holder.identify_conclude, query=query, blinded=shares)
    holder.identify_reshare(query=query, shares=np.zeros_like(shares))
    refused(data, QueryUnknown, holder.identify_reshare, query=query, shares=np.zeros_like(shares))
    refused(data, errors.Malformed, holder.identify_conclude, query=query, blinded=shares)


# --- limits ----------------------------------------------------------------------------------------------


@pytest.fixture
def strict(data: Path, clock: Clock) -> Iterator[KeyHolder]:
    few = Policy(kiosk_searches=Quota(2, 3), gallery_searches=Quota(3, 100), kiosk_registrations=Quota(1, 1))
    with KeyHolder(data, clock=clock, policy=few) as opened:
        yield opened


def test_a_kiosk_and_its_gallery_have_so_many_searches(strict: KeyHolder, data: Path, clock: Clock) -> None:
    first = Kiosk(strict)
    first.create()
    first.register()
    second = first.another()
    second.register()
    strict.approve_device(**first.approval(second).arguments)
    for kiosk, times in ((first, 2), (second, 1)):
        for _ in range(times):
            strict.identify_begin(**kiosk.begun(FACE))
        caught = refused(data, LimitReached, strict.identify_begin, **kiosk.begun(FACE))
        assert caught.details == {"retry_after_s": 3_600}
    clock.advance(hours=1)
    strict.identify_begin(**first.begun(FACE))
    caught = refused(data, LimitReached, strict.identify_begin, **first.begun(FACE))
    assert caught.details == {"retry_after_s": 23 * 3_600}


def test_an_unsound_probe_is_a_search(strict: KeyHolder, data: Path) -> None:
    kiosk = Kiosk(strict)
    kiosk.create()
    kiosk.register()
    for _ in range(2):
        with pytest.raises(ProbeUnsound):
            strict.identify_begin(**kiosk.begun(FACE, scale=2))
    refused(data, LimitReached, strict.identify_begin, **kiosk.begun(FACE))


def test_a_kiosk_registers_so_many(strict: KeyHolder, data: Path) -> None:
    kiosk = Kiosk(strict)
    kiosk.create()
    kiosk.register()
    strict.gallery_register(**kiosk.registering(FACE)[1].arguments)
    refused(data, LimitReached, strict.gallery_register, **kiosk.registering(FACE)[1].arguments)


def test_a_search_without_an_answer_is_recorded_as_interrupted(data: Path, clock: Clock) -> None:
    with KeyHolder(data, clock=clock) as holder:
        kiosk = Kiosk(holder)
        kiosk.create()
        kiosk.register()
        holder.identify_begin(**kiosk.begun(FACE))
    for _ in range(2):
        with KeyHolder(data, clock=clock):
            pass
    assert last(data, 2) == [(Event.SEARCH_BEGUN, YES, Cause.NONE), (MessageType.IDENTIFY, NO, Cause.INTERRUPTED)]
