"""What another request does between two statements of one that takes people out or changes them."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from veilface.server.errors import NotFound
from veilface.server.galleries import leaving, people
from veilface.server.galleries.models import Gallery, Kiosk, Member, Registration

pytestmark = pytest.mark.django_db(transaction=True)
Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


def registered(gallery: Gallery) -> Member:
    member = Member.objects.create(gallery=gallery, name="张三")
    Registration.objects.create(member=member, data=b"", key_fp="", header_hash="")
    return member


@pytest.fixture
def kiosk(gallery: Gallery) -> Kiosk:
    return Kiosk.objects.create(gallery=gallery, device_id="1" * 32, token="", active_from=timezone.now())


def test_nobody_comes_back_because_they_are_replaced_while_they_are_removed(gallery: Gallery, kiosk: Kiosk) -> None:
    """Whoever is to go is read, locked and deleted in one transaction: a row read before might be another by then."""
    member, read = registered(gallery), list[bool]()

    def watching(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
        if sql.startswith("SELECT") and "galleries_member" in sql:
            locks = "FOR UPDATE" in sql or not connection.features.has_select_for_update
            read.append(connection.in_atomic_block and (locks or len(read) > 0))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watching):
        people.remove(kiosk, member.person)
    assert read
    assert all(read)
    assert Member.objects.count() == 0


def test_who_is_being_replaced_when_they_are_removed_is_gone(gallery: Gallery, kiosk: Kiosk) -> None:
    person = registered(gallery).person
    taken_out, removing = Event(), Event()

    def replacing() -> None:
        with transaction.atomic():
            people.take_out(kiosk, person)
            taken_out.set()
            assert removing.wait(30)
            Member.objects.create(gallery=gallery, person=person, name="张三丰")
        connection.close()

    other = Thread(target=replacing)
    other.start()
    assert taken_out.wait(30)
    removing.set()
    people.remove(kiosk, person)
    other.join(30)
    assert Member.objects.count() == 0


def test_who_is_registered_while_everybody_is_taken_out_goes_as_well(gallery: Gallery) -> None:
    registered(gallery)
    late = list[Member]()

    def registering(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:  # noqa: FBT001
        if sql.startswith("DELETE") and "galleries_optin" in sql and not late:
            late.append(Member())
            late[0] = registered(gallery)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(registering):
        assert leaving.empty(gallery, only_registered=True) == 1
    assert late
    assert Member.objects.count() == Registration.objects.count() == 0


def test_who_left_is_not_renamed(gallery: Gallery, kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch) -> None:
    member = registered(gallery)

    def leaves(name: str) -> str:
        member.delete()
        return name

    monkeypatch.setattr(people, "usable_display_name", leaves)
    with pytest.raises(NotFound):
        people.rename(kiosk, member.person, name="李四")
    assert Member.objects.count() == 0
