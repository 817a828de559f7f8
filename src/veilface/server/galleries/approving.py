"""A further kiosk waits for 24 hours: one that is active ends that by its signature, letting it in or turning it away.

The key holder decides whose signature counts, and is told first. A repetition changes nothing there, so a change that
was cut short between the two is finished by making it again.
"""

from datetime import UTC, datetime

from django.utils import timezone

from veilface.keyholder.messages import Grant
from veilface.protect.envelope import MessageType, device_context, revocation_context
from veilface.server import keyholding
from veilface.server.accounts import throttle
from veilface.server.errors import NotFound
from veilface.server.galleries import messages
from veilface.server.galleries.joining import CHALLENGES
from veilface.server.galleries.models import Gallery, Kiosk


def waiting(gallery: Gallery) -> list[Kiosk]:
    """The kiosks that wait, first come first."""
    return list(gallery.kiosks.filter(state=Kiosk.State.PENDING, active_from__gt=timezone.now()))


def allow(kiosk: Kiosk, other_id: str, *, refuse: bool) -> Grant:
    """A challenge for the one message that lets the other kiosk in, or turns it away."""
    throttle.spend(CHALLENGES, kiosk.device_id)
    other = _find(kiosk, other_id)
    return keyholding.keyholder().issue_challenge(
        type=MessageType.REVOKE if refuse else MessageType.DEVICE,
        account=kiosk.gallery.wire_id,
        device=bytes.fromhex(kiosk.device_id),
        context_hash=_turning_away(other) if refuse else _letting_in(other),
    )


def approve(kiosk: Kiosk, other_id: str, *, header: bytes, signature: bytes) -> Kiosk:
    """Let a kiosk that waits in at once, by the word of one that is active."""
    other = _find(kiosk, other_id)
    messages.check_order(
        kiosk, header=header, signature=signature, type_=MessageType.DEVICE, context=_letting_in(other)
    )
    record = keyholding.keyholder().approve_device(
        header=header, signature=signature, device_id=bytes.fromhex(other_id)
    )
    active_from = datetime.fromtimestamp(record.active_from_ms / 1000, UTC)
    # Whom the operator revoked meanwhile stays revoked.
    Kiosk.objects.filter(pk=other.pk, state=Kiosk.State.PENDING).update(state=record.state, active_from=active_from)
    other.refresh_from_db()
    return other


def refuse(kiosk: Kiosk, other_id: str, *, header: bytes, signature: bytes) -> Kiosk:
    """Turn a kiosk that waits away for good. One that is active already is the operator's to revoke.

    One that the key holder turned away is turned away here as well, though its time of waiting is over here: the first
    time was cut short between the two.
    """
    other = _find(kiosk, other_id)
    if other.state_at(timezone.now()) != Kiosk.State.PENDING and not _turned_away_there(other):
        raise NotFound
    messages.check_order(
        kiosk, header=header, signature=signature, type_=MessageType.REVOKE, context=_turning_away(other)
    )
    keyholding.keyholder().revoke_device(header=header, signature=signature, device_id=bytes.fromhex(other_id))
    other.state, other.revocation_told = Kiosk.State.REVOKED, True
    other.save(update_fields=["state", "revocation_told"])
    return other


def _turned_away_there(other: Kiosk) -> bool:
    known = keyholding.keyholder().account_status(other.gallery.wire_id).devices
    return any(device.device_id.hex() == other.device_id and device.state == "revoked" for device in known)


def _find(kiosk: Kiosk, other_id: str) -> Kiosk:
    """A kiosk of the same gallery that was not revoked."""
    other = kiosk.gallery.kiosks.exclude(state=Kiosk.State.REVOKED).filter(device_id=other_id).first()
    if other is None:
        raise NotFound
    return other


def _letting_in(other: Kiosk) -> bytes:
    return device_context(bytes.fromhex(other.public_key), bytes.fromhex(other.device_id))


def _turning_away(other: Kiosk) -> bytes:
    return revocation_context(bytes.fromhex(other.device_id))
