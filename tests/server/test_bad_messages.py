"""Every bad message is refused with its own code, and afterwards everything is as it was."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from django.db import connection

from tests.server.conftest import Clock, Switchable, with_device
from tests.support import PASSWORD, Answer, Device, Message, Person, unit
from veilface.protect import homomorphic, rlwe
from veilface.protect.envelope import MessageType, Outcome, Receipt, sign_header
from veilface.protect.ring import DATA
from veilface.server.accounts import messages
from veilface.server.base64url import decode
from veilface.server.enrolment.models import Template

ME = unit(1)
FORGETTABLE = {"enrolment_challenge", "accounts_throttle", "django_session", "accounts_device"}


def rows() -> dict[str, list[str]]:
    """Every row but those that only say that somebody asked."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            if name not in FORGETTABLE:
                cursor.execute(f"SELECT * FROM {name}")  # noqa: S608 – names of our own tables
                found[name] = sorted(repr(row) for row in cursor.fetchall())
    return found


@contextmanager
def nothing_changes(device: Device, keyholder: Switchable) -> Iterator[None]:
    """No row differs, the key holder calls the same template current, and it still accepts its person."""
    account = device.person.account
    before, current = rows(), keyholder.inner.account_status(account).template_hash
    yield
    assert rows() == before
    assert keyholder.inner.account_status(account).template_hash == current
    if current is not None:
        assert device.accepted(ME)


@pytest.fixture
def enrolled(device: Device) -> Device:
    assert device.enrol(ME).status == 201
    return device


def send(device: Device, message: Message) -> Answer:
    path = "/enrolments" if message.header.type is MessageType.ENROL else "/verifications"
    return device.api.octets(path, device.sealed(message))


def both(device: Device) -> list[Message]:
    """A good re-enrolment and a good verification, to be spoiled."""
    return [device.enrolment(unit(2), password=PASSWORD), device.verification(ME)]


PATHS = ("/enrolments", "/verifications")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("change", [-1, 1, -73_728, 1_000_000])
def test_truncated_or_oversized(enrolled: Device, keyholder: Switchable, path: str, change: int) -> None:
    message = both(enrolled)[PATHS.index(path)]
    sealed = enrolled.sealed(message)
    bent = sealed[:change] if change < 0 else sealed + bytes(change)
    with nothing_changes(enrolled, keyholder):
        answer = enrolled.api.octets(path, bent)
        assert (answer.status, answer.code) in {(400, "server.body_wrong_length"), (413, "server.body_too_large")}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", ["image/jpeg", "multipart/form-data; boundary=x", "application/json", "text/plain"])
