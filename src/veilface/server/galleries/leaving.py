"""Leaving a gallery: out of the truth first, so that no search finds them, then out of the key holder's records.

A deleted member leaves a :class:`Departure` in the same transaction, whatever deleted it. The key holder hears of it
at once where that can be, and from the keeper where it cannot. So it does of a kiosk that was revoked.
"""

from contextlib import suppress
from threading import Lock
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from veilface.keyholder.errors import AccountForgotten, UnknownAccount, UnknownDevice
from veilface.server import keyholding
from veilface.server.accounts.models import Account
from veilface.server.galleries.errors import RegisteringBusy
from veilface.server.galleries.models import Block, Departure, Gallery, Kiosk, Member, OptIn, Registration

ATTEMPTS: Final = 5
# An opt-in must not be forgotten by the departure before it. Were it, on another machine, the template would not be
# opened and its owner not be in the gallery: the safe side.
TELLING: Final = Lock()


def note(sender: type[Member], instance: Member, **_: Any) -> None:  # noqa: ARG001 – Django names it
    """A member's row was just deleted: their slot is dead for the next search, and the key holder will hear of it."""
    if instance.block_id is not None:
        Block.objects.filter(pk=instance.block_id).update(generation=F("generation") + 1)
        Gallery.objects.filter(pk=instance.gallery_id).update(generation=F("generation") + 1)
    if instance.account_id is not None:
        Departure.objects.get_or_create(gallery_id=instance.gallery_id, account=instance.account_id)


def leave_all(account: Account) -> None:
    """Take an account out of every gallery."""
    account.memberships.all().delete()


def leave_by_device(account: Account, device_id: str) -> None:
    """Take an account out of the galleries that this device signed it into."""
    account.memberships.filter(opt_in__device_id=device_id).delete()


def tell(departure: Departure) -> None:
    """Have the key holder forget an opt-in. Doing it again does no harm."""
    with TELLING:
        if not Departure.objects.filter(pk=departure.pk).exists():
            return  # somebody told it, and the account may be back since
        account = bytes.fromhex(departure.account)
        with suppress(UnknownAccount, AccountForgotten):  # nothing is left to be forgotten
            keyholding.keyholder().gallery_drop(gallery=departure.gallery.wire_id, account=account)
        departure.delete()


def tell_revoked(kiosk: Kiosk) -> None:
    """Have the key holder, too, refuse a kiosk that the operator revoked. Doing it again does no harm."""
    with suppress(UnknownDevice):  # a key holder from an older backup: what it does not know it refuses
        keyholding.keyholder().gallery_revoke_kiosk(
            gallery=kiosk.gallery.wire_id, device_id=bytes.fromhex(kiosk.device_id)
        )
    Kiosk.objects.filter(pk=kiosk.pk).update(revocation_told=True)


def empty(gallery: Gallery, *, only_registered: bool = False) -> int:
    """Take everybody out of a gallery, or everybody whom its kiosks registered, in one transaction; how many.

    Who comes in between two of its statements goes as well: it begins again then. Raises :class:`RegisteringBusy`.
    """
    chosen = Q(gallery=gallery, account=None) if only_registered else Q(gallery=gallery)
    for _ in range(ATTEMPTS):
        with suppress(IntegrityError):
            return _emptied(gallery, chosen)
    raise RegisteringBusy


def _emptied(gallery: Gallery, chosen: Q) -> int:
    with transaction.atomic():
        rows = Member.objects.filter(chosen)
        Registration.objects.filter(member__in=rows.values("pk")).delete()
        OptIn.objects.filter(member__in=rows.values("pk")).delete()
        gone = rows._raw_delete(rows.db)  # noqa: SLF001 – a million rows need no signal each: what it does, we do
        Block.objects.filter(gallery=gallery).update(generation=F("generation") + 1)
        Gallery.objects.filter(pk=gallery.pk).update(generation=F("generation") + 1)
    return int(gone)
