"""Registration, passwords, sessions, tokens."""

import io
import re
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from tests.server.conftest import SiteTransport, Switchable
from tests.support import PASSWORD, Answer, Api, Person, granted
from veilface.server.accounts import services, throttle
from veilface.server.accounts.models import AccessToken, Account, Consent, Throttle
from veilface.server.errors import PasswordSwitchedOff, TooManyAttempts, UsernameTaken, WrongCredentials

REGISTRATION = {"username": "new-person", "display_name": "新用户", "password": PASSWORD}


def registration(api: Api, **changes: str) -> Answer:
    terms = api.get("/site").json["terms_version"]
    return api.post("/accounts", REGISTRATION | {"terms_version": terms} | changes)


def sign_in(api: Api, username: str, password: str) -> Answer:
    api.get("/session")
    return api.post("/session", {"username": username, "password": password})


# --- registration ----------------------------------------------------------------------------------------


def test_registration_signs_in_and_records_the_consent(api: Api) -> None:
    assert api.get("/session").json == {"account": None, "binding": None}
    answer = registration(api)
    assert answer.status == 201
    assert api.get("/session").json == answer.json
    consent = Consent.objects.get()
    assert consent.terms_version == api.get("/site").json["terms_version"]
    assert consent.account.display_name == "新用户"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"username": "ab"}, "server.username_unusable"),
        ({"username": "-dash"}, "server.username_unusable"),
        ({"username": "white space"}, "server.username_unusable"),
        ({"username": "x" * 33}, "server.username_unusable"),
        ({"display_name": "  "}, "server.display_name_unusable"),
        ({"display_name": "名" * 41}, "server.display_name_unusable"),
        ({"display_name": "a\x00b"}, "server.display_name_unusable"),
        ({"password": "short one"}, "server.password_too_short"),
        ({"password": "1234567890"}, "server.password_too_common"),
        ({"password": "new-person1"}, "server.password_too_common"),
        ({"terms_version": "1999-01"}, "server.terms_changed"),
        ({"surplus": "field"}, "server.invalid_request"),
    ],
)
def test_what_registration_refuses(api: Api, change: dict[str, str], code: str) -> None:
    answer = registration(api, **change)
    assert answer.code == code
    assert answer.status in {409, 422}
    assert not Account.objects.exists()
    assert api.get("/session").json["account"] is None


def test_a_taken_name_is_refused_whatever_its_spelling(api: Api) -> None:
    registration(api)
    other = Api(SiteTransport())
    assert registration(other, username="ＮＥＷ-Person").code == "server.username_taken"
    assert Account.objects.count() == 1


def test_a_field_of_the_wrong_type_is_named_and_its_value_is_not_repeated(api: Api) -> None:
    answer = api.post("/accounts", REGISTRATION | {"password": 12345678901, "terms_version": "x"})
    assert (answer.status, answer.code) == (422, "server.invalid_request")
    assert answer.json["details"] == {"field": "password", "reason": "string_type"}
    assert b"12345678901" not in answer.body


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"7", b"\xff\xfe", b"[" * 5000])
def test_a_body_that_is_no_json_object(api: Api, body: bytes) -> None:
    answer = api.transport.send("POST", "/api/v1/session", body, "application/json")
    assert (answer.status, answer.code) == (422, "server.invalid_request")


@pytest.mark.parametrize(
    ("kind", "size", "status", "code"),
    [
        ("application/json", 16_385, 413, "server.body_too_large"),
        ("application/octet-stream", 148_258, 413, "server.body_too_large"),
        ("application/octet-stream", 100, 415, "server.unsupported_body"),
        ("multipart/form-data; boundary=x", 100, 415, "server.unsupported_body"),
        ("application/x-www-form-urlencoded", 100, 415, "server.unsupported_body"),
        ("text/plain", 10, 415, "server.unsupported_body"),
    ],
)
def test_a_body_too_large_or_of_another_type(api: Api, kind: str, size: int, status: int, code: str) -> None:
    answer = api.transport.send("POST", "/api/v1/session", b"x" * size, kind)
    assert (answer.status, answer.code) == (status, code)


class Unread(io.BytesIO):
    """A body that nobody may look at."""

    def read(self, *_: object) -> bytes:
        raise AssertionError

    readline = read


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("announced", ["10000000000", "-1", "nonsense"])
def test_what_is_announced_too_large_is_not_read(api: Api, kind: str, announced: str) -> None:
    transport = api.transport
    assert isinstance(transport, SiteTransport)
    meta: dict[str, Any] = {"CONTENT_LENGTH": announced, "CONTENT_TYPE": kind, "wsgi.input": Unread()}
    response = transport.client.generic("POST", "/api/v1/enrolments", **meta)
    assert response.status_code in {413, 415}


