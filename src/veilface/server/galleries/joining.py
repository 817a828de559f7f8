"""A kiosk joins a gallery: by the operator's code, once, with a key of its own that the key holder then knows.

It chooses its token and says only the digest of it, before it knows whether it is let in. So an answer that is lost
takes nothing with it: whoever joins again with the same code, key and token, within a day, is told the same. For the
key holder may know the key already, and what no row here stands for nobody could revoke.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from veilface.keyholder.errors import DeviceKnown
from veilface.keyholder.messages import DeviceRecord, Grant
from veilface.protect.envelope import Header, MessageType, device_context, verify_signature
from veilface.server import keyholding
from veilface.server.accounts import messages, throttle
from veilface.server.accounts.labels import usable_label
from veilface.server.accounts.throttle import Limit
from veilface.server.enrolment import evidence
from veilface.server.errors import DeviceNameUnusable, WrongMessage
from veilface.server.galleries.access import digest
from veilface.server.galleries.errors import InvitationUnusable
from veilface.server.galleries.models import KIOSK_NAME_LENGTH, Gallery, Invitation, Kiosk
from veilface.server.galleries.operating import canonical
from veilface.server.galleries.rooms import rooms

JOINING: Final = Limit(scope="kiosk-joining", attempts=30, seconds=900)
CHALLENGES: Final = Limit(scope="kiosk-challenge", attempts=300, seconds=60)
REPEATABLE_FOR: Final = timedelta(days=1)
USE_IS_NOTED_EVERY: Final = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A device that asks to be a kiosk. ``token`` – the SHA-256 (hex) of what it will show from then on."""

    device_id: str
    name: str
    public_key: bytes
    token: str

    @property
    def context(self) -> bytes:
        """What its registration is bound to."""
        return device_context(self.public_key, bytes.fromhex(self.device_id))


def allow(*, code: str, device_id: str, context_hash: bytes, address: str) -> tuple[Gallery, Grant]:
    """What the device must sign to join: a challenge, and the gallery that stands in its header as the account."""
    gallery = _invitation(code, address, taker=context_hash).gallery
    rooms().room(gallery)  # the key holder must know the gallery before any device of it
    grant = keyholding.keyholder().issue_challenge(
        type=MessageType.DEVICE, account=gallery.wire_id, device=bytes.fromhex(device_id), context_hash=context_hash
    )
    return gallery, grant


def join(candidate: Candidate, *, code: str, header: bytes, signature: bytes, address: str) -> Kiosk:
    """Let the device in whose key signed ``header``. From now on the code is good for this device alone."""
    name = usable_label(candidate.name, limit=KIOSK_NAME_LENGTH, otherwise=DeviceNameUnusable)
    invitation = _invitation(code, address, taker=candidate.context)
    _check(invitation.gallery, candidate, header=header, signature=signature)
    if known := _known(invitation.gallery, candidate):
        return known
    # One conditional statement: of two devices with one code, one gets in.
    mine = Invitation.objects.filter(_open_to(candidate.context), pk=invitation.pk)
    now = timezone.now()
    if not mine.update(used_at=now, taken_by=candidate.context.hex(), expires_at=now + REPEATABLE_FOR):
        raise InvitationUnusable
    record = keyholding.keyholder().register_device(header=header, signature=signature, public_key=candidate.public_key)
    return _let_in(invitation.gallery, candidate, record, name=name)


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


def _invitation(code: str, address: str, *, taker: bytes) -> Invitation:
    throttle.spend(JOINING, address)
    live = Invitation.objects.select_related("gallery").filter(_open_to(taker), expires_at__gt=timezone.now())
    found = live.filter(digest=digest(canonical(code)), gallery__state=Gallery.State.OPEN).first()
    if found is None:
        raise InvitationUnusable
    return found


def _open_to(taker: bytes) -> Q:
    """Codes that nobody used, or this registration did."""
    return Q(used_at=None) | Q(taken_by=taker.hex())


def _check(gallery: Gallery, candidate: Candidate, *, header: bytes, signature: bytes) -> None:
    parsed = Header.parse(header)
    messages.check_addressed(parsed, type_=MessageType.DEVICE, account=gallery)
    if parsed.device_id.hex() != candidate.device_id:
        raise WrongMessage(field="device_id", got=parsed.device_id.hex(), expected=candidate.device_id)
    messages.check_bodiless(parsed)
    messages.check_context(parsed.context_hash, expected=candidate.context)
    verify_signature(candidate.public_key, header, signature)


def _known(gallery: Gallery, candidate: Candidate) -> Kiosk | None:
    """The kiosk that the device already is; raises ``DeviceKnown`` for another key, another token, or a revoked one."""
    row = gallery.kiosks.select_related("gallery").filter(device_id=candidate.device_id).first()
    if row is None:
        return None
    theirs = (row.public_key, row.token)
    if theirs != (candidate.public_key.hex(), candidate.token) or row.state == Kiosk.State.REVOKED:
        raise DeviceKnown
    return row


def _let_in(gallery: Gallery, candidate: Candidate, record: DeviceRecord, *, name: str) -> Kiosk:
    try:
        with transaction.atomic():
            return Kiosk.objects.create(
                gallery=gallery,
                device_id=candidate.device_id,
                name=name,
                public_key=candidate.public_key.hex(),
                token=candidate.token,
                state=record.state,
                active_from=datetime.fromtimestamp(record.active_from_ms / 1000, UTC),
            )
    except IntegrityError:  # beside this request, or a token that is somebody's already
        if known := _known(gallery, candidate):
            return known
        raise DeviceKnown from None
