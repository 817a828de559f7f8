"""A disk that is full when something is to be written: the database's own error, through the whole stack.

Before the key holder decides, it is an error and nothing has changed. Afterwards its receipt still comes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from tests.server.conftest import Switchable
from tests.support import PASSWORD, Device, receipt_of, unit
from veilface.protect.envelope import Outcome, Receipt
from veilface.server.accounts.models import Device as DeviceRow
from veilface.server.base64url import decode
from veilface.server.enrolment.models import Template

ME = unit(1)
NO_LIMIT = 1_073_741_823
ROOM = 64  # pages of 4 KiB: enough for everything else that the request writes

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def full_disk(statement: str = "INSERT ON enrolment_template") -> Iterator[None]:
    """No room for what ``statement`` writes.

    SQLite may add only so many pages, and a trigger makes the statement need more, as every statement does where
    the write-ahead log cannot grow. MariaDB answers as it does when its table space cannot grow (error 1114).
    """
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("CREATE TABLE filling (bytes BLOB)")
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA page_count")
            pages = cursor.fetchone()[0]
            work = "BEGIN INSERT INTO filling VALUES (zeroblob(1000000)); END"
        else:
            work = "FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'"
        cursor.execute(f"CREATE TRIGGER disk_full BEFORE {statement} {work}")
        if sqlite:
            cursor.execute(f"PRAGMA max_page_count = {pages + ROOM}")
        try:
            yield
        finally:
            if sqlite:
                cursor.execute(f"PRAGMA max_page_count = {NO_LIMIT}")
            cursor.execute("DROP TRIGGER disk_full")
            if sqlite:
                cursor.execute("DROP TABLE filling")


def test_a_re_enrolment_on_a_full_disk_leaves_the_old_template_working(device: Device, keyholder: Switchable) -> None:
    device.enrol(ME)
    before = device.person.profile()["template"]
    current = keyholder.inner.account_status(device.person.account).template_hash
    message = device.sealed(device.enrolment(unit(2), password=PASSWORD))
    with full_disk():
        answer = device.api.octets("/enrolments", message)
    assert (answer.status, answer.code) == (507, "server.storage_full")
    assert "磁盘已满" in answer.json["message"]
    assert Receipt.parse(decode(answer.json["details"]["receipt"])).outcome is Outcome.ACCEPTED
    assert device.person.profile()["template"] == before
    assert Template.objects.count() == 1
    assert keyholder.inner.account_status(device.person.account).template_hash == current
    assert device.accepted(ME)
    assert device.enrol(unit(2), password=PASSWORD).status == 201
    assert device.accepted(unit(2))


def test_a_first_enrolment_on_a_full_disk_leaves_nothing(device: Device) -> None:
    message = device.sealed(device.enrolment(ME))
    with full_disk():
        assert device.api.octets("/enrolments", message).code == "server.storage_full"
    assert not Template.objects.exists()
    assert device.enrol(ME).status == 201


def test_an_enrolment_that_took_effect_is_told_and_finished_later(device: Device, keyholder: Switchable) -> None:
    """The key holder made the new template current before the disk was full: an error would not be true."""
    device.enrol(ME)
    message = device.sealed(device.enrolment(unit(2), password=PASSWORD))
    with full_disk("UPDATE ON enrolment_template"):
        answer = device.api.octets("/enrolments", message)
        assert Template.objects.filter(state=Template.State.STORED).exists()
    assert (answer.status, receipt_of(answer).outcome) == (201, Outcome.ACCEPTED)
    shown = answer.json["template"]
    assert shown["state"] == "active"
    assert keyholder.inner.account_status(device.person.account).template_hash == bytes.fromhex(shown["template_hash"])
    assert device.person.profile()["template"] == shown
    assert Template.objects.get().state == Template.State.ACTIVE
    assert device.accepted(unit(2))
    assert not device.accepted(ME)


@pytest.mark.parametrize("verb", ["enrol", "verify"])
def test_noting_a_devices_use_costs_no_receipt(device: Device, verb: str) -> None:
    device.enrol(ME)
    DeviceRow.objects.update(last_used_at=None)
    enrolment = verb == "enrol"
    sealed = device.sealed(device.enrolment(ME, password=PASSWORD) if enrolment else device.verification(ME))
    with full_disk("UPDATE ON accounts_device"):
        answer = device.api.octets("/enrolments" if enrolment else "/verifications", sealed)
    assert receipt_of(answer).outcome is Outcome.ACCEPTED
    assert DeviceRow.objects.get().last_used_at is None, "the write did fail"
    assert device.accepted(ME)
    assert DeviceRow.objects.get().last_used_at is not None


def test_a_deletion_that_cannot_begin_changes_nothing(device: Device) -> None:
    device.enrol(ME)
    template, message = device.deletion()
    with full_disk("UPDATE ON enrolment_template"):
        answer = device.api.octets(f"/templates/{template}/deletion", device.sealed(message))
    assert (answer.status, answer.code) == (507, "server.storage_full")
    assert device.person.profile()["template"]["state"] == "active"
    assert device.accepted(ME)
    assert device.delete_template().status == 200


def test_a_deletion_after_the_key_is_erased_is_finished_later(device: Device) -> None:
    device.enrol(ME)
    template, message = device.deletion()
    with full_disk("INSERT ON enrolment_deletion"):
        answer = device.api.octets(f"/templates/{template}/deletion", device.sealed(message))
        assert Template.objects.get().state == Template.State.DELETING
    assert answer.status == 200
    assert receipt_of(answer).outcome is Outcome.ACCEPTED
    assert device.person.profile()["template"] is None
    assert not Template.objects.exists()
    assert device.enrol(ME).status == 201
