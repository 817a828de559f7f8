"""What crosses the wall between the server and the key holder."""

from dataclasses import dataclass
from typing import Literal

DeviceState = Literal["active", "pending", "revoked"]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The key holder's signing key: an uncompressed P-256 point, 65 B."""

    public_key: bytes


@dataclass(frozen=True, kw_only=True)
class DeviceRecord:
    """One device of an account. ``active_from_ms`` is when it became, or will become, active (Unix ms)."""

    device_id: bytes
    state: DeviceState
    active_from_ms: int


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A challenge (32 B) and what the message that answers it must name.

    ``key_cert``, ``key_fp`` and ``epoch`` are given for enrolment (the pending key), verification and deletion (the
    current key); ``template_hash`` for the latter two.
    """

    challenge: bytes
    expires_ms: int
    key_cert: bytes | None = None
    key_fp: bytes | None = None
    epoch: int | None = None
    template_hash: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class AccountStatus:
    """What is current for an account. ``epoch``, ``key_fp`` and ``template_hash`` are None when it is not enrolled.

    ``disabled`` – face verification is switched off until the next enrolment. ``retry_at_ms`` – the time from which
    the next attempt will be judged, None when that is now.
    """

    epoch: int | None
    key_fp: bytes | None
    template_hash: bytes | None
    devices: tuple[DeviceRecord, ...]
    disabled: bool
    retry_at_ms: int | None


@dataclass(frozen=True, kw_only=True)
class SignedHead:
    """The audit log's last record and everything before it, under the key holder's signature (64 B)."""

    index: int
    head: bytes
    time_ms: int
    signature: bytes