def test_a_body_without_a_length_is_refused(api: Api) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    answer = api.transport.send("POST", "/api/v1/session", b"{}", "application/json", headers)
    assert (answer.status, answer.code) == (411, "server.length_required")


def test_a_method_that_an_address_does_not_take(api: Api) -> None:
    answer = api.delete("/site")
    assert (answer.status, answer.code) == (405, "server.wrong_method")
    assert answer.headers["Allow"] == "GET"


def test_registrations_from_one_address_are_limited(api: Api) -> None:
    for _ in range(throttle.REGISTRATIONS.attempts):
        throttle.spend(throttle.REGISTRATIONS, "127.0.0.1")
    answer = registration(api)
    assert (answer.status, answer.code) == (429, "server.too_many_attempts")
    assert int(answer.headers["Retry-After"]) > 0
    assert not Account.objects.exists()


# --- passwords -------------------------------------------------------------------------------------------


def test_the_password_is_kept_as_argon2id(people: Callable[[str], Person], settings: Settings) -> None:
    assert settings.PASSWORD_HASHERS[0].endswith("Argon2")
    people("person-one")
    kept = Account.objects.get().password
    assert kept.startswith("argon2$argon2id$")
    assert PASSWORD not in kept


def test_unknown_user_and_wrong_password_are_answered_alike(people: Callable[[str], Person], api: Api) -> None:
    people("person-one")
    unknown = sign_in(api, "nobody-here", PASSWORD)
    wrong = sign_in(api, "person-one", "not the password")
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body)
    assert unknown.status == 401


class CountingHasher(Argon2PasswordHasher):
    """Argon2 as in production, which notes each time that it computes."""

    computed: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.computed.append(type(self).__name__)
        return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        self.computed.append(type(self).__name__)
        return super().verify(password, encoded)


def test_unknown_user_and_wrong_password_cost_one_computation_each(
    people: Callable[[str], Person], site: Settings
) -> None:
    site.PASSWORD_HASHERS = [f"{__name__}.{CountingHasher.__name__}"]
    people("person-one")
    for username in ("person-one", "nobody-here"):
        CountingHasher.computed.clear()
        with pytest.raises(WrongCredentials):
            services.authenticate(username=username, password="not the password", address="")
        assert CountingHasher.computed == ["CountingHasher"], username


def test_five_wrong_passwords_close_the_name_for_half_a_minute(people: Callable[[str], Person], api: Api) -> None:
    assert (throttle.PASSWORD_BY_NAME.attempts, throttle.PASSWORD_BY_NAME.seconds) == (5, 30)
    people("person-one")
    for _ in range(5):
        assert sign_in(api, "person-one", "not the password").status == 401
    call_command("forget")  # as every start of the server does
    for username in ("person-one", "PERSON-ONE"):
        answer = sign_in(api, username, PASSWORD)
        assert (answer.status, answer.code) == (429, "server.too_many_attempts")
    assert 0 < answer.json["details"]["retry_after_s"] <= 30
    assert api.get("/session").json["account"] is None
    Throttle.objects.update(ends_at=timezone.now())
    assert sign_in(api, "person-one", PASSWORD).status == 200


def test_the_half_minute_begins_with_the_last_attempt(db: None) -> None:
    throttle.spend(throttle.PASSWORD_BY_NAME, "person-one")
    Throttle.objects.update(ends_at=timezone.now() + timedelta(seconds=10))
    throttle.spend(throttle.PASSWORD_BY_NAME, "person-one")
    assert Throttle.objects.get().ends_at > timezone.now() + timedelta(seconds=20)


def guessed_fifty_times(api: Api, username: str) -> list[Answer]:
    """Fifty wrong passwords with the pauses over at once, then one more."""
    throttle.forgive(throttle.PASSWORD_BY_ADDRESS, "127.0.0.1")
    answers = []
    for attempt in range(throttle.PASSWORD_IN_A_ROW.attempts + 1):
        if attempt % throttle.PASSWORD_BY_NAME.attempts == 0:
            throttle.forgive(throttle.PASSWORD_BY_NAME, username)
        answers.append(sign_in(api, username, "not the password"))
    return answers


