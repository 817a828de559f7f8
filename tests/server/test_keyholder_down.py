"""Without the key holder nothing is decided, nothing is stored, and afterwards everything works again."""

from collections.abc import Callable

import pytest

from tests.server.conftest import Switchable
from tests.server.test_bad_messages import ME, nothing_changes_later
from tests.support import PASSWORD, Answer, Device, unit
from veilface.keyholder.errors import KeyHolderBusy, KeyHolderStorageFull, KeyHolderUnavailable
from veilface.server.enrolment.models import Template

pytestmark = pytest.mark.usefixtures("keyholder")


@pytest.fixture
def enrolled(device: Device) -> Device:
    assert device.enrol(ME).status == 201
    return device


def test_verification_fails_closed_and_says_so(enrolled: Device, keyholder: Switchable) -> None:
    message = enrolled.sealed(enrolled.verification(ME))
    keyholder.fails["*"] = KeyHolderUnavailable()
    with nothing_changes_later(keyholder, enrolled):
        answer = enrolled.api.octets("/verifications", message)
        assert (answer.status, answer.code) == (503, "server.keyholder_down")
        assert "密钥保管方" in answer.json["message"]
        assert "accepted" not in answer.json
    keyholder.fails.clear()
    assert enrolled.accepted(ME)


def test_enrolment_stores_nothing(device: Device, keyholder: Switchable) -> None:
    message = device.sealed(device.enrolment(ME))
    keyholder.fails["enrol"] = KeyHolderUnavailable()
    answer = device.api.octets("/enrolments", message)
    assert (answer.status, answer.code) == (503, "server.keyholder_down")
    assert not Template.objects.exists()
    keyholder.fails.clear()
    assert device.enrol(ME).status == 201


@pytest.mark.parametrize("verb", ["enrol", "activate"])
def test_a_failed_re_enrolment_leaves_the_old_template_working(
    enrolled: Device, keyholder: Switchable, verb: str
) -> None:
    message = enrolled.sealed(enrolled.enrolment(unit(2), password=PASSWORD))
    keyholder.fails[verb] = KeyHolderUnavailable()
    before = enrolled.person.profile()["template"]
    assert enrolled.api.octets("/enrolments", message).code == "server.keyholder_down"
    assert enrolled.person.profile()["template"] == before
    keyholder.fails.clear()
    assert enrolled.accepted(ME)
    assert not enrolled.accepted(unit(2))
    assert enrolled.enrol(unit(2), password=PASSWORD).status == 201
    assert enrolled.accepted(unit(2))
    assert Template.objects.count() == 1


def test_deletion_of_a_template_waits(enrolled: Device, keyholder: Switchable) -> None:
    template, message = enrolled.deletion()
    keyholder.fails["*"] = KeyHolderUnavailable()
    answer = enrolled.api.octets(f"/templates/{template}/deletion", enrolled.sealed(message))
    assert answer.code == "server.keyholder_down"
    assert enrolled.person.profile()["template"]["state"] == "deleting"
    keyholder.fails.clear()
    assert enrolled.person.profile()["template"]["state"] == "active"
    assert enrolled.accepted(ME)


def test_deletion_of_the_account_waits(enrolled: Device, keyholder: Switchable) -> None:
    keyholder.fails["*"] = KeyHolderUnavailable()
    with nothing_changes_later(keyholder, enrolled):
        answer = enrolled.api.post("/account/deletion", {"password": PASSWORD})
        assert answer.code == "server.keyholder_down"
    keyholder.fails.clear()
    assert enrolled.accepted(ME)


ASKING: list[Callable[[Device], Answer]] = [
    lambda device: device.challenge("verify", device.person.context(b"VFLOGIN")),
    lambda device: device.challenge("device", bytes(32)),
    lambda device: device.api.get(f"/keys/{'0' * 64}"),
]


@pytest.mark.parametrize("ask", ASKING, ids=["challenge", "device", "key"])
def test_every_question_to_it_is_answered_clearly(
    enrolled: Device, keyholder: Switchable, ask: Callable[[Device], Answer]
) -> None:
    keyholder.fails["*"] = KeyHolderUnavailable()
    answer = ask(enrolled)
    assert (answer.status, answer.code) == (503, "server.keyholder_down")


@pytest.mark.parametrize("trouble", [KeyHolderBusy, KeyHolderStorageFull])
def test_its_own_troubles_are_told_apart(
    enrolled: Device, keyholder: Switchable, trouble: type[KeyHolderUnavailable]
) -> None:
    message = enrolled.sealed(enrolled.verification(ME))
    keyholder.fails["verify"] = trouble()
    answer = enrolled.api.octets("/verifications", message)
    assert (answer.status, answer.code) == (503, trouble.code)


def test_the_account_page_works_without_it(enrolled: Device, keyholder: Switchable) -> None:
    keyholder.fails["*"] = KeyHolderUnavailable()
    assert enrolled.person.profile()["template"]["state"] == "active"
    assert enrolled.api.get("/health").json["keyholder"] == "down"
