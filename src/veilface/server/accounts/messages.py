"""What every signed message of an account must satisfy before anything is computed with it."""

import time
from datetime import UTC, datetime
from typing import Final, Protocol

from django.conf import settings

from veilface.keyholder.errors import DeviceNotActive, UnknownDevice, WrongContract
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import Header, MessageType, context_hash, sha256, verify_signature
from veilface.protect.scheme import protection_of
from veilface.server.accounts.models import Account, Device
from veilface.server.errors import ContextMismatch, StaleMessage, WrongMessage

CLOCK_SLACK_S: Final = 120
EMPTY_BODY_HASH: Final = sha256(b"")


class Addressee(Protocol):
    """Whose id may stand in a header as the account's."""

    id: str

    @property
    def wire_id(self) -> bytes:
        """The 16 bytes that stand there."""


def check_addressed(header: Header, *, type_: MessageType, account: Addressee) -> None:
    """Raise unless the header is of this type, of this account, and recent."""
    if header.type != type_:
        raise WrongMessage(field="type", got=int(header.type), expected=int(type_))
    if header.account_id != account.wire_id:
        raise WrongMessage(field="account_id", got=header.account_id.hex(), expected=account.id)
    if abs(header.issued_ms - now_ms()) > CLOCK_SLACK_S * 1000:
        raise StaleMessage(limit_s=CLOCK_SLACK_S)


def check_bodiless(header: Header) -> None:
    """Raise unless the header signs an empty body."""
    if header.body_hash != EMPTY_BODY_HASH:
        raise WrongMessage(field="body_hash", got=header.body_hash.hex(), expected=EMPTY_BODY_HASH.hex())


def check_context(got: bytes, *, expected: bytes) -> None:
    """Raise :class:`ContextMismatch` unless both are the same."""
    if got != expected:
        raise ContextMismatch


def session_context(label: bytes, binding: bytes) -> bytes:
    """What a login, enrolment or deletion of this session on this site is bound to."""
    return context_hash(label, settings.ORIGIN, binding)


def check_contract(header: Header) -> None:
    """Raise unless the message was made with this installation's models and threshold."""
    if header.model_fp != model_fp(protection_of(header.suite).name):
        raise WrongContract


def check_signed(header: Header, *, header_bytes: bytes, signature: bytes, account: Account) -> Device:
    """The active device of the account that signed the header; raises what is wrong with it."""
    device = Device.objects.filter(account=account, device_id=header.device_id.hex()).first()
    if device is None:
        raise UnknownDevice
    if device.state_at(datetime.now(UTC)) != Device.State.ACTIVE:
        raise DeviceNotActive
    verify_signature(bytes.fromhex(device.public_key), header_bytes, signature)
    return device


def now_ms() -> int:
    """Milliseconds since 1970, UTC: the protocol's clock."""
    return time.time_ns() // 1_000_000
