"""From registration to deletion, as a device lives it."""

import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.server.conftest import Switchable, with_device
from tests.support import PASSWORD, Device, Person, near, receipt_of, unit
from veilface.keyholder.limits import Policy
from veilface.protect.envelope import MessageType, Outcome, sha256
from veilface.server.base64url import decode
from veilface.server.enrolment.models import Template


def test_the_same_person_is_accepted_and_another_is_not(device: Device) -> None:
    me, another = unit(1), unit(2)
    answer = device.enrol(me)
    assert answer.status == 201, answer.body
    assert receipt_of(answer).decision is MessageType.ENROL
    assert device.accepted(near(me, cosine=0.7))
    assert not device.accepted(another)
    assert device.accepted(me)


def test_a_verification_brings_the_signed_receipt_and_keeps_nothing(device: Device) -> None:
    me = unit(1)
    device.enrol(me)
    message = device.verification(me)
    answer = device.api.octets("/verifications", device.sealed(message))
    receipt = receipt_of(answer)
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.header_hash == sha256(message.header.to_bytes())
    public_key = decode(device.api.get("/site").json["keyholder"]["public_key"])
    receipt.verify(public_key, header=message.header.to_bytes())
    assert answer.json["outcome"] == "accepted"
    assert "decide;dur=" in answer.headers["Server-Timing"]
    assert [bytes(row.data) for row in Template.objects.all()] != [message.body]
    assert Template.objects.count() == 1


def test_the_account_shows_what_the_server_knows(device: Device) -> None:
    before = device.person.profile()
    assert before["template"] is None
    assert [one["state"] for one in before["devices"]] == ["active"]
    assert before["consent"]["terms_version"] == device.api.get("/site").json["terms_version"]
    device.enrol(unit(1))
    template = device.person.profile()["template"]
    assert template["state"] == "active"
    assert template["bytes"] == 73_728
    assert template["parameters"]["n"] == 4096
    data = device.api.get(f"/templates/{template['id']}/data")
    assert data.headers["Content-Type"] == "application/octet-stream"
    assert sha256(data.body).hex() == template["template_hash"]
    assert device.api.get("/templates").json == [template]


def test_enrolling_again_replaces_the_template(device: Device) -> None:
    young, old = unit(1), unit(2)
    device.enrol(young)
    first = device.person.profile()["template"]
    answer = device.enrol(old, password=PASSWORD)
    assert answer.status == 201
    second = device.person.profile()["template"]
    assert second["epoch"] == first["epoch"] + 1
    assert Template.objects.count() == 1
    assert device.accepted(old)
    assert not device.accepted(young)
    assert device.api.get(f"/templates/{first['id']}/data").status == 404


def test_enrolling_again_needs_the_password(device: Device) -> None:
    device.enrol(unit(1))
    context = device.person.context(b"VFENROL")
    assert device.challenge("enrol", context).code == "server.password_needed"
    assert device.challenge("enrol", context, password="wrong password").code == "server.wrong_credentials"
    assert device.accepted(unit(1))


def test_the_same_enrolment_twice_is_one_enrolment(device: Device) -> None:
    message = device.sealed(device.enrolment(unit(1)))
    first = device.api.octets("/enrolments", message)
    second = device.api.octets("/enrolments", message)
    assert first.status == second.status == 201
    assert first.json == second.json
    assert Template.objects.count() == 1


def test_deletion_erases_the_template_and_gives_a_receipt(device: Device) -> None:
    device.enrol(unit(1))
    template, message = device.deletion()
    sealed = device.sealed(message)
    answer = device.api.octets(f"/templates/{template}/deletion", sealed)
    assert answer.status == 200, answer.body
    assert receipt_of(answer).decision is MessageType.DELETE
    assert device.person.profile()["template"] is None
    assert not Template.objects.exists()
    assert device.challenge("verify", device.person.context(b"VFLOGIN")).code == "keyholder.not_enrolled"
    assert device.api.octets(f"/templates/{template}/deletion", sealed).json == answer.json
    assert device.enrol(unit(1)).status == 201


def test_a_second_device_waits_until_the_first_approves_it(device: Device) -> None:
    device.enrol(unit(1))
    second = Device(device.person, secrets.token_bytes(16))
    answer = second.register("平板")
    assert answer.status == 201
    assert answer.json["state"] == "pending"
    context = device.person.context(b"VFLOGIN")
    assert second.challenge("verify", context).code == "keyholder.device_not_active"
    assert device.approve(second).json["state"] == "active"
    assert second.accepted(unit(1))


def test_a_revoked_device_is_out_at_once(device: Device) -> None:
    device.enrol(unit(1))
    second = Device(device.person, secrets.token_bytes(16))
    second.register()
    device.approve(second)
    assert second.revoke(device).json["state"] == "revoked"
    assert device.challenge("verify", device.person.context(b"VFLOGIN")).code == "keyholder.device_not_active"
    assert second.accepted(unit(1))


def test_registering_a_device_twice_is_one_device(device: Device) -> None:
    assert device.register().status == 201
    assert len(device.api.get("/devices").json) == 1


def test_two_people_do_not_meet(people: Callable[[str], Person]) -> None:
    one, two = with_device(people("person-one")), with_device(people("person-two"))
    one.enrol(unit(1))
    two.enrol(unit(2))
    assert one.accepted(unit(1))
    assert not one.accepted(unit(2))
    template = two.person.profile()["template"]["id"]
    assert one.api.get(f"/templates/{template}/data").status == 404


def test_the_account_is_gone_after_its_deletion(device: Device) -> None:
    device.enrol(unit(1))
    assert device.api.post("/account/deletion", {"password": "not this one"}).status == 401
    assert Template.objects.exists()
    assert device.api.post("/account/deletion", {"password": PASSWORD}).status == 204
    assert not Template.objects.exists()
    assert device.api.get("/account").status == 401
    content = {"username": "person-one", "password": PASSWORD}
    device.api.get("/session")
    assert device.api.post("/session", content).code == "server.wrong_credentials"


def test_after_five_failures_the_next_attempt_has_to_wait(device: Device) -> None:
    device.enrol(unit(1))
    assert not any(device.accepted(unit(2)) for _ in range(5))
    answer = device.verify(unit(1)).json
    assert (answer["accepted"], answer["outcome"]) == (False, "retry_later")
    assert 0 < answer["retry_after_s"] <= 30


def test_too_many_attempts_in_an_hour_pause_enrolment_too(device: Device) -> None:
    device.enrol(unit(1))
    assert all(device.accepted(unit(1)) for _ in range(19))
    assert device.verify(unit(1)).json["outcome"] == "retry_later"
    before = device.person.profile()["template"]
    answer = device.enrol(unit(2), password=PASSWORD)
    assert (answer.status, answer.code) == (429, "server.enrolment_paused")
    assert 0 < answer.json["details"]["retry_after_s"] <= 3600
    assert len(decode(answer.json["details"]["receipt"])) == 192
    assert device.person.profile()["template"] == before


def test_after_fifty_failures_another_factor_is_needed(
    device: Device, keyholder: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.enrol(unit(1))
    disabled = replace(keyholder.inner._office, policy=Policy(disable_after=1))
    assert not device.accepted(unit(2))
    monkeypatch.setattr(keyholder.inner, "_office", disabled)
    answer = device.verify(unit(1)).json
    assert (answer["accepted"], answer["outcome"], answer["retry_after_s"]) == (False, "disabled", 0)