def test_fifty_wrong_passwords_switch_the_password_off_whoever_has_the_name(
    people: Callable[[str], Person], api: Api
) -> None:
    assert (throttle.PASSWORD_IN_A_ROW.attempts, throttle.PASSWORD_IN_A_ROW.seconds) == (50, 86_400)
    person = people("person-one")
    known, unknown = (guessed_fifty_times(api, name) for name in ("person-one", "nobody-here"))
    assert [(answer.status, answer.code) for answer in known] == [(answer.status, answer.code) for answer in unknown]
    assert [answer.status for answer in known] == [401] * 50 + [429]
    assert known[-1].code == "server.password_switched_off"
    assert set(known[-1].headers) == set(unknown[-1].headers)
    call_command("forget")
    assert sign_in(api, "Person-One", PASSWORD).code == "server.password_switched_off"
    assert granted(api.get("/session")).json["account"] is None
    refused = person.api.post("/account/deletion", {"password": PASSWORD})
    assert (refused.status, refused.code) == (429, "server.password_switched_off")
    assert Account.objects.filter(username="person-one").exists()
    Throttle.objects.update(ends_at=timezone.now())
    assert sign_in(api, "person-one", PASSWORD).status == 200


def test_names_that_nobody_has_are_closed_alike(api: Api) -> None:
    codes = [sign_in(api, "nobody-here", "some password").code for _ in range(throttle.PASSWORD_BY_NAME.attempts + 1)]
    assert codes == ["server.wrong_credentials"] * throttle.PASSWORD_BY_NAME.attempts + ["server.too_many_attempts"]


def test_a_success_opens_the_name_again(people: Callable[[str], Person], api: Api) -> None:
    people("person-one")
    for _ in range(throttle.PASSWORD_BY_NAME.attempts - 1):
        sign_in(api, "person-one", "not the password")
    assert sign_in(api, "person-one", PASSWORD).status == 200
    assert sign_in(Api(SiteTransport()), "person-one", "not the password").status == 401


def test_the_throttle_knows_no_names(people: Callable[[str], Person], api: Api) -> None:
    people("person-one")
    sign_in(api, "person-one", "not the password")
    assert all(re.fullmatch("[0-9a-f]{64}", row.subject) for row in Throttle.objects.all())


def in_parallel(count: int, work: Callable[[], str]) -> Counter[str]:
    results: list[str] = []
    start = threading.Barrier(count)

    def one() -> None:
        start.wait()
        try:
            results.append(work())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(results)


@pytest.mark.django_db(transaction=True)
def test_parallel_attempts_are_counted_exactly(keyholder: Switchable) -> None:
    Account.objects.create(username="person-one", display_name="x", password="!")

    def attempt() -> str:
        try:
            services.authenticate(username="person-one", password="not the password", address="127.0.0.1")
        except (WrongCredentials, TooManyAttempts) as refused:
            return refused.code
        return "accepted"

    assert in_parallel(20, attempt) == {"server.wrong_credentials": 5, "server.too_many_attempts": 15}
    throttle.forgive(throttle.PASSWORD_BY_NAME, "person-one")
    for _ in range(42):  # 47 of 50: three are left, of which the pause would let five through
        throttle.spend(throttle.PASSWORD_IN_A_ROW, "person-one")
    results = in_parallel(20, attempt)
    assert results["server.wrong_credentials"] == 3
    assert results["server.password_switched_off"] >= 1
    with pytest.raises(PasswordSwitchedOff):
        throttle.look(throttle.PASSWORD_IN_A_ROW, "person-one")


@pytest.mark.django_db(transaction=True)
def test_of_parallel_registrations_of_a_name_one_wins(settings: Settings) -> None:
    def attempt() -> str:
        try:
            services.register(
                username="person-one",
                display_name="x",
                password=PASSWORD,
                terms_version=settings.TERMS_VERSION,
                address="127.0.0.1",
            )
        except UsernameTaken as refused:
            return refused.code
        return "registered"

    assert in_parallel(6, attempt) == {"registered": 1, "server.username_taken": 5}
    assert Consent.objects.count() == 1


# --- sessions --------------------------------------------------------------------------------------------


def test_signing_in_begins_a_new_session(people: Callable[[str], Person]) -> None:
    people("person-one")
    transport = SiteTransport()
    api = Api(transport)
    assert sign_in(api, "person-one", PASSWORD).status == 200
    first = transport.client.cookies["veilface"].value
    binding = api.get("/session").json["binding"]
    assert sign_in(api, "person-one", PASSWORD).status == 200
    assert transport.client.cookies["veilface"].value != first
    assert api.get("/session").json["binding"] != binding
    old = Client()
    old.cookies["veilface"] = first
    assert old.get("/api/v1/session").json()["account"] is None


def test_signing_out_ends_the_session_on_the_server(people: Callable[[str], Person]) -> None:
    person = people("person-one")
    transport = person.api.transport
    assert isinstance(transport, SiteTransport)
    key = transport.client.cookies["veilface"].value
    assert person.api.delete("/session").status == 204
    stolen = Client()
    stolen.cookies["veilface"] = key
    assert stolen.get("/api/v1/account").status_code == 401
    assert not Session.objects.exists()


