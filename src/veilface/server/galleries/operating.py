"""What an operator does: make a gallery and state its purpose, invite kiosks, note work for the keeper, close."""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from veilface.match.block_files import BlockFiles
from veilface.server.accounts.labels import usable_label
from veilface.server.enrolment.evidence import public_key
from veilface.server.galleries import leaving
from veilface.server.galleries.access import digest
from veilface.server.galleries.errors import (
    GalleryMissing,
    GalleryNameTaken,
    GalleryNameUnusable,
    KioskAmbiguous,
    KioskMissing,
    PurposeUnusable,
)
from veilface.server.galleries.models import (
    NAME_LENGTH,
    PURPOSE_LENGTH,
    Gallery,
    Invitation,
    Kiosk,
    Order,
)
from veilface.server.galleries.truth import DjangoTruth

CODE_LIFETIME: Final = timedelta(minutes=15)
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS: Final = 3
GROUP: Final = 4
ORDERS_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class KioskSummary:
    """A kiosk in short."""

    id: str
    name: str
    state: str


@dataclass(frozen=True, kw_only=True)
class OrderSummary:
    """The last order of a kind. ``failure`` – an error's code, empty where there was none."""

    order: str
    done: bool
    failure: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A gallery as its operator sees it. ``waiting`` of its ``people`` are not found yet.

    ``key_days`` – the age of its key in whole days; ``rotates_at`` – when it is replaced by itself (ISO 8601), or None.
    """

    id: str
    name: str
    purpose: str
    register: bool
    people: int
    waiting: int
    key_days: int
    rotates_at: str | None
    kiosks: tuple[KioskSummary, ...]
    orders: tuple[OrderSummary, ...]


def create(*, name: str, purpose: str, may_register: bool) -> Gallery:
    """A new gallery with nobody in it. Its keys are made by the process that keeps it."""
    name = usable_label(name, limit=NAME_LENGTH, otherwise=GalleryNameUnusable)
    purpose = usable_label(purpose, limit=PURPOSE_LENGTH, otherwise=PurposeUnusable)
    try:
        with transaction.atomic():
            return Gallery.objects.create(name=name, purpose=purpose, may_register=may_register)
    except IntegrityError:
        raise GalleryNameTaken(name=name) from None


def find(name: str) -> Gallery:
    """The gallery of this name or id; raises :class:`GalleryMissing`."""
    found = everyone().filter(name=unicodedata.normalize("NFC", name).strip()).first()
    found = found or everyone().filter(id=name).first()
    if found is None:
        raise GalleryMissing(got=name)
    return found


def everyone() -> QuerySet[Gallery]:
    """The galleries that are there, the oldest first."""
    return Gallery.objects.filter(state=Gallery.State.OPEN)


def summary(gallery: Gallery) -> Summary:
    """The gallery in numbers."""
    now, last = timezone.now(), {order.kind: order for order in gallery.orders.all()}
    due = rotates_at(gallery)
    return Summary(
        id=gallery.id,
        name=gallery.name,
        purpose=gallery.purpose,
        register=gallery.may_register,
        people=gallery.members.count(),
        waiting=gallery.members.filter(block=None).count(),
        key_days=(now - gallery.keyed_at).days,
        rotates_at=due.isoformat(timespec="minutes") if due else None,
        kiosks=tuple(
            KioskSummary(id=kiosk.device_id, name=kiosk.name, state=kiosk.state_at(now))
            for kiosk in gallery.kiosks.all()
        ),
        orders=tuple(
            OrderSummary(order=order.kind, done=order.done_at is not None, failure=order.failure)
            for order in last.values()
        ),
    )


def rotates_at(gallery: Gallery) -> datetime | None:
    """When its key is replaced by itself, if ever."""
    days = settings.GALLERY_ROTATION_DAYS
    return gallery.keyed_at + timedelta(days=days) if days > 0 else None


def invite(gallery: Gallery) -> str:
    """A code by which one kiosk may join within a quarter of an hour."""
    Invitation.objects.filter(expires_at__lte=timezone.now()).delete()
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    Invitation.objects.create(
        digest=digest(canonical(code)), gallery=gallery, expires_at=timezone.now() + CODE_LIFETIME
    )
    return code


def canonical(code: str) -> str:
    """A code however it was typed."""
    typed = unicodedata.normalize("NFKC", code).upper().translate(str.maketrans("OIL", "011"))
    return "".join(character for character in typed if character in ALPHABET)


def revoke(gallery: Gallery, name: str) -> Kiosk:
    """Let a kiosk in no more, by its name or its id; raises :class:`KioskMissing` and :class:`KioskAmbiguous`."""
    kiosks = gallery.kiosks.exclude(state=Kiosk.State.REVOKED)
    found = list(kiosks.filter(device_id=name) or kiosks.filter(name=name))
    if not found:
        raise KioskMissing(got=name)
    if len(found) > 1:  # the strange one must not live on because a good one was taken for it
        raise KioskAmbiguous(got=name, ids=", ".join(kiosk.device_id for kiosk in found))
    (kiosk,) = found
    kiosk.state = Kiosk.State.REVOKED
    kiosk.save(update_fields=["state"])
    return kiosk


def order(gallery: Gallery, kind: Order.Kind) -> Order:
    """Note work for the keeper; what is noted already and not done yet stays the only one."""
    waiting = gallery.orders.filter(kind=kind, done_at=None).first()
    return waiting or Order.objects.create(gallery=gallery, kind=kind)


def verify(gallery: Gallery) -> list[str]:
    """The blocks whose files are missing or are not what was written, by their ids."""
    truth = DjangoTruth(gallery.id, public_key=public_key)
    files = BlockFiles(settings.GALLERIES / gallery.id)
    damaged = {one.block for one in truth.blocks() if not files.is_sound(one.block, one.checksum)}
    # Whatever was packed anew meanwhile has no file any more, and needs none.
    return sorted(one.block.hex() for one in truth.blocks() if one.block in damaged)


def close(gallery: Gallery) -> None:
    """Nobody is in the gallery from now on. Its keys and files go as soon as the keeper comes by."""
    Gallery.objects.filter(pk=gallery.pk).update(state=Gallery.State.CLOSING)
    leaving.empty(gallery)


def forget_old() -> int:
    """Delete orders that were carried out a month ago, and codes that are over; the number of rows."""
    old, _ = Order.objects.filter(done_at__lt=timezone.now() - ORDERS_KEPT).delete()
    over, _ = Invitation.objects.filter(expires_at__lte=timezone.now()).delete()
    return old + over
