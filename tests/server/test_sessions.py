"""Sessions seen and ended from elsewhere; a new password."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from tests.server.conftest import SiteTransport
from tests.server.test_sign_in import ProgramTransport, sign_in, token_for
from tests.support import PASSWORD, Api, Person, granted
from veilface.server.accounts import sign_ins
from veilface.server.accounts.models import AccessToken, SignIn

PHONE = (
    "Mozilla/5.0 (Linux; Android 16; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
NEW = "nine other herons"


@pytest.fixture
def person(people: Callable[[str], Person]) -> Person:
    return people("person-one")


class PhoneTransport(SiteTransport):
    def __init__(self) -> None:
        super().__init__()
        self.client.defaults["HTTP_USER_AGENT"] = PHONE


def elsewhere(transport: SiteTransport | None = None) -> Api:
    api = Api(transport or SiteTransport())
    assert sign_in(api, "person-one", PASSWORD).status == 200
    return api


def cookie(api: Api) -> str:
    assert isinstance(api.transport, SiteTransport)
    return str(api.transport.client.cookies["veilface"].value)


def opens(key: str) -> bool:
    """Whether a cookie that somebody kept still opens the account."""
    client = Client()
    client.cookies["veilface"] = key
    return client.get("/api/v1/account").status_code == 200


def listed(api: Api) -> list[dict[str, Any]]:
    return list(granted(api.get("/sessions")).json)


def test_sessions_and_programs_are_listed_this_one_marked(person: Person) -> None:
    phone = elsewhere(PhoneTransport())
    program = Api(ProgramTransport(token_for("person-one").json["token"]))
    found = listed(phone)
    assert sorted((one["kind"], one["name"], one["current"]) for one in found) == [
        ("browser", "", False),
        ("browser", "Chrome, Android", True),
        ("program", "test", False),
    ]
    assert {one["method"] for one in found} == {"password"}
    assert [one["kind"] for one in listed(program) if one["current"]] == ["program"]
    assert all(one["last_used_at"] for one in listed(person.api))


def test_nothing_listed_opens_a_session(person: Person) -> None:
    thief = Client()
    for one in listed(person.api):
        for key in (one["id"], SignIn.objects.get().digest):
            thief.cookies["veilface"] = key
            assert thief.get("/api/v1/account").status_code == 401


def test_one_session_is_ended_from_another(person: Person) -> None:
    phone = elsewhere(PhoneTransport())
    key = cookie(phone)
    assert opens(key)
    (target,) = (one["id"] for one in listed(person.api) if not one["current"])
    assert person.api.delete(f"/sessions/{target}").status == 204
    assert not opens(key)
    assert phone.get("/account").status == 401
    assert person.api.delete(f"/sessions/{target}").status == 404
    assert len(listed(person.api)) == 1


def test_a_programs_token_is_revoked_from_the_site(person: Person) -> None:
    program = Api(ProgramTransport(token_for("person-one").json["token"]))
    (target,) = (one["id"] for one in listed(person.api) if one["kind"] == "program")
    assert person.api.delete(f"/sessions/{target}").status == 204
    assert program.get("/account").code == "server.token_invalid"


def test_signing_out_everywhere_ends_everything(person: Person) -> None:
    keys = [cookie(person.api), cookie(elsewhere()), cookie(elsewhere())]
    program = Api(ProgramTransport(token_for("person-one").json["token"]))
    assert person.api.delete("/sessions").status == 204
    assert [opens(key) for key in keys] == [False] * 3
    assert program.get("/account").code == "server.token_invalid"
    assert (SignIn.objects.count(), Session.objects.count(), AccessToken.objects.count()) == (0, 0, 0)
    assert sign_in(Api(SiteTransport()), "person-one", PASSWORD).status == 200


def test_nobody_ends_another_persons_session(person: Person, people: Callable[[str], Person]) -> None:
    other = people("person-two")
    (target,) = (one["id"] for one in listed(person.api))
    assert other.api.delete(f"/sessions/{target}").status == 404
    assert other.api.delete("/sessions").status == 204
    assert opens(cookie(person.api))


def test_use_is_noted_roughly(person: Person) -> None:
    SignIn.objects.update(last_used_at=timezone.now() - sign_ins.USE_IS_NOTED_EVERY)
    before = SignIn.objects.get().last_used_at
    person.profile()
    noted = SignIn.objects.get().last_used_at
    assert noted > before
    person.profile()
    assert SignIn.objects.get().last_used_at == noted


def test_a_session_ends_by_itself_after_a_fortnight(person: Person) -> None:
    SignIn.objects.update(created_at=timezone.now() - timedelta(days=14))
    assert person.api.get("/account").status == 401
    elsewhere()
    assert SignIn.objects.count() == 1  # the one before is forgotten


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (PHONE, "Chrome, Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_5) Version/19.0 Safari/605.1.15", "Safari, macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox, Linux"),
        ("<script>", ""),
    ],
)
def test_a_browser_is_described_in_short(user_agent: str, expected: str) -> None:
    assert sign_ins.described(user_agent) == expected


# --- the password ------------------------------------------------------------------------------------------


def test_a_new_password_signs_out_everywhere_else(person: Person) -> None:
    here, there = cookie(person.api), cookie(elsewhere())
    program = Api(ProgramTransport(token_for("person-one").json["token"]))
    answer = person.api.post("/account/password", {"password": PASSWORD, "new_password": NEW})
    assert answer.status == 200, answer.body
    assert granted(person.api.get("/session")).json == answer.json
    assert cookie(person.api) != here
    assert not opens(here)
    assert not opens(there)
    assert program.get("/account").code == "server.token_invalid"
    assert sign_in(Api(SiteTransport()), "person-one", PASSWORD).code == "server.wrong_credentials"
    assert sign_in(Api(SiteTransport()), "person-one", NEW).status == 200


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"new_password": NEW}, "server.confirmation_needed"),
        ({"new_password": NEW, "password": "another one"}, "server.wrong_credentials"),
        ({"new_password": "short one", "password": PASSWORD}, "server.password_too_short"),
        ({"new_password": "1234567890", "password": PASSWORD}, "server.password_too_common"),
    ],
)
def test_what_a_new_password_needs(person: Person, content: dict[str, str], code: str) -> None:
    other = cookie(elsewhere())
    assert person.api.post("/account/password", content).code == code
    assert opens(other)
    assert opens(cookie(person.api))
    assert sign_in(Api(SiteTransport()), "person-one", PASSWORD).status == 200


def test_a_program_may_not_change_the_password(person: Person) -> None:
    program = Api(ProgramTransport(token_for("person-one").json["token"]))
    answer = program.post("/account/password", {"password": PASSWORD, "new_password": NEW})
    assert answer.status in {401, 403}
    assert sign_in(Api(SiteTransport()), "person-one", PASSWORD).status == 200