def test_a_stolen_database_opens_no_session(people: Callable[[str], Person]) -> None:
    person = people("person-one")
    transport = person.api.transport
    assert isinstance(transport, SiteTransport)
    kept = Session.objects.get().session_key
    assert kept != transport.client.cookies["veilface"].value
    thief = Client()
    thief.cookies["veilface"] = kept
    assert thief.get("/api/v1/account").status_code == 401


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(people: Callable[[str], Person]) -> None:
    transport = people("person-one").api.transport
    assert isinstance(transport, SiteTransport)
    cookie = transport.client.cookies["veilface"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/session"),
        ("POST", "/accounts"),
        ("DELETE", "/session"),
        ("PATCH", "/account"),
        ("POST", "/account/deletion"),
        ("POST", "/account/password"),
        ("DELETE", "/sessions"),
        ("DELETE", f"/sessions/{'0' * 32}"),
        ("POST", "/passkeys"),
        ("DELETE", f"/passkeys/{'0' * 32}"),
        ("POST", "/challenges"),
        ("POST", "/devices"),
        ("POST", "/enrolments"),
        ("POST", "/verifications"),
        ("POST", f"/templates/{'0' * 32}/deletion"),
        ("POST", "/wallet/codes"),
        ("POST", "/wallet/orders"),
        ("POST", f"/wallet/orders/{'0' * 32}/challenge"),
        ("POST", f"/wallet/orders/{'0' * 32}/payment"),
        ("POST", f"/wallet/payments/{'0' * 32}/refunds"),
        ("POST", "/wallet/top-ups"),
    ],
)
def test_changing_requests_need_the_csrf_token(people: Callable[[str], Person], method: str, path: str) -> None:
    person = people("person-one")
    body = b'{"username":"person-one","password":"seven quiet herons"}'
    for headers in ({"X-CSRFToken": ""}, {"X-CSRFToken": "a" * 64}, {"Origin": "https://elsewhere.example"}):
        answer = person.api.transport.send(method, f"/api/v1{path}", body, "application/json", headers)
        assert (answer.status, answer.code) == (403, "server.csrf")
    assert Account.objects.count() == 1
    assert person.profile()["display_name"] == "测试者"


@pytest.mark.parametrize(
    "path",
    [
        "/account",
        "/sessions",
        "/passkeys",
        "/devices",
        "/templates",
        f"/templates/{'0' * 32}/data",
        f"/keys/{'0' * 64}",
        "/wallet",
        "/wallet/movements",
        f"/wallet/movements/{'0' * 32}",
        f"/wallet/payments/{'0' * 32}",
    ],
)
def test_nothing_of_an_account_is_shown_to_nobody(api: Api, path: str) -> None:
    answer = api.get(path)
    assert (answer.status, answer.code) == (401, "server.not_signed_in")


def test_the_display_name_may_be_changed(people: Callable[[str], Person]) -> None:
    person = people("person-one")
    assert person.api.patch("/account", {"display_name": " 新名字 "}).json["display_name"] == "新名字"
    assert person.api.patch("/account", {"display_name": ""}).code == "server.display_name_unusable"
    assert person.profile()["display_name"] == "新名字"


# --- tokens ----------------------------------------------------------------------------------------------


class ProgramTransport(SiteTransport):
    """A program: a bearer token, no cookies."""

    def __init__(self, token: str) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})
        self.client.cookies["veilface_csrf"] = ""


def token_for(username: str) -> Answer:
    content = {"username": username, "password": PASSWORD, "name": "test"}
    return Api(ProgramTransport("")).post("/tokens", content)


def test_a_program_signs_in_with_a_token(people: Callable[[str], Person]) -> None:
    people("person-one")
    answer = token_for("person-one")
    assert answer.status == 201
    assert answer.json["token"].startswith("vf_")
    program = Api(ProgramTransport(answer.json["token"]))
    assert program.get("/account").json["username"] == "person-one"
    assert program.patch("/account", {"display_name": "by a program"}).status == 200
    assert program.delete("/tokens/current").status == 204
    assert program.get("/account").code == "server.token_invalid"


def test_a_stolen_database_holds_no_token(people: Callable[[str], Person]) -> None:
    people("person-one")
    token = token_for("person-one").json["token"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_accesstoken")
        assert token not in repr(cursor.fetchall())


def test_an_expired_token_is_refused(people: Callable[[str], Person]) -> None:
    people("person-one")
    token = token_for("person-one").json["token"]
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = Api(ProgramTransport(token)).get("/account")
    assert (answer.status, answer.code) == (401, "server.token_invalid")


def test_a_token_needs_the_password(people: Callable[[str], Person]) -> None:
    people("person-one")
    content = {"username": "person-one", "password": "not the password", "name": "test"}
    assert Api(ProgramTransport("")).post("/tokens", content).code == "server.wrong_credentials"
    assert not AccessToken.objects.exists()
