"""Face login: from a browser that nobody is signed in with, by a device that remembers an account (protocol §7.1).

Whoever has no key of an active device of the account learns nothing, not even whether there is such an account: each
step looks the device up and checks a signature first – where there is no device, under a key that is nobody's. From
there on the caller has proven to be the account's own device and may be told what is in its way; only whether a face
was nearly right or not at all is told to nobody.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from veilface.keyholder.messages import Grant
from veilface.protect.envelope import (
    LABEL_LOGIN,
    ZERO_HASH,
    Header,
    MessageType,
    Outcome,
    public_point,
    verify_signature,
)
from veilface.protect.errors import BadSignature
from veilface.server import keyholding
from veilface.server.accounts import messages, throttle
from veilface.server.accounts.models import Account, Device
from veilface.server.base64url import encode
from veilface.server.enrolment import challenges, evidence
from veilface.server.enrolment.models import Challenge
from veilface.server.enrolment.services import check
from veilface.server.errors import FaceLoginDisabled, FaceLoginPaused, FaceLoginRefused, NotFound, WrongMessage
from veilface.server.recognition import liveness
from veilface.server.recognition.liveness import Movement
from veilface.server.recognition.services import Stopwatch, Verdict, judge

ATTEMPTS: Final = throttle.Limit(scope="face-login-address", attempts=120, seconds=60)
REFUSED_AFTER_S: Final = 0.4  # longer than judging a face takes on two busy cores


@dataclass(frozen=True, kw_only=True)
class Permission:
    """What a proven device may know before it looks at a face: the grant, and whether it would be judged at all.

    ``movements`` – of the liveness check.
    """

    grant: Grant
    movements: list[Movement]
    disabled: bool
    retry_after_s: int


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """Whose face it was, and the key holder's word for it."""

    account: Account
    verdict: Verdict


@contextmanager
def refused_alike() -> Iterator[None]:
    """Let a refusal out at one time, or a multiple of it, however much was computed before."""
    begin = time.monotonic()
    try:
        yield
    except FaceLoginRefused:
        time.sleep(-(time.monotonic() - begin) % REFUSED_AFTER_S)
        raise


def allow(*, header: bytes, signature: bytes, binding: bytes, address: str) -> Permission:
    """Permission to sign one login, for the device that signed ``header``: a login whose challenge is still zero.

    Raises :class:`FaceLoginRefused` for whoever is not an active device of the account, or not of any.
    """
    throttle.spend(ATTEMPTS, address)
    knock = Header.parse(header)
    if knock.challenge != ZERO_HASH:
        raise WrongMessage(field="challenge", got=knock.challenge.hex(), expected=ZERO_HASH.hex())
    messages.check_bodiless(knock)
    account = _proven(knock, header_bytes=header, signature=signature, binding=binding)
    messages.check_addressed(knock, type_=MessageType.VERIFY, account=account)
    plan = liveness.drawn("login")
    grant = challenges.issue(
        account,
        purpose=challenges.PURPOSES["verify"],
        device_id=knock.device_id.hex(),
        context_hash=knock.context_hash,
        binding=binding,
        confirmation=None,
        scheme=None,
        liveness=plan,
    )
    throttle.refund(ATTEMPTS, address)
    status = keyholding.keyholder().account_status(account.wire_id)
    wait_ms = (status.retry_at_ms or 0) - messages.now_ms()
    return Permission(
        grant=grant,
        movements=liveness.read(plan),
        disabled=status.disabled,
        retry_after_s=max(0, -(-wait_ms // 1000)),
    )


def key_of(challenge: str) -> bytes:
    """The public key that the answer to this challenge is made with; raises :class:`NotFound`.

    Who knows the 32 bytes of a challenge is the device that asked for it.
    """
    unused = Challenge.objects.filter(type=MessageType.VERIFY, used_at=None, expires_ms__gt=messages.now_ms())
    row = unused.filter(challenge=challenge).first()
    if row is None:
        raise NotFound
    return evidence.public_key(row.key_fp)


def recognise(*, data: bytes, binding: bytes, address: str) -> Recognised:
    """Whose face ``H ‖ signature ‖ P`` is; raises :class:`FaceLoginRefused` for every face that is not the account's.

    A refusal brings no receipt, so that it says the same to everybody: the device counts its own attempts, and the
    next receipt must not count more.
    """
    throttle.spend(ATTEMPTS, address)
    watch = Stopwatch()
    with watch.stage("check"):
        message, record = liveness.split(data)
        header = message.header
        account = _proven(header, header_bytes=message.header_bytes, signature=message.signature, binding=binding)
        checked = check(account, message, type_=MessageType.VERIFY, context=header.context_hash)
        liveness.check(checked.challenge.liveness, record)
    verdict = judge(account, checked, watch)
    match verdict.outcome:
        case Outcome.ACCEPTED:
            throttle.refund(ATTEMPTS, address)
            return Recognised(account=account, verdict=verdict)
        case Outcome.RETRY_LATER:
            raise FaceLoginPaused(retry_after_s=verdict.retry_after_s, receipt=encode(verdict.receipt))
        case Outcome.DISABLED:
            raise FaceLoginDisabled(receipt=encode(verdict.receipt))
        case Outcome.NOT_ACCEPTED:
            raise FaceLoginRefused


def _proven(header: Header, *, header_bytes: bytes, signature: bytes, binding: bytes) -> Account:
    """The account whose active device signed; the same queries and one signature check, whoever asks."""
    messages.check_context(header.context_hash, expected=messages.session_context(LABEL_LOGIN, binding))
    known = Device.objects.select_related("account").filter(account_id=header.account_id.hex())
    device = known.filter(device_id=header.device_id.hex()).first()
    public_key = _nobodys_key() if device is None else bytes.fromhex(device.public_key)
    try:
        verify_signature(public_key, header_bytes, signature)
    except BadSignature:
        raise FaceLoginRefused from None
    if device is None or device.state_at(datetime.now(UTC)) != Device.State.ACTIVE:
        raise FaceLoginRefused
    return device.account


@cache
def _nobodys_key() -> bytes:
    """A public key (65 B) whose private key is gone."""
    return public_point(ec.generate_private_key(ec.SECP256R1()).public_key())
