"""Anybody may ask whether the key holder answers: neither a flood nor a hanging key holder may stop the site."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from tests.server.conftest import Switchable
from veilface.keyholder.messages import Identity
from veilface.server import readiness
from veilface.server.readiness import Readiness


class Hanging:
    """A question that is answered when the test says so; counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.released = threading.Event()

    def __call__(self) -> bool:
        self.asked += 1
        return self.released.wait(30)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    question = Hanging()
    yield question
    question.released.set()


def test_an_answer_is_good_for_a_second(hanging: Hanging) -> None:
    clock = Clock()
    hanging.released.set()
    ready = Readiness(hanging, clock=clock)
    assert all(ready.now() for _ in range(100))
    assert hanging.asked == 1
    clock.now = 1.0
    assert ready.now()
    assert hanging.asked == 2


def test_a_flood_before_the_first_answer_asks_once(hanging: Hanging) -> None:
    ready = Readiness(hanging, patience_s=30)
    with ThreadPoolExecutor(16) as crowd:
        answers = [crowd.submit(ready.now) for _ in range(64)]
        hanging.released.set()
        assert all(answer.result() for answer in answers)
    assert hanging.asked == 1


def test_a_hanging_key_holder_is_waited_for_once(hanging: Hanging) -> None:
    clock = Clock()
    ready = Readiness(hanging, patience_s=0.05, clock=clock)
    assert not ready.now()
    for second in range(1, 100):
        clock.now = 2.0 * second
        assert not ready.now()
    assert hanging.asked == 1
    hanging.released.set()
    deadline = time.monotonic() + 10
    while not ready.now():
        assert time.monotonic() < deadline
    assert hanging.asked == 1, "an answer that comes late is an answer"
    clock.now += 2.0
    assert ready.now()
    assert hanging.asked == 2, "it is asked again once the first question has come back"


@pytest.mark.parametrize("path", ["/api/v1/site", "/api/v1/health"])
def test_a_flood_is_one_question(
    path: str, client: Client, keyholder: Switchable, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "FRESH_S", 60.0)
    asked = 0

    def identity() -> Identity:
        nonlocal asked
        asked += 1
        return keyholder.inner.identity()

    keyholder.__dict__["identity"] = identity
    assert {client.get(path).status_code for _ in range(50)} == {200}
    assert asked == 1


def test_the_site_is_there_while_the_key_holder_hangs(client: Client, keyholder: Switchable, hanging: Hanging) -> None:
    keyholder.__dict__["identity"] = hanging
    begin = time.monotonic()
    answers = [client.get("/api/v1/site").json() for _ in range(10)]
    assert time.monotonic() - begin < 2 * readiness.PATIENCE_S + 1
    assert not any(answer["keyholder"]["ready"] for answer in answers)
    assert hanging.asked == 1
