"""Who is in a gallery, as its kiosks see and change it.

Who opted in with an account is listed here too, under the name they chose, and is otherwise out of a kiosk's reach.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.db import transaction
from django.db.models import Q

from veilface.server.accounts.services import usable_display_name
from veilface.server.errors import NotFound
from veilface.server.galleries import leaving
from veilface.server.galleries.errors import NameNotRepeated, PersonHasAccount, RegisteringOff
from veilface.server.galleries.models import Gallery, Kiosk, Member

PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in a gallery, as its kiosks see them."""

    id: str
    name: str
    registered_at: datetime
    has_account: bool

    @property
    def kind(self) -> Literal["account", "kiosk"]:
        """By which way they came in."""
        return "account" if self.has_account else "kiosk"


def listed(gallery: Gallery, *, after: str | None, part: str = "") -> tuple[list[Person], str | None]:
    """A page of who is in the gallery, first come first, and after whom the next one begins.

    ``part`` – of the names wanted, as the database compares letters.
    """
    rows = Member.objects.filter(gallery=gallery).select_related("account").order_by("number")
    if part:
        rows = rows.filter(Q(account=None, name__icontains=part) | Q(account__display_name__icontains=part))
    if after is not None:
        rows = rows.filter(number__gt=_find(gallery, after).number)
    page = [person_of(row) for row in rows[: PAGE + 1]]
    return page[:PAGE], page[PAGE - 1].id if len(page) > PAGE else None


def rename(kiosk: Kiosk, person: str, *, name: str) -> Person:
    """Give somebody another name."""
    row = registered(kiosk, person)
    row.name = usable_display_name(name)
    if not Member.objects.filter(pk=row.pk).update(name=row.name):  # they left meanwhile
        raise NotFound
    return person_of(row)


def remove(kiosk: Kiosk, person: str) -> None:
    """Forget somebody whom a kiosk registered: the next search does not find them."""
    with transaction.atomic():
        take_out(kiosk, person)


def remove_all(kiosk: Kiosk, *, confirm: str) -> int:
    """Forget everybody whom the gallery's kiosks registered; how many. ``confirm`` repeats the gallery's name."""
    require_allowed(kiosk)
    if confirm != kiosk.gallery.name:
        raise NameNotRepeated
    return leaving.empty(kiosk.gallery, only_registered=True)


def person_of(row: Member) -> Person:
    """The member as kiosks see them."""
    name = row.account.display_name if row.account else row.name
    return Person(id=row.person, name=name, registered_at=row.since, has_account=row.account is not None)


def registered(kiosk: Kiosk, person: str) -> Member:
    """Somebody whom a kiosk of this gallery registered; raises :class:`NotFound` or :class:`PersonHasAccount`."""
    require_allowed(kiosk)
    row = _find(kiosk.gallery, person)
    if row.account_id is not None:
        raise PersonHasAccount
    return row


def take_out(kiosk: Kiosk, person: str) -> None:
    """Delete somebody whom a kiosk registered, in the caller's transaction; raises what :func:`registered` does.

    Their rows are locked as they are read: who is replaced just now is there by the row that comes after, and nobody
    whom another request deleted is replaced.
    """
    require_allowed(kiosk)
    rows = list(Member.objects.select_for_update().filter(gallery=kiosk.gallery, person=person))
    if not rows:
        raise NotFound
    if any(row.account_id is not None for row in rows):
        raise PersonHasAccount
    Member.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _find(gallery: Gallery, person: str) -> Member:
    row = Member.objects.filter(gallery=gallery, person=person).order_by("number").first()
    if row is None:
        raise NotFound
    return row


def require_allowed(kiosk: Kiosk) -> None:
    """Raises :class:`RegisteringOff` where the operator lets no kiosk of the gallery register or change people."""
    if not kiosk.gallery.may_register:
        raise RegisteringOff
