"""A kiosk joins a gallery: by the operator's code, once, with a key of its own that the key holder then knows."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone

from veilface.keyholder.errors import DeviceKnown, KeyHolderError
from veilface.keyholder.messages import DeviceRecord, Grant
from veilface.protect.envelope import Header, MessageType, device_context, verify_signature
from veilface.server import keyholding
from veilface.server.accounts import messages, throttle
from veilface.server.accounts.labels import usable_label
from veilface.server.accounts.throttle import Limit
from veilface.server.enrolment import evidence
from veilface.server.errors import DeviceNameUnusable, WrongMessage
from veilface.server.galleries.access import TOKEN_PREFIX, digest
from veilface.server.galleries.errors import InvitationUnusable
from veilface.server.galleries.models import KIOSK_NAME_LENGTH, Gallery, Invitation, Kiosk
from veilface.server.galleries.operating import canonical
from veilface.server.galleries.rooms import rooms

JOINING: Final = Limit(scope="kiosk-joining", attempts=30, seconds=900)
CHALLENGES: Final = Limit(scope="kiosk-challenge", attempts=300, seconds=60)
USE_IS_NOTED_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A kiosk, and its token, shown this once."""

    kiosk: Kiosk
    token: str


def allow(*, code: str, device_id: str, context_hash: bytes, address: str) -> tuple[Gallery, Grant]:
    """What the device must sign to join: a challenge, and the gallery that stands in its header as the account."""
    gallery = _invitation(code, address).gallery
    rooms().room(gallery)  # the key holder must know the gallery before any device of it
    grant = keyholding.keyholder().issue_challenge(
        type=MessageType.DEVICE, account=gallery.wire_id, device=bytes.fromhex(device_id), context_hash=context_hash
    )
    return gallery, grant


def join(
    *, code: str, name: str, device_id: str, header: bytes, signature: bytes, public_key: bytes, address: str
) -> Joined:
    """Let the device in whose key signed ``header``; the code is used up, unless the key holder did not answer."""
    name = usable_label(name, limit=KIOSK_NAME_LENGTH, otherwise=DeviceNameUnusable)
    invitation = _invitation(code, address)
    _check(invitation.gallery, device_id, header=header, signature=signature, public_key=public_key)
    # One conditional statement: of two devices with one code, one gets in.
    if not Invitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=timezone.now()):
        raise InvitationUnusable
    try:
        record = keyholding.keyholder().register_device(header=header, signature=signature, public_key=public_key)
        return _let_in(invitation.gallery, record, name=name, public_key=public_key)
    except KeyHolderError:
        Invitation.objects.filter(pk=invitation.pk).update(used_at=None)
        raise


def challenges(kiosk: Kiosk, *, type_: MessageType, context: bytes, count: int) -> list[Grant]:
    """So many challenges for one message each; a kiosk may fetch some ahead. Masks begin to be prepared."""
    throttle.spend(CHALLENGES, kiosk.device_id)
    holder, account, device = keyholding.keyholder(), kiosk.gallery.wire_id, bytes.fromhex(kiosk.device_id)
    grants = [
        holder.issue_challenge(type=type_, account=account, device=device, context_hash=context) for _ in range(count)
    ]
    for grant in grants:
        if grant.key_fp is not None:
            evidence.prepare_soon(
                account=kiosk.device_id, challenge=grant.challenge.hex(), key_fp=grant.key_fp.hex(), purpose="enrol"
            )
    return grants


def note_use(kiosk: Kiosk) -> None:
    """Remember roughly when the kiosk was last used."""
    now = datetime.now(UTC)
    if kiosk.last_used_at is None or now - kiosk.last_used_at > USE_IS_NOTED_EVERY:
        Kiosk.objects.filter(pk=kiosk.pk).update(last_used_at=now)


def _invitation(code: str, address: str) -> Invitation:
    throttle.spend(JOINING, address)
    live = Invitation.objects.select_related("gallery").filter(used_at=None, expires_at__gt=timezone.now())
    found = live.filter(digest=digest(canonical(code)), gallery__state=Gallery.State.OPEN).first()
    if found is None:
        raise InvitationUnusable
    return found


def _check(gallery: Gallery, device_id: str, *, header: bytes, signature: bytes, public_key: bytes) -> None:
    parsed = Header.parse(header)
    messages.check_addressed(parsed, type_=MessageType.DEVICE, account=gallery)
    if parsed.device_id.hex() != device_id:
        raise WrongMessage(field="device_id", got=parsed.device_id.hex(), expected=device_id)
    messages.check_bodiless(parsed)
    messages.check_context(parsed.context_hash, expected=device_context(public_key, parsed.device_id))
    verify_signature(public_key, header, signature)


def _let_in(gallery: Gallery, record: DeviceRecord, *, name: str, public_key: bytes) -> Joined:
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    kiosk, made = Kiosk.objects.get_or_create(
        gallery=gallery,
        device_id=record.device_id.hex(),
        defaults={
            "name": name,
            "public_key": public_key.hex(),
            "token": digest(token),
            "state": record.state,
            "active_from": datetime.fromtimestamp(record.active_from_ms / 1000, UTC),
        },
    )
    if not made:
        raise DeviceKnown
    return Joined(kiosk=kiosk, token=token)
