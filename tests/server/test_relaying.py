"""What the key holder decided reaches the device, whatever fails on this side afterwards."""

import logging
from collections.abc import Iterator

import pytest
from django.db import OperationalError

from tests.server.conftest import Switchable
from tests.support import PASSWORD, Answer, Device, receipt_of, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.protect.envelope import Outcome, Receipt
from veilface.server.accounts import devices
from veilface.server.accounts.models import Device as DeviceRow
from veilface.server.base64url import decode
from veilface.server.enrolment import services
from veilface.server.enrolment.models import Template

ME, NEW = unit(1), unit(2)


@pytest.fixture
def enrolled(device: Device) -> Device:
    assert device.enrol(ME).status == 201
    return device


@pytest.fixture
def left_undone() -> Iterator[list[str]]:
    """The works that the log says were left undone."""
    found: list[str] = []

    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            line = record.msg if isinstance(record.msg, dict) else {}
            if line.get("event") == "left_undone":
                assert line["exc_info"]
                found.append(line["work"])

    reader = Reader()
    logging.getLogger("veilface.server.relaying").addHandler(reader)
    yield found
    logging.getLogger("veilface.server.relaying").removeHandler(reader)


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is locked whenever a device's use is to be noted."""

    def note_use(_device: DeviceRow) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(devices, "note_use", note_use)


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize(("seed", "outcome"), [(1, Outcome.ACCEPTED), (2, Outcome.NOT_ACCEPTED)])
def test_a_verdict_comes_although_the_use_cannot_be_noted(
    enrolled: Device, left_undone: list[str], seed: int, outcome: Outcome
) -> None:
    answer = enrolled.verify(unit(seed))
    assert (answer.status, receipt_of(answer).outcome) == (200, outcome)
    assert left_undone == ["note_use"]


@pytest.mark.usefixtures("locked")
def test_an_enrolment_counts_although_the_use_cannot_be_noted(device: Device, left_undone: list[str]) -> None:
    answer = device.enrol(ME)
    assert (answer.status, receipt_of(answer).outcome) == (201, Outcome.ACCEPTED)
    assert left_undone == ["note_use"]


def turned_away(device: Device, *, verb: str, keyholder: Switchable) -> Answer:
    """The answer to a request that came too soon, its wait asked of a key holder that is gone by then."""
    while receipt_of(device.verify(unit(7))).outcome is not Outcome.RETRY_LATER:
        pass
    message = device.enrolment(NEW, password=PASSWORD) if verb == "enrol" else device.verification(ME)
    keyholder.fails["account_status"] = KeyHolderUnavailable()
    return device.api.octets("/enrolments" if verb == "enrol" else "/verifications", device.sealed(message))


def test_a_verification_that_must_wait_has_its_receipt_without_the_key_holder(
    enrolled: Device, keyholder: Switchable, left_undone: list[str]
) -> None:
    answer = turned_away(enrolled, verb="verify", keyholder=keyholder)
    assert answer.status == 200
    assert receipt_of(answer).outcome is Outcome.RETRY_LATER
    assert answer.json["retry_after_s"] == services.ASSUMED_WAIT_S
    assert left_undone == ["retry_after"]


def test_an_enrolment_that_must_wait_has_its_receipt_without_the_key_holder(
    enrolled: Device, keyholder: Switchable, left_undone: list[str]
) -> None:
    answer = turned_away(enrolled, verb="enrol", keyholder=keyholder)
    assert (answer.status, answer.code) == (429, "server.enrolment_paused")
    details = answer.json["details"]
    assert Receipt.parse(decode(details["receipt"])).outcome is Outcome.RETRY_LATER
    assert details["retry_after_s"] == services.ASSUMED_WAIT_S
    assert left_undone == ["retry_after"]


def test_an_enrolment_that_cannot_take_effect_has_its_receipt(enrolled: Device, keyholder: Switchable) -> None:
    message = enrolled.sealed(enrolled.enrolment(NEW, password=PASSWORD))
    keyholder.fails["activate"] = KeyHolderUnavailable()
    answer = enrolled.api.octets("/enrolments", message)
    assert (answer.status, answer.code) == (503, "server.keyholder_down")
    assert Receipt.parse(decode(answer.json["details"]["receipt"])).outcome is Outcome.ACCEPTED
    keyholder.fails.clear()
    assert enrolled.accepted(ME)


def test_an_enrolment_replaced_before_it_is_finished_is_stale(enrolled: Device, keyholder: Switchable) -> None:
    """Current for a moment: a later enrolment takes its row before it is marked active."""
    first = enrolled.sealed(enrolled.enrolment(unit(3), password=PASSWORD))
    activate = keyholder.inner.activate

    def overtaken(**fields: object) -> None:
        keyholder.__dict__.pop("activate")
        activate(**fields)  # type: ignore[arg-type]
        assert enrolled.enrol(NEW, password=PASSWORD).status == 201

    keyholder.__dict__["activate"] = overtaken
    answer = enrolled.api.octets("/enrolments", first)
    assert (answer.status, answer.code) == (409, "keyholder.activation_stale")
    assert Receipt.parse(decode(answer.json["details"]["receipt"])).outcome is Outcome.ACCEPTED
    assert enrolled.accepted(NEW)
    assert Template.objects.count() == 1
