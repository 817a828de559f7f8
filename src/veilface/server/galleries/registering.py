"""People whom a kiosk registers: under the gallery's own key, with a name, and gone when a kiosk says so.

Who opted in with an account is listed here too, under the name they chose, and is otherwise out of a kiosk's reach.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from veilface.match.verification import template_evidence
from veilface.protect.envelope import MessageType, Outcome, Receipt, SignedMessage, gallery_context, sha256
from veilface.server import keyholding, relaying
from veilface.server.accounts.services import usable_display_name
from veilface.server.base64url import encode
from veilface.server.enrolment import evidence
from veilface.server.errors import NotFound
from veilface.server.galleries import leaving, messages
from veilface.server.galleries.errors import (
    ConsentMissing,
    NameNotRepeated,
    PersonHasAccount,
    PersonNotAccepted,
    RegisteringOff,
)
from veilface.server.galleries.models import Gallery, Kiosk, Member, Registration

PAGE: Final = 100


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in a gallery, as its kiosks see them."""

    id: str
    name: str
    registered_at: datetime
    has_account: bool


def register(kiosk: Kiosk, *, data: bytes, name: str, consent: bool) -> Person:
    """Take in ``H ‖ signature ‖ T`` (74,048 B) of somebody who agreed; the same message again finds the same person.

    They are found once they are packed, within seconds.
    """
    _require_allowed(kiosk)
    if not consent:
        raise ConsentMissing
    name, context = usable_display_name(name), gallery_context(kiosk.gallery.wire_id, "register")
    message = messages.check(kiosk, data, type_=MessageType.GALLERY_OPT_IN, context=context)
    made = Registration.objects.filter(member__gallery=kiosk.gallery, header_hash=sha256(message.header_bytes).hex())
    if known := Member.objects.filter(registration__in=made).first():
        return person_of(known)
    header = message.header
    masks = evidence.masks(challenge=header.challenge.hex(), key_fp=header.key_fp.hex(), purpose="enrol")
    receipt = keyholding.keyholder().gallery_register(
        header=message.header_bytes,
        signature=message.signature,
        evidence=template_evidence(message.body, masks=masks).to_bytes(),
    )
    if Receipt.parse(receipt).outcome is not Outcome.ACCEPTED:
        raise PersonNotAccepted(receipt=encode(receipt))
    with relaying.carrying(receipt):
        return person_of(_store(kiosk, message, name=name, receipt=receipt))


def listed(gallery: Gallery, *, after: str | None) -> tuple[list[Person], str | None]:
    """A page of who is in the gallery, first come first, and after whom the next one begins."""
    rows = Member.objects.filter(gallery=gallery).select_related("account").order_by("number")
    if after is not None:
        rows = rows.filter(number__gt=_find(gallery, after).number)
    page = [person_of(row) for row in rows[: PAGE + 1]]
    return page[:PAGE], page[PAGE - 1].id if len(page) > PAGE else None


def rename(kiosk: Kiosk, person: str, *, name: str) -> Person:
    """Give somebody another name."""
    row = _registered(kiosk, person)
    row.name = usable_display_name(name)
    row.save(update_fields=["name"])
    return person_of(row)


def remove(kiosk: Kiosk, person: str) -> None:
    """Forget somebody whom a kiosk registered: the next search does not find them."""
    _registered(kiosk, person)
    Member.objects.filter(gallery=kiosk.gallery, person=person).delete()


def remove_all(kiosk: Kiosk, *, confirm: str) -> int:
    """Forget everybody whom the gallery's kiosks registered; how many. ``confirm`` repeats the gallery's name."""
    _require_allowed(kiosk)
    if confirm != kiosk.gallery.name:
        raise NameNotRepeated
    return leaving.empty(kiosk.gallery, only_registered=True)


def person_of(row: Member) -> Person:
    """The member as kiosks see them."""
    name = row.account.display_name if row.account else row.name
    return Person(id=row.person, name=name, registered_at=row.since, has_account=row.account is not None)


def _store(kiosk: Kiosk, message: SignedMessage, *, name: str, receipt: bytes) -> Member:
    with transaction.atomic():
        if not Gallery.objects.select_for_update().filter(pk=kiosk.gallery_id, state=Gallery.State.OPEN).exists():
            raise NotFound
        member = Member.objects.create(gallery=kiosk.gallery, name=name)
        Registration.objects.create(
            member=member,
            kiosk=kiosk,
            data=message.body,
            key_fp=message.header.key_fp.hex(),
            header_hash=sha256(message.header_bytes).hex(),
            header=message.header_bytes,
            signature=message.signature,
            receipt=receipt,
        )
    return member


def _registered(kiosk: Kiosk, person: str) -> Member:
    _require_allowed(kiosk)
    row = _find(kiosk.gallery, person)
    if row.account_id is not None:
        raise PersonHasAccount
    return row


def _find(gallery: Gallery, person: str) -> Member:
    row = Member.objects.filter(gallery=gallery, person=person).order_by("number").first()
    if row is None:
        raise NotFound
    return row


def _require_allowed(kiosk: Kiosk) -> None:
    if not kiosk.gallery.may_register:
        raise RegisteringOff
