"""Every protection over HTTP, by the same rules: who is accepted, what is refused, what a renewal ends."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.server.conftest import Switchable
from tests.server.test_bad_messages import nothing_changes, send
from tests.support import PASSWORD, Device, Message, near, receipt_of, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import LABEL_LOGIN, MessageType, sha256
from veilface.protect.scheme import OpenProtection, protection, protections
from veilface.protect.suites import Suite
from veilface.server.base64url import decode, encode
from veilface.server.enrolment.models import Template
from veilface.server.enrolment.schemas import ChallengeRequest
from veilface.server.wire import SchemeName

ME, NEW, STRANGER = unit(1), unit(2), unit(3)
NAMES = [known.name for known in protections()]
KEYED = [known.name for known in protections() if isinstance(known, OpenProtection)]
POSITIONS = pytest.mark.parametrize("position", [0, 1], ids=["enrol", "verify"])


@pytest.fixture(params=NAMES)
def enrolled(request: pytest.FixtureRequest, device: Device) -> Device:
    """Somebody enrolled, once with every protection."""
    device.scheme = request.param
    assert device.enrol(ME).status == 201
    return device


@pytest.fixture(params=KEYED)
def keyed(request: pytest.FixtureRequest, device: Device) -> Device:
    """Somebody enrolled with a keyed protection."""
    device.scheme = request.param
    assert device.enrol(ME).status == 201
    return device


def both(device: Device) -> list[Message]:
    """A good re-enrolment and a good verification, to be spoiled."""
    return [device.enrolment(NEW, password=PASSWORD), device.verification(ME)]


def renew(device: Device, scheme: str | None = None) -> None:
    """Enrol the same face anew: with a fresh token, and another protection where one is named."""
    device.scheme, device.token = scheme or device.scheme, secrets.token_bytes(32)
    assert device.enrol(ME, password=PASSWORD).status == 201


@contextmanager
def as_before(device: Device, scheme: str, token: bytes) -> Iterator[None]:
    """What the device would do with an older token, under the current challenge and key."""
    now = device.scheme, device.token
    device.scheme, device.token = scheme, token
    yield
    device.scheme, device.token = now


def test_the_names_on_the_wire_are_the_registrys() -> None:
    assert list(SchemeName.__args__) == NAMES  # type: ignore[attr-defined]
    assert "scheme" in ChallengeRequest.model_fields


def test_the_site_lists_what_there_is_to_choose(device: Device) -> None:
    schemes = device.api.get("/site").json["contract"]["schemes"]
    assert [(one["name"], one["suite"], decode(one["model_fp"])) for one in schemes] == [
        (known.name, known.suite, model_fp(known.name)) for known in protections()
    ]


def test_the_same_person_is_accepted_and_another_is_not(enrolled: Device) -> None:
    template = enrolled.person.profile()["template"]
    assert (template["scheme"], template["bytes"]) == (enrolled.scheme, enrolled.protection.template_bytes)
    assert enrolled.accepted(near(ME, cosine=0.7))
    assert not enrolled.accepted(STRANGER)
    assert enrolled.accepted(ME)


def test_the_owner_sees_the_template_and_its_key(enrolled: Device) -> None:
    message = enrolled.enrolment(NEW, password=PASSWORD)
    assert len(enrolled.key_bytes(message.grant)) == enrolled.protection.key_bytes
    assert send(enrolled, message).status == 201
    template = enrolled.person.profile()["template"]
    data = enrolled.api.get(f"/templates/{template['id']}/data")
    if isinstance(enrolled.protection, OpenProtection):
        assert (data.status, data.code) == (403, "server.template_stays")
    else:
        assert data.body == message.body
    assert sha256(message.body).hex() == template["template_hash"]


def test_a_session_alone_cannot_fetch_what_a_probe_could_be_made_of(keyed: Device) -> None:
    """A keyed template, sent back as ranks or as the signs of its counts, would be accepted."""
    data = bytes(Template.objects.get().data)
    listed = keyed.api.get("/templates")
    refused = keyed.api.get(f"/templates/{listed.json[0]['id']}/data")
    assert (refused.status, refused.code) == (403, "server.template_stays")
    for answer in (listed, refused):
        assert not any(part in answer.body for part in (data[:64], encode(data[:63]).encode(), data.hex().encode()))


def test_no_score_is_in_the_answer(keyed: Device) -> None:
    message = keyed.verification(ME)
    answer = send(keyed, message)
    assert answer.json.keys() == {"accepted", "outcome", "retry_after_s", "receipt"}
    found = protection(keyed.scheme)
    assert isinstance(found, OpenProtection)
    score = found.score(message.body, bytes(Template.objects.get().data))
    assert str(score).encode() not in answer.body + answer.headers["Server-Timing"].encode()
    assert b"masks" not in answer.headers["Server-Timing"].encode()


def test_only_an_enrolment_names_a_protection(device: Device) -> None:
    device.enrol(ME)
    content = {"type": "verify", "device_id": device.device_id.hex(), "scheme": "ranking"}
    content |= {"context_hash": encode(device.person.context(LABEL_LOGIN))}
    assert device.api.post("/challenges", content).code == "server.wrong_message"
    content |= {"type": "enrol", "scheme": "rot13"}
    assert device.api.post("/challenges", content).code == "server.invalid_request"


# --- what is refused, and changes nothing ----------------------------------------------------------------


@POSITIONS
def test_a_message_of_another_protection(keyed: Device, keyholder: Switchable, position: int) -> None:
    """With that protection's contract and signed anew, and with a body as long as that protection's."""
    message = both(keyed)[position]
    for found in (known for known in protections() if known.name != keyed.scheme):
        bent = message.with_header(suite=found.suite, model_fp=model_fp(found.name))
        length = (found.template_bytes, found.probe_bytes)[position]
        with nothing_changes(keyed, keyholder):
            answer = send(keyed, bent.with_body(bytes(length)))
            assert (answer.status, answer.code) == (409, "keyholder.wrong_suite")
            assert send(keyed, bent).code == "protect.malformed_envelope"


@POSITIONS
def test_a_suite_nobody_knows(keyed: Device, keyholder: Switchable, position: int) -> None:
    message = both(keyed)[position]
    with nothing_changes(keyed, keyholder):
        for suite in (0, 2, 5, 255):
            sealed = bytearray(keyed.sealed(message))
            sealed[5] = suite
            answer = keyed.api.octets(("/enrolments", "/verifications")[position], bytes(sealed))
            assert (answer.code, answer.json["details"]["field"]) == ("protect.malformed_envelope", "suite")


@POSITIONS
def test_a_body_of_another_length(keyed: Device, keyholder: Switchable, position: int) -> None:
    message = both(keyed)[position]
    with nothing_changes(keyed, keyholder):
        for body in (message.body[:-1], message.body + b"\0", b""):
            assert send(keyed, message.with_body(body)).code == "server.body_wrong_length"


def test_what_no_device_makes(keyed: Device, keyholder: Switchable) -> None:
    """Ranks that are no permutation, counts that no records have: they would match everybody."""
    enrolment, verification = both(keyed)
    with nothing_changes(keyed, keyholder):
        forged = enrolment.with_body(b"\x7f" * len(enrolment.body))
        assert send(keyed, forged).code == "protect.malformed_template"
        if keyed.scheme == "ranking":  # any bits are somebody's; not so any ranks
            forged = verification.with_body(b"\x7f" * len(verification.body))
            assert send(keyed, forged).code == "protect.malformed_template"


@POSITIONS
def test_a_bent_signature_or_contract(keyed: Device, keyholder: Switchable, position: int) -> None:
    message = both(keyed)[position]
    sealed = bytearray(keyed.sealed(message))
    sealed[300] ^= 1
    with nothing_changes(keyed, keyholder):
        path = ("/enrolments", "/verifications")[position]
        assert keyed.api.octets(path, bytes(sealed)).code == "protect.bad_signature"
        other = message.with_header(model_fp=model_fp("homomorphic"))
        assert send(keyed, other).code == "keyholder.wrong_contract"


def test_a_replay_and_a_stale_epoch(keyed: Device, keyholder: Switchable) -> None:
    used, waiting = keyed.verification(ME), keyed.verification(ME)
    assert send(keyed, used).json["accepted"]
    with nothing_changes(keyed, keyholder):
        assert send(keyed, used).code == "keyholder.challenge_replayed"
    renew(keyed)
    with nothing_changes(keyed, keyholder):
        assert send(keyed, waiting).code == "keyholder.wrong_template"


def test_after_five_failures_the_next_attempt_has_to_wait(keyed: Device) -> None:
    assert not any(keyed.accepted(STRANGER) for _ in range(5))
    answer = keyed.verify(ME).json
    assert (answer["accepted"], answer["outcome"]) == (False, "retry_later")
    assert 0 < answer["retry_after_s"] <= 30


# --- renewal ---------------------------------------------------------------------------------------------


def test_a_renewal_makes_everything_old_useless(enrolled: Device) -> None:
    """The old template back in its place, the old token, and an old probe under a fresh challenge."""
    old_data, old_token, old_probe = bytes(Template.objects.get().data), enrolled.token, enrolled.verification(ME)
    renew(enrolled)
    assert enrolled.accepted(ME)
    assert send(enrolled, old_probe).code == "keyholder.wrong_template"
    assert send(enrolled, enrolled.verification(ME).with_body(old_probe.body)).json["outcome"] == "not_accepted"
    if enrolled.protection.token_bytes:
        with as_before(enrolled, enrolled.scheme, old_token):
            assert not enrolled.accepted(ME)
    row = Template.objects.get()
    new_data = bytes(row.data)
    Template.objects.update(data=old_data)
    for body in (old_probe.body, enrolled.verification(ME).body):
        answer = send(enrolled, enrolled.verification(ME).with_body(body))
        assert (answer.status, answer.code) == (409, "keyholder.wrong_template")
    Template.objects.update(data=new_data)
    assert enrolled.accepted(ME)


def test_from_each_protection_to_each_other_one(device: Device) -> None:
    device.enrol(ME)
    for before, after in zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True):
        for name in (after, before, after):
            renew(device, name)
            assert device.person.profile()["template"]["scheme"] == name
            assert device.accepted(ME)
            assert Template.objects.count() == 1


def test_a_renewal_that_fails_leaves_the_old_one(enrolled: Device, keyholder: Switchable) -> None:
    """Refused, not decided, or decided and never stored as current: the old token and template go on working."""
    scheme, token = enrolled.scheme, enrolled.token
    for fail, after in zip(("enrol", "activate"), [*KEYED], strict=True):
        keyholder.fails = {fail: KeyHolderUnavailable()}
        enrolled.scheme, enrolled.token = after, secrets.token_bytes(32)
        assert enrolled.enrol(NEW, password=PASSWORD).status == 503
        keyholder.fails = {}
        enrolled.scheme, enrolled.token = scheme, token
        assert enrolled.accepted(ME)
        assert enrolled.person.profile()["template"]["scheme"] == scheme
    renew(enrolled)
    assert enrolled.accepted(ME)


def test_deletion_gives_a_receipt_and_leaves_nothing(enrolled: Device) -> None:
    template, message = enrolled.deletion()
    wrong = message.with_header(suite=next(suite for suite in Suite if suite != message.header.suite))
    assert (
        enrolled.api.octets(f"/templates/{template}/deletion", enrolled.sealed(wrong)).code == "keyholder.wrong_suite"
    )
    answer = enrolled.delete_template()
    assert answer.status == 200, answer.body
    assert receipt_of(answer).decision is MessageType.DELETE
    assert not Template.objects.exists()
    assert enrolled.challenge("verify", enrolled.person.context(LABEL_LOGIN)).code == "keyholder.not_enrolled"