def test_wrong_content_type(enrolled: Device, keyholder: Switchable, path: str, kind: str) -> None:
    message = both(enrolled)[PATHS.index(path)]
    with nothing_changes(enrolled, keyholder):
        answer = enrolled.api.octets(path, enrolled.sealed(message), kind=kind)
        refusals = {(415, "server.unsupported_body"), (413, "server.body_too_large")}  # the latter as JSON
        assert (answer.status, answer.code) in refusals


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
def test_a_message_sent_to_the_other_address(enrolled: Device, keyholder: Switchable, position: int) -> None:
    message = both(enrolled)[position]
    with nothing_changes(enrolled, keyholder):
        answer = enrolled.api.octets(PATHS[1 - position], enrolled.sealed(message))
        assert (answer.status, answer.code) == (400, "server.wrong_message")
        assert answer.json["details"]["field"] == "type"


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
@pytest.mark.parametrize("spoil", ["magic", "suite", "zero", "padding"])
def test_headers_that_break_the_layout(enrolled: Device, keyholder: Switchable, position: int, spoil: str) -> None:
    message = both(enrolled)[position]
    offset = {"magic": 0, "suite": 5, "zero": 7, "padding": 255}[spoil]
    header = bytearray(message.header.to_bytes())
    header[offset] ^= 1
    with nothing_changes(enrolled, keyholder):
        sealed = bytes(header) + sign_header(enrolled.key, message.header) + message.body
        answer = enrolled.api.octets(PATHS[position], sealed)
        assert (answer.status, answer.code) == (400, "protect.malformed_envelope")
        assert answer.json["details"]["field"] == spoil


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
def test_residue_not_below_its_prime(enrolled: Device, keyholder: Switchable, position: int) -> None:
    message = both(enrolled)[position]
    body = DATA.primes[0].to_bytes(3, "little") + message.body[3:]
    with nothing_changes(enrolled, keyholder):
        answer = send(enrolled, message.with_body(body))
        assert (answer.status, answer.code) == (400, "protect.malformed_ciphertext")


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
def test_second_component_zero(enrolled: Device, keyholder: Switchable, position: int) -> None:
    message = both(enrolled)[position]
    half = len(message.body) // 2
    with nothing_changes(enrolled, keyholder):
        answer = send(enrolled, message.with_body(message.body[:half] + bytes(half)))
        assert (answer.status, answer.code) == (400, "protect.malformed_ciphertext")


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
def test_body_that_the_header_does_not_name(enrolled: Device, keyholder: Switchable, position: int) -> None:
    message = both(enrolled)[position]
    other = Message(message.header, bytes([message.body[0] ^ 1]) + message.body[1:])
    with nothing_changes(enrolled, keyholder):
        answer = send(enrolled, other)
        assert (answer.status, answer.code) == (400, "protect.body_mismatch")


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
def test_tampered_signature(enrolled: Device, keyholder: Switchable, position: int) -> None:
    message = both(enrolled)[position]
    sealed = bytearray(enrolled.sealed(message))
    sealed[256 + 40] ^= 1
    with nothing_changes(enrolled, keyholder):
        answer = enrolled.api.octets(PATHS[position], bytes(sealed))
        assert (answer.status, answer.code) == (403, "protect.bad_signature")


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
def test_signature_of_another_key(enrolled: Device, keyholder: Switchable, position: int) -> None:
    message = both(enrolled)[position]
    stranger = Device(enrolled.person, enrolled.device_id)
    with nothing_changes(enrolled, keyholder):
        answer = send(stranger, message)
        assert (answer.status, answer.code) == (403, "protect.bad_signature")


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("account_id", "server.wrong_message"),
        ("device_id", "keyholder.unknown_device"),
        ("key_fp", "keyholder.stale_key"),
        ("model_fp", "keyholder.wrong_contract"),
        ("challenge", "server.challenge_unknown"),
        ("context_hash", "server.context_mismatch"),
    ],
)
def test_header_fields_that_do_not_fit(
    enrolled: Device, keyholder: Switchable, position: int, field: str, code: str
) -> None:
    message = both(enrolled)[position]
    other = secrets.token_bytes(len(getattr(message.header, field)))
    with nothing_changes(enrolled, keyholder):
        assert send(enrolled, message.with_header(**{field: other})).code == code


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
@pytest.mark.parametrize("off_s", [-600, 600])
def test_header_of_another_time(enrolled: Device, keyholder: Switchable, position: int, off_s: int) -> None:
    message = both(enrolled)[position]
    with nothing_changes(enrolled, keyholder):
        answer = send(enrolled, message.with_header(issued_ms=message.header.issued_ms + off_s * 1000))
        assert (answer.status, answer.code) == (400, "server.stale_message")


def test_template_of_another_account(enrolled: Device, keyholder: Switchable, people: Callable[[str], Person]) -> None:
    other = with_device(people("person-two"))
    other.enrol(unit(2))
    theirs = bytes.fromhex(other.person.profile()["template"]["template_hash"])
    message = enrolled.verification(ME)
    with nothing_changes(enrolled, keyholder):
        assert send(enrolled, message.with_header(template_hash=theirs)).code == "keyholder.wrong_template"


def test_key_of_another_account(enrolled: Device, keyholder: Switchable, people: Callable[[str], Person]) -> None:
    """A real key that is not this account's: named openly it is refused, used secretly it decrypts to noise."""
    other = with_device(people("person-two"))
    other.enrol(unit(2))
    foreign = other.verification(unit(2)).grant
    message = enrolled.verification(ME)
    body = homomorphic.protect_probe(ME, public_key=other.key_bytes(foreign))
    with nothing_changes(enrolled, keyholder):
        named = message.with_body(body).with_header(key_fp=decode(foreign["key_fp"]))
        assert send(enrolled, named).code == "keyholder.stale_key"
        answer = send(enrolled, message.with_body(body))
        assert answer.json["outcome"] == "not_accepted"


def test_stale_epoch(enrolled: Device, keyholder: Switchable) -> None:
    """A probe made for the key before re-enrolment."""
    before = enrolled.verification(ME)
    assert enrolled.enrol(ME, password=PASSWORD).status == 201
    with nothing_changes(enrolled, keyholder):
        assert send(enrolled, before).code == "keyholder.wrong_template"
        fresh = enrolled.verification(ME)
        old_key = fresh.with_body(before.body).with_header(key_fp=before.header.key_fp)
        assert send(enrolled, old_key).code == "keyholder.stale_key"
        assert send(enrolled, enrolled.verification(ME).with_body(before.body)).json["outcome"] == "not_accepted"


def test_stale_enrolment_key(enrolled: Device, keyholder: Switchable) -> None:
    """A template made for a pending key that a later challenge replaced."""
    first = enrolled.enrolment(unit(2), password=PASSWORD)
    enrolled.enrolment(unit(3), password=PASSWORD)
    with nothing_changes(enrolled, keyholder):
        assert send(enrolled, first).code == "keyholder.stale_key"


