"""Signing in by face, from a browser that nobody is signed in with."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connections

from tests.server.browser import Browser
from tests.server.conftest import SiteTransport, Switchable
from tests.support import Answer, Api, Device, Message, Person, granted, near, receipt_of, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.keyholder.limits import Policy
from veilface.protect.envelope import MessageType, sign_header
from veilface.protect.scheme import protections
from veilface.server.accounts import throttle
from veilface.server.accounts.models import Account, SignIn
from veilface.server.base64url import decode
from veilface.server.errors import PasswordSwitchedOff
from veilface.server.recognition import face_login

ME, STRANGER = unit(1), unit(2)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal need not wait: that it would is looked at in a test of its own."""
    monkeypatch.setattr(face_login, "REFUSED_AFTER_S", 1e-6)


def fresh(device: Device) -> Browser:
    return Browser(device, Api(SiteTransport()))


def cookie(browser: Browser) -> str:
    assert isinstance(browser.api.transport, SiteTransport)
    found = browser.api.transport.client.cookies.get("veilface")
    return found.value if found else ""


@pytest.fixture
def browser(device: Device) -> Browser:
    assert device.enrol(ME).status == 201
    return fresh(device)


def nobody_signed_in(browser: Browser) -> bool:
    return granted(browser.api.get("/session")).json["account"] is None and browser.api.get("/account").status == 401


@pytest.mark.parametrize("scheme", [known.name for known in protections()])
def test_a_remembered_face_signs_in(device: Device, scheme: str) -> None:
    device.scheme = scheme
    assert device.enrol(ME).status == 201
    browser = fresh(device)
    answer = browser.send(browser.login(near(ME, cosine=0.9)))
    assert answer.status == 200, answer.body
    assert bytes.fromhex(answer.json["account"]["id"]) == device.person.account
    assert receipt_of(answer).decision is MessageType.VERIFY
    assert "decide;dur=" in answer.headers["Server-Timing"]
    session = granted(browser.api.get("/session")).json
    assert session == {"account": answer.json["account"], "binding": answer.json["binding"]}
    assert decode(session["binding"]) != browser.person.binding
    assert granted(browser.api.get("/account")).json["template"]["scheme"] == scheme


def test_a_face_opens_the_password_again(browser: Browser) -> None:
    name = Account.objects.get().username
    for _ in range(throttle.PASSWORD_IN_A_ROW.attempts):
        throttle.spend(throttle.PASSWORD_IN_A_ROW, name)
    assert browser.send(browser.login(STRANGER)).status == 401
    with pytest.raises(PasswordSwitchedOff):
        throttle.look(throttle.PASSWORD_IN_A_ROW, name)
    assert browser.send(browser.login(ME)).status == 200
    throttle.look(throttle.PASSWORD_IN_A_ROW, name)


def test_a_login_begins_a_new_session_with_a_new_csrf_token(browser: Browser, people: Callable[[str], Person]) -> None:
    other = people("person-two")
    browser.api = browser.person.api = other.api
    browser.person.binding = decode(granted(browser.api.get("/face-login")).json["binding"])
    assert isinstance(other.api.transport, SiteTransport)
    cookies = other.api.transport.client.cookies
    before = (cookie(browser), cookies["veilface_csrf"].value)
    assert browser.send(browser.login(ME)).status == 200
    assert cookie(browser) != before[0]
    assert cookies["veilface_csrf"].value != before[1]
    thief = SiteTransport()
    thief.client.cookies["veilface"] = before[0]
    assert Api(thief).get("/account").status == 401


# --- refusals ----------------------------------------------------------------------------------------------


def refusals(browser: Browser) -> dict[str, Answer]:
    """What whoever is refused gets, by the reason that nobody is told."""
    foreign, unknown = fresh(browser), fresh(browser)
    foreign.key = Device(browser.person, browser.device_id).key
    unknown.person.account = secrets.token_bytes(16)
    strange = fresh(browser)
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
    assert cookie(browser) == ""


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
    assert fresh(second).knock().code == "server.face_login_refused"


def test_a_message_signs_in_once_and_only_here(browser: Browser, device: Device) -> None:
    message = browser.login(ME)
    elsewhere = fresh(device)
    assert elsewhere.send(message).code == "server.context_mismatch"
    assert nobody_signed_in(elsewhere)
    assert browser.send(message).status == 200
    granted_again = fresh(device)
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
    assert fresh(device).knock().code == "keyholder.not_enrolled"


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


@pytest.mark.django_db(transaction=True)
def test_fifty_wrong_faces_side_by_side_are_judged_five_times(device: Device, keyholder: Switchable) -> None:
    device.scheme = "ranking"
    device.enrol(ME)
    browser = fresh(device)
    messages = [browser.login(STRANGER) for _ in range(50)]
    codes: list[str] = []
    start = threading.Barrier(len(messages))

    def attempt(message: Message) -> None:
        transport = SiteTransport()
        transport.client.cookies["veilface_csrf"] = browser.api.transport.client.cookies["veilface_csrf"].value  # type: ignore[attr-defined]
        start.wait()
        try:
            codes.append(Api(transport).octets("/face-login", browser.sealed(message)).code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=attempt, args=(message,)) for message in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(codes) == {"server.face_login_refused": 5, "server.face_login_paused": 45}
    assert keyholder.account_status(device.person.account).retry_at_ms is not None
    assert SignIn.objects.count() == 1  # of the registration


def test_a_device_is_told_that_face_login_is_switched_off(
    browser: Browser, keyholder: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert browser.send(browser.login(STRANGER)).code == "server.face_login_refused"
    disabled = replace(keyholder.inner._office, policy=Policy(disable_after=1))
    monkeypatch.setattr(keyholder.inner, "_office", disabled)
    assert granted(browser.knock()).json["disabled"] is True
    answer = browser.send(browser.login(ME))
    assert (answer.status, answer.code) == (403, "server.face_login_disabled")
    assert nobody_signed_in(browser)
