"""Leftover rows are put right by what the key holder says; parallel requests do not hurt each other."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from tests.server.conftest import SiteTransport, Switchable, with_device
from tests.support import PASSWORD, Answer, Api, Device, Person, Refused, unit
from veilface.protect.envelope import LABEL_LOGIN
from veilface.server.accounts.models import Account
from veilface.server.enrolment import settling
from veilface.server.enrolment.models import Template

ME, NEW = unit(1), unit(2)


@pytest.fixture
def enrolled(device: Device) -> Device:
    assert device.enrol(ME).status == 201
    return device


def account_of(device: Device) -> Account:
    return Account.objects.get(pk=device.person.account.hex())


def leftover(device: Device, *, state: str = Template.State.STORED, age: timedelta = timedelta(0)) -> Template:
    """A row whose enrolment was cut short before the key holder made it current."""
    return Template.objects.create(
        account=account_of(device),
        scheme="homomorphic",
        state=state,
        data=b"cut short",
        template_hash=secrets.token_hex(32),
        key_fp=secrets.token_hex(32),
        model_fp=secrets.token_hex(32),
        epoch=99,
        header_hash=secrets.token_hex(32),
        receipt=b"",
        created_at=timezone.now() - age,
    )


def test_a_stored_row_that_was_never_current_is_not_shown(enrolled: Device) -> None:
    row = leftover(enrolled)
    assert [one["id"] for one in enrolled.api.get("/templates").json] != [row.id]
    assert enrolled.api.get(f"/templates/{row.id}/data").status == 404
    assert enrolled.accepted(ME)


def test_a_young_stored_row_may_still_be_under_way(enrolled: Device) -> None:
    row = leftover(enrolled)
    assert enrolled.accepted(ME)
    assert Template.objects.filter(pk=row.pk).exists()


def test_an_old_stored_row_is_deleted(enrolled: Device) -> None:
    row = leftover(enrolled, age=settling.GRACE + timedelta(seconds=1))
    assert enrolled.accepted(ME)
    assert not Template.objects.filter(pk=row.pk).exists()
    assert Template.objects.count() == 1


def test_a_stored_row_the_key_holder_calls_current_becomes_active(enrolled: Device) -> None:
    current = Template.objects.get()
    Template.objects.update(state=Template.State.STORED)
    assert enrolled.person.profile()["template"]["id"] == current.id
    assert enrolled.accepted(ME)
    assert Template.objects.get().state == Template.State.ACTIVE


def test_the_row_it_replaces_goes(enrolled: Device) -> None:
    replaced = leftover(enrolled, state=Template.State.ACTIVE)
    Template.objects.exclude(pk=replaced.pk).update(state=Template.State.STORED)
    assert enrolled.accepted(ME)
    assert not Template.objects.filter(pk=replaced.pk).exists()


def test_a_row_the_key_holder_does_not_know_is_kept_until_something_replaces_it(enrolled: Device) -> None:
    """A key holder that lost its data is no reason to throw ours away."""
    settling.settle(account_of(enrolled), current=None)
    assert Template.objects.get().state == Template.State.ACTIVE


def test_a_late_finish_does_not_undo_a_later_enrolment(enrolled: Device) -> None:
    row = Template.objects.get()
    enrolled.enrol(NEW, password=PASSWORD)
    settling.make_active(row)
    assert Template.objects.get().template_hash != row.template_hash
    assert enrolled.accepted(NEW)


def test_of_two_accepted_enrolments_the_later_wins(enrolled: Device, keyholder: Switchable) -> None:
    """The first is accepted and stored, the second overtakes it before it is activated."""
    first = enrolled.sealed(enrolled.enrolment(unit(3), password=PASSWORD))
    activate = keyholder.inner.activate

    def overtaken(**fields: object) -> None:
        keyholder.__dict__.pop("activate")
        assert enrolled.enrol(NEW, password=PASSWORD).status == 201
        activate(**fields)  # type: ignore[arg-type]

    keyholder.__dict__["activate"] = overtaken
    answer = enrolled.api.octets("/enrolments", first)
    assert (answer.status, answer.code) == (409, "keyholder.activation_stale")
    assert enrolled.accepted(NEW)
    assert Template.objects.count() == 1


def test_deleting_names_the_template_it_deletes(enrolled: Device) -> None:
    template, message = enrolled.deletion()
    other = message.with_header(template_hash=secrets.token_bytes(32))
    answer = enrolled.api.octets(f"/templates/{template}/deletion", enrolled.sealed(other))
    assert answer.code == "keyholder.wrong_template"
    assert enrolled.accepted(ME)


def test_a_template_of_an_older_contract_can_be_deleted(enrolled: Device) -> None:
    template, message = enrolled.deletion()
    older = message.with_header(model_fp=secrets.token_bytes(32))
    assert enrolled.api.octets(f"/templates/{template}/deletion", enrolled.sealed(older)).status == 200
    assert not Template.objects.exists()


def test_nobody_deletes_anothers_template(enrolled: Device, people: Callable[[str], Person]) -> None:
    other = with_device(people("person-two"))
    other.enrol(NEW)
    template, message = enrolled.deletion()
    answer = other.api.octets(f"/templates/{template}/deletion", enrolled.sealed(message))
    assert (answer.status, answer.code) == (404, "server.not_found")
    assert enrolled.accepted(ME)


# --- side by side ----------------------------------------------------------------------------------------


def twin(device: Device) -> Api:
    """A second connection of the same session, for another thread."""
    transport, first = SiteTransport(), device.api.transport
    assert isinstance(first, SiteTransport)
    transport.client.cookies = first.client.cookies
    return Api(transport)


def together(*works: Callable[[], Answer]) -> list[Answer]:
    answers: list[Answer] = []
    start = threading.Barrier(len(works))

    def one(work: Callable[[], Answer]) -> None:
        start.wait()
        try:
            answers.append(work())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(works)
    return answers


@pytest.mark.django_db(transaction=True)
def test_one_message_sent_many_times_at_once_is_judged_once(enrolled: Device, keyholder: Switchable) -> None:
    message = enrolled.sealed(enrolled.verification(ME))
    before = keyholder.inner.audit_head().index
    apis = [twin(enrolled) for _ in range(6)]
    answers = together(*[lambda api=api: api.octets("/verifications", message) for api in apis])
    codes = Counter(answer.json.get("code", "judged") for answer in answers)
    assert codes == {"judged": 1, "keyholder.challenge_replayed": 5}
    assert keyholder.inner.audit_head().index == before + 1


@pytest.mark.django_db(transaction=True)
def test_enrolments_side_by_side_leave_one_template_that_works(enrolled: Device) -> None:
    apis = [twin(enrolled) for _ in range(4)]

    def enrol(api: Api, seed: int) -> Answer:
        device = Device(enrolled.person, enrolled.device_id)
        device.key, device.public_key, device.api = enrolled.key, enrolled.public_key, api
        try:
            return device.enrol(unit(seed), password=PASSWORD)
        except Refused as refused:  # a challenge, or its key, overtaken by another
            return refused.answer

    answers = together(*[lambda api=api, seed=seed: enrol(api, seed) for seed, api in enumerate(apis, 10)])
    lost = {"keyholder.stale_key", "keyholder.activation_stale"}
    assert all(answer.status == 201 or answer.code in lost for answer in answers)
    assert enrolled.person.profile()["template"]["state"] == "active"
    assert enrolled.challenge("verify", enrolled.person.context(LABEL_LOGIN)).status == 200
    working = [seed for seed in (1, 10, 11, 12, 13) if enrolled.accepted(unit(seed))]
    assert len(working) == 1
    if any(answer.status == 201 for answer in answers):
        assert working != [1]