@pytest.mark.parametrize("accepted_at_first", [True, False])
def test_replayed_challenge(enrolled: Device, keyholder: Switchable, accepted_at_first: bool) -> None:  # noqa: FBT001
    message = enrolled.verification(ME if accepted_at_first else unit(2))
    assert send(enrolled, message).json["accepted"] == accepted_at_first
    with nothing_changes(enrolled, keyholder):
        answer = send(enrolled, message)
        assert (answer.status, answer.code) == (409, "keyholder.challenge_replayed")


def test_replayed_enrolment_challenge(enrolled: Device, keyholder: Switchable) -> None:
    message = enrolled.enrolment(unit(2), password=PASSWORD)
    spoiled = message.with_body(message.body[:-3] + b"\xff\xff\xff")
    assert send(enrolled, spoiled).code == "protect.malformed_ciphertext"
    with nothing_changes(enrolled, keyholder):
        assert send(enrolled, message).code == "keyholder.challenge_replayed"


def test_expired_challenge_by_the_servers_record(
    enrolled: Device, keyholder: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for message in both(enrolled):
        now_ms = messages.now_ms()
        with monkeypatch.context() as later:
            later.setattr(messages, "now_ms", lambda now_ms=now_ms: now_ms + 91_000)
            with nothing_changes_later(keyholder, enrolled):
                answer = send(enrolled, message)
                assert (answer.status, answer.code) == (403, "keyholder.challenge_expired")
    assert enrolled.accepted(ME)


@contextmanager
def nothing_changes_later(keyholder: Switchable, device: Device) -> Iterator[None]:
    """As above, without the verification, while clocks are bent."""
    before, current = rows(), keyholder.inner.account_status(device.person.account).template_hash
    yield
    assert rows() == before
    assert keyholder.inner.account_status(device.person.account).template_hash == current


def test_expired_challenge_by_the_key_holders_clock(enrolled: Device, keyholder: Switchable, clock: Clock) -> None:
    for message in both(enrolled):
        clock.ahead_ms = 91_000
        with nothing_changes_later(keyholder, enrolled):
            answer = send(enrolled, message)
            assert (answer.status, answer.code) == (403, "keyholder.challenge_expired")
        clock.ahead_ms = 0
    assert enrolled.accepted(ME)


# --- ciphertexts that parse and must not count -----------------------------------------------------------


ENCODE = (homomorphic.encode_template, homomorphic.encode_probe)


def encrypted(device: Device, message: Message, coefficients: np.ndarray[Any, Any]) -> Message:
    key = rlwe.PublicKey(device.key_bytes(message.grant))
    return message.with_body(rlwe.pack_words(rlwe.encrypt(key, coefficients)))


def wrapped(device: Device, message: Message, coefficients: np.ndarray[Any, Any]) -> Message:
    """x modulo q1 and q2, −x modulo q3: its norm modulo q is that of x, its coefficients are near q."""
    key = rlwe.PublicKey(device.key_bytes(message.grant))
    words = rlwe.encrypt(key, coefficients)
    words[0, 2] -= 2 * DATA.forward(coefficients)[2]
    return message.with_body(rlwe.pack_words(DATA.residues(words)))


def outcome(answer: Answer) -> Outcome:
    """What the signed receipt says, wherever it stands."""
    holder = answer.json if answer.status == 200 else answer.json["details"]
    return Receipt.parse(decode(holder["receipt"])).outcome


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
@pytest.mark.parametrize("factor", [0.5, 1.1, 6])
def test_norm_that_is_not_one(enrolled: Device, keyholder: Switchable, position: int, factor: float) -> None:
    message = both(enrolled)[position]
    coefficients = (ENCODE[position](ME) * factor).astype(np.int64)
    with nothing_changes(enrolled, keyholder):
        assert outcome(send(enrolled, encrypted(enrolled, message, coefficients))) is Outcome.NOT_ACCEPTED


@pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])
def test_wrap_around(enrolled: Device, keyholder: Switchable, position: int) -> None:
    message = both(enrolled)[position]
    with nothing_changes(enrolled, keyholder):
        assert outcome(send(enrolled, wrapped(enrolled, message, ENCODE[position](ME)))) is Outcome.NOT_ACCEPTED


def test_a_first_enrolment_that_is_refused_leaves_nothing(device: Device) -> None:
    message = device.enrolment(ME)
    answer = send(device, encrypted(device, message, homomorphic.encode_template(ME) * 6))
    assert (answer.status, answer.code) == (422, "server.template_not_accepted")
    assert not Template.objects.exists()
    assert device.challenge("verify", device.person.context(b"VFLOGIN")).code == "keyholder.not_enrolled"
    assert device.enrol(ME).status == 201
