"""Movements asked for with a login or a payment, and the record of them that must come with the probe."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.browser import Browser
from tests.server.conftest import SiteTransport
from tests.server.test_face_login import ME, nobody_signed_in
from tests.support import Api, Device, Message
from veilface.protect.envelope import sha256
from veilface.protect.liveness import LivenessRecord, MovementShown
from veilface.server.recognition import liveness

MOVE_MS, EXTRA_MS = 900, 400
Change = Callable[[list[MovementShown]], list[MovementShown]]


@pytest.fixture(autouse=True)
def _asked(settings: Any) -> None:
    settings.LIVENESS = frozenset({"login", "payment"})


def as_asked(grant: dict[str, Any], change: Change = lambda steps: steps) -> bytes:
    """The record of somebody who did what a challenge asks for, or, with ``change``, something else."""
    steps, now = [], EXTRA_MS
    for one in grant["liveness"]:
        now += one["pause_ms"]
        steps.append(MovementShown(action=one["action"], prompted_ms=now, done_ms=now + MOVE_MS, frames=9))
        now += MOVE_MS + EXTRA_MS
    record = LivenessRecord(steps=change(steps), frames=60, duration_ms=now, kept=5, commitment=sha256(b"kept"))
    return record.to_bytes()


def moved(message: Message, record: bytes) -> Message:
    """A message whose body ends with a record, which its header's hash covers."""
    return message.with_body(message.body + record)


@pytest.fixture
def browser(device: Device) -> Browser:
    assert device.enrol(ME).status == 201
    return Browser(device, Api(SiteTransport()))


def test_a_plan_has_a_turn_and_another_movement() -> None:
    plans = [liveness.read(liveness.drawn("login")) for _ in range(200)]
    for plan in plans:
        actions = [one.action for one in plan]
        assert len(set(actions)) == 2
        assert {"turn_left", "turn_right"} & set(actions)
        assert all(300 <= one.pause_ms < 1500 for one in plan)
    assert len({tuple(one.action for one in plan) for plan in plans}) == 10  # each order of each pair with a turn


def test_nothing_is_asked_for_where_the_operator_wants_nothing(settings: Any, browser: Browser) -> None:
    settings.LIVENESS = frozenset({"payment"})
    message = browser.login(ME)
    assert message.grant["liveness"] == []
    assert browser.send(message).status == 200


def test_who_moves_as_asked_signs_in(browser: Browser) -> None:
    message = browser.login(ME)
    answer = browser.send(moved(message, as_asked(message.grant)))
    assert answer.status == 200, answer.body


CHANGES: dict[str, Change] = {
    "another order": lambda steps: [
        MovementShown(action=other.action, prompted_ms=one.prompted_ms, done_ms=one.done_ms, frames=9)
        for one, other in zip(steps, reversed(steps), strict=True)
    ],
    "one is missing": lambda steps: steps[:1],
    "before it was asked": lambda steps: [
        MovementShown(action=one.action, prompted_ms=100, done_ms=400, frames=9) for one in steps
    ],
    "too fast": lambda steps: [
        MovementShown(action=one.action, prompted_ms=one.prompted_ms, done_ms=one.prompted_ms + 100, frames=9)
        for one in steps
    ],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_other_movements_sign_nobody_in(browser: Browser, change: Change) -> None:
    message = browser.login(ME)
    answer = browser.send(moved(message, as_asked(message.grant, change)))
    assert (answer.status, answer.json["code"]) == (422, "server.liveness_refused")
    assert nobody_signed_in(browser)


def test_without_a_record_nobody_signs_in(browser: Browser) -> None:
    answer = browser.send(browser.login(ME))
    assert (answer.status, answer.json["code"]) == (422, "server.liveness_missing")
    assert nobody_signed_in(browser)


def test_a_record_that_was_not_signed_signs_nobody_in(browser: Browser) -> None:
    message = browser.login(ME)
    data = browser.sealed(message) + as_asked(message.grant)
    assert browser.api.octets("/face-login", data).status == 400
    assert nobody_signed_in(browser)


@pytest.mark.parametrize(
    "record", [bytes(80), b"VFLV" + bytes(76), secrets.token_bytes(80)], ids=["zeros", "almost", "noise"]
)
def test_bytes_that_are_no_record_sign_nobody_in(browser: Browser, record: bytes) -> None:
    assert browser.send(moved(browser.login(ME), record)).status == 400
    assert nobody_signed_in(browser)
