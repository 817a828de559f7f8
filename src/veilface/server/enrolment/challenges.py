"""Challenges: asked of the key holder for one message, remembered until that message comes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from veilface.keyholder.errors import (
    ChallengeExpired,
    ChallengeReplayed,
    NotEnrolled,
    StaleKey,
    WrongSuite,
    WrongTemplate,
)
from veilface.keyholder.messages import Grant
from veilface.match.masks import Purpose as MaskPurpose
from veilface.protect.envelope import LABEL_DELETE, LABEL_ENROL, LABEL_LOGIN, Header, MessageType
from veilface.protect.scheme import Homomorphic, OpenProtection, protection, protection_of
from veilface.protect.suites import Suite
from veilface.server import keyholding
from veilface.server.accounts import confirming, messages, throttle
from veilface.server.accounts.confirming import Confirmation
from veilface.server.accounts.models import Account
from veilface.server.enrolment import evidence, settling
from veilface.server.enrolment.models import Challenge, Template
from veilface.server.errors import ChallengeUnknown, PasswordNeeded, WrongMessage

KEPT_AFTER_EXPIRY: Final = timedelta(hours=1)
DEFAULT_SCHEME: Final = Homomorphic.name
MASKED: Final[dict[MessageType, MaskPurpose]] = {
    MessageType.ENROL: "enrol",
    MessageType.VERIFY: "verify",
    MessageType.PAY: "verify",
}


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What a challenge is asked for. ``label`` – the session context it must carry, None where it is about a device."""

    type: MessageType
    label: bytes | None = None


PURPOSES: Final = {
    "device": Purpose(type=MessageType.DEVICE),
    "approve": Purpose(type=MessageType.DEVICE),
    "revoke": Purpose(type=MessageType.REVOKE),
    "enrol": Purpose(type=MessageType.ENROL, label=LABEL_ENROL),
    "verify": Purpose(type=MessageType.VERIFY, label=LABEL_LOGIN),
    "delete": Purpose(type=MessageType.DELETE, label=LABEL_DELETE),
}


def issue(
    account: Account,
    *,
    purpose: Purpose,
    device_id: str,
    context_hash: bytes,
    binding: bytes,
    confirmation: Confirmation | None,
    scheme: str | None,
    liveness: str = "",
) -> Grant:
    """A challenge for one message of one device; for a ciphertext, masks begin to be prepared.

    ``liveness`` – the movements that are asked for with it.
    """
    throttle.spend(throttle.CHALLENGES, account.id)
    if purpose.label is not None:
        messages.check_context(context_hash, expected=messages.session_context(purpose.label, binding))
    if purpose.type == MessageType.ENROL:
        _check_may_enrol(account, confirmation)
    suite = _suite_to_enrol(purpose, scheme)
    grant = _ask(account, purpose=purpose, device_id=device_id, context_hash=context_hash, suite=suite)
    if purpose.label is not None:
        _remember(account, type_=purpose.type, device_id=device_id, grant=grant, liveness=liveness)
    return grant


def issue_for_payment(account: Account, *, device_id: str, context_hash: bytes, liveness: str) -> Grant:
    """A challenge for the one message that pays for the statement of this hash; masks begin to be prepared."""
    return _issue_bound(
        account, type_=MessageType.PAY, device_id=device_id, context_hash=context_hash, liveness=liveness
    )


def issue_for_gallery(account: Account, *, device_id: str, context_hash: bytes) -> Grant:
    """A challenge for the one message that joins or leaves the gallery of this context."""
    return _issue_bound(account, type_=MessageType.GALLERY_OPT_IN, device_id=device_id, context_hash=context_hash)


def take(account: Account, header: Header) -> Challenge:
    """The challenge this message answers, once; raises where it is unknown, used, expired or of another key."""
    row = Challenge.objects.filter(
        challenge=header.challenge.hex(), account=account, device_id=header.device_id.hex(), type=header.type
    ).first()
    if row is None:
        raise ChallengeUnknown
    if row.expires_ms <= messages.now_ms():
        raise ChallengeExpired
    if header.key_fp.hex() != row.key_fp:
        raise StaleKey
    if header.suite != row.suite:
        raise WrongSuite
    if header.type != MessageType.ENROL and header.template_hash.hex() != row.template_hash:
        raise WrongTemplate
    # One conditional statement: of two requests side by side, one wins.
    if not Challenge.objects.filter(pk=row.pk, used_at=None).update(used_at=timezone.now()):
        raise ChallengeReplayed
    return row


def forget_expired() -> int:
    """Delete challenges that expired an hour ago; the number of rows."""
    limit = messages.now_ms() - int(KEPT_AFTER_EXPIRY.total_seconds() * 1000)
    return Challenge.objects.filter(expires_ms__lt=limit).delete()[0]


def _issue_bound(
    account: Account, *, type_: MessageType, device_id: str, context_hash: bytes, liveness: str = ""
) -> Grant:
    """A challenge for one message about exactly this, whatever session it comes in."""
    throttle.spend(throttle.CHALLENGES, account.id)
    purpose = Purpose(type=type_)
    grant = _ask(account, purpose=purpose, device_id=device_id, context_hash=context_hash, suite=None)
    _remember(account, type_=type_, device_id=device_id, grant=grant, liveness=liveness)
    return grant


def _suite_to_enrol(purpose: Purpose, scheme: str | None) -> Suite | None:
    """The protection that the key holder makes a key for; None for every other message, which may name none."""
    if purpose.type == MessageType.ENROL:
        return protection(scheme or DEFAULT_SCHEME).suite
    if scheme is not None:
        raise WrongMessage(field="scheme", got=scheme, expected="")
    return None


def _check_may_enrol(account: Account, confirmation: Confirmation | None) -> None:
    """Protocol §5: replacing a template needs the password, or a passkey, as well as a device."""
    settling.settle_by_asking(account)
    if not account.templates.exclude(state=Template.State.STORED).exists():
        return
    if confirmation is None or not confirmation.given:
        raise PasswordNeeded
    confirming.require(account, confirmation)


def _ask(account: Account, *, purpose: Purpose, device_id: str, context_hash: bytes, suite: Suite | None) -> Grant:
    try:
        grant = keyholding.keyholder().issue_challenge(
            type=purpose.type,
            account=account.wire_id,
            device=bytes.fromhex(device_id),
            context_hash=context_hash,
            suite=suite,
        )
    except NotEnrolled:
        settling.settle(account, current=None)
        raise
    if grant.template_hash is not None:
        settling.settle(account, current=grant.template_hash.hex())
    return grant


def _remember(account: Account, *, type_: MessageType, device_id: str, grant: Grant, liveness: str) -> None:
    if grant.key_fp is None or grant.epoch is None or grant.suite is None:
        raise StaleKey
    forget_expired()
    row = Challenge.objects.create(
        challenge=grant.challenge.hex(),
        account=account,
        device_id=device_id,
        type=type_,
        suite=grant.suite,
        key_fp=grant.key_fp.hex(),
        epoch=grant.epoch,
        template_hash=(grant.template_hash or b"").hex(),
        liveness=liveness,
        expires_ms=grant.expires_ms,
    )
    if type_ in MASKED and not isinstance(protection_of(grant.suite), OpenProtection):
        evidence.prepare_soon(account=account.id, challenge=row.challenge, key_fp=row.key_fp, purpose=MASKED[type_])
