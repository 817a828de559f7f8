"""Signing in by face, from a browser that nobody is signed in with."""

import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.conftest import SiteTransport, Switchable
from tests.support import Answer, Api, Device, Embedding, Message, Person, granted, near, receipt_of, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.protect.envelope import LABEL_LOGIN, ZERO_HASH, Header, MessageType, sha256, sign_header
from veilface.protect.scheme import protections
from veilface.server.accounts import throttle
from veilface.server.accounts.models import Account
from veilface.server.base64url import decode, encode
from veilface.server.recognition import face_login

ME, STRANGER = unit(1), unit(2)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal need not wait: that it would is looked at in a test of its own."""
    monkeypatch.setattr(face_login, "REFUSED_AFTER_S", 1e-6)


class Browser(Device):
    """The device again, in a browser that nobody is signed in with."""

    def __init__(self, device: Device) -> None:
        self.__dict__ |= vars(device)
        self.api = Api(SiteTransport())
        binding = decode(granted(self.api.get("/face-login")).json["binding"])
        self.person = Person(self.api, device.person.account, binding, device.person.origin)

    def knocking(self, **fields: Any) -> Header:
        context = self.person.context(LABEL_LOGIN)
        empty = {"challenge": encode(ZERO_HASH), "key_fp": encode(ZERO_HASH), "template_hash": None}
        return Message(self.header(MessageType.VERIFY, context, empty)).with_header(model_fp=ZERO_HASH, **fields).header

    def knock(self, **fields: Any) -> Answer:
        return self.api.post("/face-login/challenges", self.order(self.knocking(**fields)))

    def login(self, face: Embedding) -> Message:
        grant = granted(self.knock()).json
        key = granted(self.api.get(f"/face-login/challenges/{decode(grant['challenge']).hex()}/key")).body
        assert sha256(key) == decode(grant["key_fp"])
        body = self.protection.probe(face, key=key, token=self.token)
        return Message(self.header(MessageType.VERIFY, self.person.context(LABEL_LOGIN), grant, body), body, grant)

    def send(self, message: Message) -> Answer:
        return self.api.octets("/face-login", self.sealed(message))

    @property
    def cookie(self) -> str:
        assert isinstance(self.api.transport, SiteTransport)
        found = self.api.transport.client.cookies.get("veilface")
        return found.value if found else ""


@pytest.fixture
def browser(device: Device) -> Browser:
    assert device.enrol(ME).status == 201
    return Browser(device)


def nobody_signed_in(browser: Browser) -> bool:
    return granted(browser.api.get("/session")).json["account"] is None and browser.api.get("/account").status == 401


@pytest.mark.parametrize("scheme", [known.name for known in protections()])
def test_a_remembered_face_signs_in(device: Device, scheme: str) -> None:
    device.scheme = scheme
    assert device.enrol(ME).status == 201
    browser = Browser(device)
    answer = browser.send(browser.login(near(ME, cosine=0.9)))
    assert answer.status == 200, answer.body
    assert bytes.fromhex(answer.json["account"]["id"]) == device.person.account
    assert receipt_of(answer).decision is MessageType.VERIFY
    assert "decide;dur=" in answer.headers["Server-Timing"]
    session = granted(browser.api.get("/session")).json
    assert session == {"account": answer.json["account"], "binding": answer.json["binding"]}
    assert decode(session["binding"]) != browser.person.binding
    assert granted(browser.api.get("/account")).json["template"]["scheme"] == scheme


def test_a_login_begins_a_new_session_with_a_new_csrf_token(browser: Browser, people: Callable[[str], Person]) -> None:
    other = people("person-two")
    browser.api = browser.person.api = other.api
    browser.person.binding = decode(granted(browser.api.get("/face-login")).json["binding"])
    assert isinstance(other.api.transport, SiteTransport)
    cookies = other.api.transport.client.cookies
    before = (browser.cookie, cookies["veilface_csrf"].value)
    assert browser.send(browser.login(ME)).status == 200
    assert browser.cookie != before[0]
    assert cookies["veilface_csrf"].value != before[1]
    thief = SiteTransport()
    thief.client.cookies["veilface"] = before[0]
    assert Api(thief).get("/account").status == 401


# --- refusals ----------------------------------------------------------------------------------------------


def refusals(browser: Browser) -> dict[str, Answer]:
    """What whoever is refused gets, by the reason that nobody is told."""
    foreign, unknown = Browser(browser), Browser(browser)
    foreign.key = Device(browser.person, browser.device_id).key
    unknown.person.account = secrets.token_bytes(16)
    strange = Browser(browser)
    strange.device_id = secrets.token_bytes(16)
    message = browser.login(ME)
    return {
        "near": browser.send(browser.login(near(ME, cosine=0.3))),
        "far": browser.send(browser.login(near(ME, cosine=-0.2))),
        "signature": foreign.knock(),
        "account": unknown.knock(),
        "device": strange.knock(),
        "signature of a login": browser.api.octets("/face-login", message.header.to_bytes() + bytes(64) + message.body),
        "account of a login": browser.send(message.with_header(account_id=secrets.token_bytes(16))),
        "device of a login": browser.send(message.with_header(device_id=secrets.token_bytes(16))),
    }


def test_whoever_is_refused_is_refused_alike(browser: Browser) -> None:
    answers = refusals(browser)
    assert {(answer.status, answer.body) for answer in answers.values()} == {(401, answers["near"].body)}
    assert answers["near"].json["code"] == "server.face_login_refused"
    names = {tuple(sorted(set(answer.headers) - {"Set-Cookie"})) for answer in answers.values()}
    sizes = {(name, len(value)) for answer in answers.values() for name, value in answer.headers.items()}
    assert len(names) == 1
    assert len(sizes) == len(next(iter(names)))
    assert nobody_signed_in(browser)
    assert browser.cookie == ""


def test_a_refusal_waits_for_its_time(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(face_login, "REFUSED_AFTER_S", 100.0)
    monkeypatch.setattr(time, "sleep", waits.append)
    refusals(browser)
    assert len(waits) == 8
    assert all(90 < wait < 100 for wait in waits)


def test_a_revoked_device_is_refused_like_any_other(browser: Browser, device: Device) -> None:
    second = Device(device.person, secrets.token_bytes(16))
    second.register()
    device.approve(second)
    message = browser.login(ME)
    second.revoke(device)
    assert browser.knock().code == browser.send(message).code == "server.face_login_refused"
    assert nobody_signed_in(browser)


def test_a_pending_device_is_refused_like_any_other(browser: Browser, device: Device) -> None:
    second = Device(device.person, secrets.token_bytes(16))
    second.register()
    assert Browser(second).knock().code == "server.face_login_refused"


def test_a_message_signs_in_once_and_only_here(browser: Browser, device: Device) -> None:
    message = browser.login(ME)
    elsewhere = Browser(device)
    assert elsewhere.send(message).code == "server.context_mismatch"
    assert nobody_signed_in(elsewhere)
    assert browser.send(message).status == 200
    granted_again = Browser(device)
    granted_again.api.transport.client.cookies = browser.api.transport.client.cookies  # type: ignore[attr-defined]
    assert (
        granted_again.send(message).code == "server.context_mismatch"
    )  # the CSRF token, and with it the binding, is new
    session_message = device.verification(ME)
    assert browser.send(session_message).code == "server.context_mismatch"


def test_the_same_login_twice_counts_once(browser: Browser) -> None:
    message = browser.login(STRANGER)
    assert browser.send(message).code == "server.face_login_refused"
    assert browser.send(message).code == "keyholder.challenge_replayed"
    assert receipt_of(browser.send(browser.login(ME))).total_decisions == 3  # enrolment, refusal, acceptance


def test_a_knock_is_only_a_knock(browser: Browser) -> None:
    assert browser.knock(challenge=secrets.token_bytes(32)).code == "server.wrong_message"
    assert browser.knock(body_hash=secrets.token_bytes(32)).code == "server.wrong_message"
    assert browser.knock(type=MessageType.PAY).code == "server.wrong_message"
    assert browser.knock(issued_ms=1).code == "server.stale_message"
    assert browser.knock(context_hash=secrets.token_bytes(32)).code == "server.context_mismatch"
    header = browser.knocking()
    sealed = header.to_bytes() + sign_header(browser.key, header)
    assert browser.api.octets("/face-login", sealed).code == "server.body_wrong_length"
    assert browser.api.get(f"/face-login/challenges/{'0' * 64}/key").status == 404


def test_a_device_of_an_account_without_a_face_is_told_so(device: Device) -> None:
    assert Browser(device).knock().code == "keyholder.not_enrolled"


def test_login_needs_the_sites_own_pages(browser: Browser) -> None:
    order = browser.order(browser.knocking())
    transport = browser.api.transport
    for path in ("/face-login", "/face-login/challenges"):
        answer = transport.send("POST", f"/api/v1{path}", b"{}", "application/json", {"X-CSRFToken": ""})
        assert answer.code == "server.csrf"
    assert browser.api.post("/face-login/challenges", order).status == 200


# --- limits --------------------------------------------------------------------------------------------------


def test_after_five_failures_a_device_is_told_when_to_come_back(browser: Browser) -> None:
    for _ in range(5):
        assert browser.send(browser.login(STRANGER)).code == "server.face_login_refused"
    told = granted(browser.knock()).json
    assert 0 < told["retry_after_s"] <= 30
    assert told["disabled"] is False
    answer = browser.send(browser.login(ME))
    assert (answer.status, answer.code) == (429, "server.face_login_paused")
    assert 0 < int(answer.headers["Retry-After"]) <= 30
    assert nobody_signed_in(browser)


def test_attempts_from_one_address_are_limited(browser: Browser) -> None:
    for _ in range(face_login.ATTEMPTS.attempts):
        throttle.spend(face_login.ATTEMPTS, "127.0.0.1")
    assert browser.knock().code == "server.too_many_attempts"


def test_without_the_key_holder_nobody_signs_in(browser: Browser, keyholder: Switchable) -> None:
    message = browser.login(ME)
    keyholder.fails["verify"] = KeyHolderUnavailable()
    answer = browser.send(message)
    assert (answer.status, answer.code) == (503, "server.keyholder_down")
    assert nobody_signed_in(browser)
    assert Account.objects.count() == 1
