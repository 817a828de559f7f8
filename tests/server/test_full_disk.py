"""A disk that is full when a template is to be stored: the database's own error, through the whole stack."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from tests.server.conftest import Switchable
from tests.support import PASSWORD, Device, unit
from veilface.server.enrolment.models import Template

ME = unit(1)
NO_LIMIT = 1_073_741_823

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def full_disk() -> Iterator[None]:
    """SQLite may not add a page; MariaDB answers as it does when its table space cannot grow (error 1114)."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if sqlite:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        else:
            cursor.execute(
                "CREATE TRIGGER disk_full BEFORE INSERT ON enrolment_template FOR EACH ROW "
                "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'"
            )
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA max_page_count = {NO_LIMIT}" if sqlite else "DROP TRIGGER disk_full")


def test_a_re_enrolment_on_a_full_disk_leaves_the_old_template_working(device: Device, keyholder: Switchable) -> None:
    device.enrol(ME)
    before = device.person.profile()["template"]
    current = keyholder.inner.account_status(device.person.account).template_hash
    message = device.sealed(device.enrolment(unit(2), password=PASSWORD))
    with full_disk():
        answer = device.api.octets("/enrolments", message)
    assert (answer.status, answer.code) == (507, "server.storage_full")
    assert "磁盘已满" in answer.json["message"]
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
