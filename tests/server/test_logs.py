"""Logs say that something happened, never what was in it or how it was decided."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from django.conf import settings as django_settings

from tests.support import PASSWORD, Device, unit
from veilface.server.base64url import encode

ME = unit(1)


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that any logger says, as the server writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    formatter = django_settings.LOGGING["formatters"]["json"]
    handler.setFormatter(
        formatter["()"](foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"])
    )
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_line_is_json_with_the_requests_id(device: Device, logged: io.StringIO) -> None:
    answer = device.api.get("/account")
    (line,) = [line for line in lines(logged) if line["event"] == "answered"]
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/account", 200)


def test_accepted_and_refused_leave_the_same_lines(device: Device, logged: io.StringIO) -> None:
    device.enrol(ME)

    def said(seed: int) -> list[dict[str, object]]:
        message = device.sealed(device.verification(unit(seed)))
        logged.truncate(0)
        logged.seek(0)
        device.api.octets("/verifications", message)
        return [
            {key: value for key, value in line.items() if key not in {"request_id", "timestamp"}}
            for line in lines(logged)
        ]

    accepted, refused = said(1), said(2)
    assert accepted == refused
    assert {key for line in accepted for key in line} == {"event", "level", "logger", "method", "path", "status"}


def test_nothing_secret_is_logged(device: Device, logged: io.StringIO) -> None:
    message = device.enrolment(ME)
    sealed = device.sealed(message)
    assert device.api.octets("/enrolments", sealed).status == 201
    device.accepted(ME)
    content = {"username": "person-one", "password": PASSWORD, "name": "test"}
    token = device.api.post("/tokens", content).json["token"]
    device.api.post("/session", {"username": "person-one", "password": "not the password"})
    text = logged.getvalue()
    for secret in (PASSWORD, "not the password", token, "person-one", device.person.binding.hex()):
        assert secret not in text
    for data in (message.body, sealed[256:320], message.header.to_bytes()):
        assert data[:24].hex() not in text
        assert encode(data[:24]) not in text


def test_a_failure_of_ours_is_logged_with_its_trace_but_without_values(
    device: Device, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_secret: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("veilface.server.account_api.current", fails)
    answer = device.api.get("/account")
    assert answer.code == "server.failed"
    (line,) = [line for line in lines(logged) if line["event"] == "failed"]
    assert "RuntimeError" in str(line["exception"])
    assert line["request_id"] == answer.headers["X-Request-ID"]
    assert "person-one" not in logged.getvalue()
