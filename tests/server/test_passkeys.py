"""Passkeys: added, used instead of the password, refused whenever anything about them is not right."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.server.authenticator import PRESENT, Authenticator
from tests.server.conftest import SiteTransport, with_device
from tests.server.wallet.conftest import give
from tests.server.wallet.phone import ME, Phone, new_key
from tests.support import PASSWORD, Answer, Api, Device, Person, granted, near, unit
from veilface.server.accounts import passkeys, throttle
from veilface.server.accounts.models import Account, Passkey, PasskeyChallenge, SignIn
from veilface.server.wallet import ledger
from veilface.server.wallet.models import Payment


def creation(person: Person) -> Any:
    return granted(person.api.post("/passkeys/registration", {"password": PASSWORD})).json


def added(person: Person) -> Authenticator:
    made = Authenticator(user_handle=person.account)
    answer = person.api.post("/passkeys", made.make(creation(person)))
    assert answer.status == 201, answer.body
    return made


def confirmed(person: Person, key: Authenticator) -> dict[str, Any]:
    return {"passkey": key.sign(granted(person.api.post("/passkeys/confirmation", {})).json)}


def sign_in(api: Api, key: Authenticator) -> Answer:
    return api.post("/session/passkey", key.sign(granted(api.post("/passkeys/sign-in", {})).json))


@pytest.fixture
def person(people: Callable[[str], Person]) -> Person:
    return people("person-one")


@pytest.fixture
def key(person: Person) -> Authenticator:
    return added(person)


@pytest.fixture
def visitor(key: Authenticator) -> Api:
    return Api(SiteTransport())


def switch_password_off() -> None:
    throttle.forgive(throttle.PASSWORD_IN_A_ROW, "person-one")
    for _ in range(throttle.PASSWORD_IN_A_ROW.attempts):
        throttle.spend(throttle.PASSWORD_IN_A_ROW, "person-one")


def password_works(api: Api) -> bool:
    answer = api.post("/tokens", {"username": "person-one", "password": PASSWORD, "name": "program"})
    assert answer.status == 201 or answer.code == "server.password_switched_off", answer.body
    return answer.status == 201


def test_whoever_comes_with_a_passkey_has_the_password_back(person: Person, key: Authenticator, visitor: Api) -> None:
    switch_password_off()
    assert not password_works(person.api)
    assert sign_in(visitor, key).status == 200
    assert password_works(person.api)
    switch_password_off()
    assert person.api.post("/passkeys/registration", confirmed(person, key)).status == 200
    assert password_works(person.api)


def test_a_passkey_signs_in_instead_of_the_password(person: Person, key: Authenticator, visitor: Api) -> None:
    answer = sign_in(visitor, key)
    assert answer.status == 200, answer.body
    assert granted(visitor.get("/session")).json == answer.json
    assert bytes.fromhex(answer.json["account"]["id"]) == person.account
    assert granted(visitor.get("/sessions")).json[0]["method"] == "passkey"
    assert granted(visitor.get("/passkeys")).json[0]["last_used_at"] is not None
    assert sign_in(Api(SiteTransport()), key).status == 200


def test_what_is_asked_of_an_authenticator(person: Person, key: Authenticator) -> None:
    asked = creation(person)
    assert asked["rp"]["id"] == "testserver"
    assert asked["user"]["name"] == "person-one"
    assert asked["algorithms"] == [-7, -257]
    assert asked["exclude"] == granted(person.api.post("/passkeys/confirmation", {})).json["allow"]
    assert len(asked["exclude"]) == 1
    assert granted(Api(SiteTransport()).post("/passkeys/sign-in", {})).json["allow"] == []


def test_adding_one_needs_the_password_or_another(person: Person) -> None:
    assert person.api.post("/passkeys/registration", {}).code == "server.confirmation_needed"
    assert person.api.post("/passkeys/registration", {"password": "another one"}).code == "server.wrong_credentials"
    assert not PasskeyChallenge.objects.exists()
    first = added(person)
    assert person.api.post("/passkeys/registration", confirmed(person, first)).status == 200


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "http://testserver.elsewhere.example"},
        {"rp_id": "elsewhere.example"},
        {"flags": PRESENT},
        {"flags": 0x04},
    ],
)
def test_a_passkey_of_another_site_or_that_verifies_nobody_is_not_added(person: Person, bent: dict[str, Any]) -> None:
    answer = person.api.post("/passkeys", Authenticator(**bent).make(creation(person)))
    assert (answer.status, answer.code) == (422, "server.passkey_unusable")
    assert not Passkey.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attestation_object", "AAAA"),
        ("attestation_object", "oWNmbXQ"),
        ("client_data", "e30"),
        ("client_data", "W10"),
        ("credential_id", "AAAA"),
    ],
)
def test_what_no_authenticator_says_is_not_added(person: Person, field: str, value: str) -> None:
    said = Authenticator().make(creation(person)) | {field: value}
    assert person.api.post("/passkeys", said).code == "server.passkey_unusable"
    assert not Passkey.objects.exists()


def test_statements_about_the_maker_are_not_taken(person: Person) -> None:
    said = Authenticator().make(creation(person), fmt="packed")
    assert person.api.post("/passkeys", said).code == "server.passkey_unusable"


@pytest.mark.parametrize(
    "bent",
    [
        {"origin": "https://elsewhere.example"},
        {"rp_id": "elsewhere.example"},
        {"flags": PRESENT},
        {"sign_count": 0},
        {"user_handle": bytes(16)},
        {"credential_id": bytes(32)},
        {"key": Authenticator().key},
    ],
)
def test_who_signs_otherwise_does_not_sign_in(key: Authenticator, visitor: Api, bent: dict[str, Any]) -> None:
    answer = sign_in(visitor, replace(key, **bent))
    assert (answer.status, answer.code) == (401, "server.passkey_refused")
    assert granted(visitor.get("/session")).json["account"] is None
    assert sign_in(visitor, key).status == 200


def test_all_refusals_are_alike(key: Authenticator, visitor: Api) -> None:
    unknown, forged = sign_in(visitor, Authenticator()), sign_in(visitor, replace(key, key=Authenticator().key))
    assert (unknown.status, unknown.body) == (forged.status, forged.body)


def test_a_challenge_is_answered_once(key: Authenticator, visitor: Api) -> None:
    asked = granted(visitor.post("/passkeys/sign-in", {})).json
    said = key.sign(asked)
    forged = replace(key, key=Authenticator().key).sign(asked)
    assert visitor.post("/session/passkey", forged).code == "server.passkey_refused"
    assert visitor.post("/session/passkey", said).code == "server.passkey_refused"  # the forgery used it up


def test_a_challenge_is_for_one_browser_one_purpose_and_five_minutes(
    person: Person, key: Authenticator, visitor: Api
) -> None:
    said = key.sign(granted(visitor.post("/passkeys/sign-in", {})).json)
    assert Api(SiteTransport()).post("/session/passkey", said).code == "server.passkey_refused"
    to_confirm = confirmed(person, key)["passkey"]
    assert person.api.post("/session/passkey", to_confirm).code == "server.passkey_refused"
    to_sign_in = key.sign(granted(person.api.post("/passkeys/sign-in", {})).json)
    assert person.api.post("/account/deletion", {"passkey": to_sign_in}).code == "server.passkey_refused"
    late = key.sign(granted(visitor.post("/passkeys/sign-in", {})).json)
    PasskeyChallenge.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert visitor.post("/session/passkey", late).code == "server.passkey_refused"
    assert Account.objects.count() == 1


def test_a_copied_authenticator_is_noticed_by_its_count(key: Authenticator, visitor: Api) -> None:
    copied = replace(key)
    assert sign_in(visitor, key).status == 200
    assert sign_in(Api(SiteTransport()), copied).code == "server.passkey_refused"
    silent = Authenticator(sign_count=-1)
    assert silent.sign_count + 1 == 0  # some always say 0, and are let in: see the library's own rule


def test_no_more_wait_than_are_allowed(visitor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MOST_WAITING", 3)
    codes = [visitor.post("/passkeys/sign-in", {}).status for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    PasskeyChallenge.objects.update(expires_at=timezone.now())
    assert visitor.post("/passkeys/sign-in", {}).status == 200
    assert PasskeyChallenge.objects.count() == 1


# --- keeping them ------------------------------------------------------------------------------------------


def test_passkeys_are_listed_renamed_and_removed(person: Person, key: Authenticator, visitor: Api) -> None:
    listed = granted(person.api.get("/passkeys")).json
    assert [one["name"] for one in listed] == ["钥匙"]
    path = f"/passkeys/{listed[0]['id']}"
    assert person.api.patch(path, {"name": " 手机 "}).json["name"] == "手机"
    assert person.api.patch(path, {"name": "\x00"}).code == "server.passkey_name_unusable"
    assert person.api.delete(path).status == 204
    assert person.api.delete(path).status == 404
    assert sign_in(visitor, key).code == "server.passkey_refused"


def test_the_same_passkey_is_added_once_and_only_so_many(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    key = added(person)
    assert person.api.post("/passkeys", key.make(creation(person))).code == "server.passkey_known"
    monkeypatch.setattr(passkeys, "MOST_PASSKEYS", 1)
    assert person.api.post("/passkeys", Authenticator().make(creation(person))).code == "server.too_many_passkeys"
    assert Passkey.objects.count() == 1


def test_nobody_reaches_another_persons_passkey(
    person: Person, key: Authenticator, people: Callable[[str], Person]
) -> None:
    other = people("person-two")
    path = f"/passkeys/{Passkey.objects.get().id}"
    assert other.api.patch(path, {"name": "x"}).status == other.api.delete(path).status == 404
    assert other.api.post("/account/deletion", confirmed(other, key)).code == "server.passkey_refused"
    assert (Account.objects.count(), Passkey.objects.count()) == (2, 1)


# --- instead of the password -------------------------------------------------------------------------------


def test_a_passkey_confirms_what_a_password_would(person: Person) -> None:
    device = with_device(person)
    device.enrol(unit(1))
    key = added(person)
    content = {"type": "enrol", "device_id": device.device_id.hex(), "context_hash": "A" * 43}
    assert person.api.post("/challenges", content).code == "server.context_mismatch"
    answer = person.api.post("/account/password", {"new_password": "nine other herons"} | confirmed(person, key))
    assert answer.status == 200, answer.body
    assert person.api.post("/account/deletion", {}).code == "server.confirmation_needed"
    assert person.api.post("/account/deletion", confirmed(person, key)).status == 204
    assert not Account.objects.exists()


def test_a_passkey_lets_a_template_be_replaced(device: Device) -> None:
    device.enrol(unit(1))
    key = added(device.person)
    context = device.person.context(b"VFENROL")
    plain = device.challenge("enrol", context)
    assert plain.code == "server.password_needed"
    from veilface.server.base64url import encode  # noqa: PLC0415

    content = {"type": "enrol", "device_id": device.device_id.hex(), "context_hash": encode(context)}
    assert device.api.post("/challenges", content | confirmed(device.person, key)).status == 200


def test_a_large_payment_takes_a_passkey_beside_the_face(
    people: Callable[[str], Person], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    payee, payer = Phone(with_device(people("person-payee"))), Phone(with_device(people("person-payer")))
    payer.device.enrol(ME)
    give(ledger.wallet_of(Account.objects.get(username="person-payer")), 100_000)
    key = added(payer.device.person)
    order = payer.order(payee.code(settings.WALLET_FACE_ONLY_MAX + 1))
    assert payer.challenge(order).code == "wallet.password_needed"
    foreign = {"passkey": Authenticator().sign(granted(payer.device.api.post("/passkeys/confirmation", {})).json)}
    path, content = f"/orders/{order['id']}/challenge", {"device_id": payer.device.device_id.hex()}
    assert payer.post(path, content | foreign).code == "server.passkey_refused"
    assert not Payment.objects.get().confirmed
    assert payer.post(path, content | confirmed(payer.device.person, key)).status == 200
    answer = payer.send(order, payer.message(order, near(ME, cosine=0.9)), key=new_key())
    assert answer.json["accepted"]
    payment = answer.json["payment_id"]
    path = f"/payments/{payment}/refunds"
    once = new_key()
    assert payee.post(path, {}, key=once).code == "server.confirmation_needed"
    assert payee.post(path, foreign, key=once).code == "server.passkey_refused"
    assert payer.balance == 100_000 - order["amount"]
    proof = confirmed(payee.device.person, added(payee.device.person))
    sent_again: list[Answer] = []
    judge = passkeys.confirm

    def twice(*args: Any, **named: Any) -> None:
        judge(*args, **named)
        sent_again.append(payee.post(path, proof, key=once))

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(passkeys, "confirm", twice)
        back = payee.post(path, proof, key=once)
    assert [(answer.status, answer.code) for answer in sent_again] == [(409, "wallet.still_working")]
    assert (back.status, payer.balance) == (201, 100_000)
    assert payee.post(path, proof, key=once).body == back.body  # the answer was lost: the same bytes again
    assert payee.post(path, proof, key=new_key()).code == "server.passkey_refused"


def test_passkeys_are_of_the_site_alone(person: Person) -> None:
    assert SignIn.objects.get().method == "password"
    for path in ("/passkeys/registration", "/passkeys/confirmation", "/passkeys/sign-in", "/session/passkey"):
        answer = person.api.transport.send("POST", f"/api/v1{path}", b"{}", "application/json", {"X-CSRFToken": ""})
        assert answer.code == "server.csrf", path
