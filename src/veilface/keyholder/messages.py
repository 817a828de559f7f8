"""What crosses the wall between the server and the key holder, parsed strictly before anything uses it.

Requests are fields of fixed length, one after another, so that every endpoint knows its exact size before it reads.
Answers are receipts and keys as bytes, or one flat JSON object with bytes in hex.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar, get_args

from veilface.keyholder.errors import KeyHolderError, KeyHolderUnavailable, Malformed, by_code
from veilface.protect.envelope import (
    HASH_BYTES,
    HEADER_BYTES,
    ID_BYTES,
    PUBLIC_POINT_BYTES,
    SIGNATURE_BYTES,
    KeyCert,
    verify_signature,
)
from veilface.protect.scheme import protections
from veilface.protect.suites import Suite

DeviceState = Literal["active", "pending", "revoked"]
LARGE_BYTES: Final = 1 << 20
"""What is longer is copied as little as possible."""
PIECE_BYTES: Final = 1 << 18
ANSWER_LIMIT: Final = 64 * 1024
"""The longest JSON answer (bytes) a client reads."""


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

    ``key_cert``, ``key_fp``, ``epoch`` and ``suite`` are given for enrolment (the pending key), verification and
    deletion (the current key); ``template_hash`` for the latter two.
    """

    challenge: bytes
    expires_ms: int
    key_cert: bytes | None = None
    key_fp: bytes | None = None
    epoch: int | None = None
    suite: Suite | None = None
    template_hash: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class AccountStatus:
    """What is current for an account. ``epoch``, ``key_fp`` and ``template_hash`` are None when it is not enrolled.

    ``disabled`` – face verification is switched off, for the account or for every active device of it, until the next
    enrolment. ``retry_at_ms`` – the time from which a next attempt will be judged whatever device makes it, None when
    that is now.
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

    def unsigned_bytes(self) -> bytes:
        """``VFAH‖index(u64)‖head(32)‖time_ms(u64)``."""
        return b"VFAH" + self.index.to_bytes(8, "big") + self.head + self.time_ms.to_bytes(8, "big")

    def verify(self, keyholder_public_key: bytes) -> None:
        """Raise ``protect.errors.BadSignature`` unless the pinned key holder signed this head."""
        verify_signature(keyholder_public_key, self.unsigned_bytes(), self.signature, signer="keyholder")


def forget_message(account: bytes) -> bytes:
    """What the receipt of ``KeyHolderApi.forget_account`` answers, as there is no header."""
    return b"VFFORGET" + account


# --- requests --------------------------------------------------------------------------------------------


Octets = bytes | memoryview
Lengths = Collection[int]
"""Whole numbers of bytes, which may be a range of multiples."""


@dataclass(frozen=True)
class Layout:
    """Named fields of fixed length, in order; then, where ``rest`` has any, one more field of one of these lengths.

    Which of them fits is for the flow to say, which knows the suite.
    """

    fields: Mapping[str, int]
    rest: Lengths = frozenset()
    rest_name: str = "evidence"

    @cached_property
    def lengths(self) -> Lengths:
        """The lengths the request may have, in bytes."""
        fixed, rest = sum(self.fields.values()), self.rest or frozenset({0})
        if isinstance(rest, range):
            return range(fixed + rest.start, fixed + rest.stop, rest.step)
        return frozenset(fixed + length for length in rest)

    def pack(self, **values: Octets) -> bytes:
        """The body; raises :class:`Malformed` when a field has another length."""
        return b"".join(self.parts(**values))

    def parts(self, **values: Octets) -> list[Octets]:
        """The body's fields, none of them copied; raises as :meth:`pack` does."""
        for name, length in self.fields.items():
            exactly(values[name], length, name)
        parts = [values[name] for name in [*self.fields, *([self.rest_name] if self.rest else [])]]
        one_of(sum(map(len, parts)), self.lengths, "body")
        return parts

    def unpack(self, data: Octets) -> dict[str, Octets]:
        """Raises :class:`Malformed` when the length is not exactly right. What is large stays where it was received."""
        one_of(len(data), self.lengths, "body")
        values, start = dict[str, Octets](), 0
        for name, length in self.fields.items():
            values[name] = bytes(data[start : start + length])
            start += length
        if self.rest:
            rest = memoryview(data)[start:]
            values[self.rest_name] = rest if len(rest) > LARGE_BYTES else bytes(rest)
        return values


def pieces(parts: Iterable[Octets]) -> Iterator[Octets]:
    """The same octets in pieces that stay in the cache on their way through encryption and sockets."""
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), PIECE_BYTES):
            yield view[start : start + PIECE_BYTES]


def exactly(data: Octets, length: int, field: str) -> None:
    """Raises :class:`Malformed` unless ``data`` has ``length`` bytes."""
    if len(data) != length:
        raise Malformed(field=field, got=f"{len(data)} B", expected=f"{length} B")


def one_of(length: int, lengths: Lengths, field: str) -> None:
    """Raises :class:`Malformed` unless ``length`` is among ``lengths``."""
    if length not in lengths:
        raise Malformed(field=field, got=f"{length} B", expected=in_words(lengths))


def in_words(lengths: Lengths) -> str:
    """``lengths`` as an error names them."""
    if isinstance(lengths, range):
        return f"{lengths.start} B … {lengths[-1]} B by {lengths.step} B"
    return ", ".join(f"{known} B" for known in sorted(lengths))


SIGNED: Final = {"header": HEADER_BYTES, "signature": SIGNATURE_BYTES}
_ENROL_EVIDENCE: Final = frozenset(known.enrol_evidence_bytes for known in protections())
_VERIFY_EVIDENCE: Final = frozenset(known.verify_evidence_bytes for known in protections())

REQUESTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        "identity": Layout({}),
        "register_device": Layout(SIGNED | {"public_key": PUBLIC_POINT_BYTES}),
        "approve_device": Layout(SIGNED | {"device_id": ID_BYTES}),
        "revoke_device": Layout(SIGNED | {"device_id": ID_BYTES}),
        "issue_challenge": Layout(
            {"type": 1, "account": ID_BYTES, "device": ID_BYTES, "context_hash": HASH_BYTES, "suite": 1}
        ),
        "public_key": Layout({"key_fp": HASH_BYTES}),
        "enrol": Layout(SIGNED, _ENROL_EVIDENCE),
        "activate": Layout({"account": ID_BYTES, "epoch": 4, "template_hash": HASH_BYTES}),
        "verify": Layout(SIGNED, _VERIFY_EVIDENCE),
        "delete": Layout(SIGNED),
        "forget_account": Layout({"account": ID_BYTES}),
        "account_status": Layout({"account": ID_BYTES}),
        "audit_head": Layout({}),
    }
)
"""The request of every verb of ``KeyHolderApi``: POST ``/v1/<verb>`` with exactly these bytes.

The suite of a challenge is 0 where the challenge is for no enrolment.
"""


# --- answers ---------------------------------------------------------------------------------------------

T = TypeVar("T")
Reader = Callable[[object], Any]


def dump_error(error: KeyHolderError) -> bytes:
    """``{"code", "details"}``: all that is told about a failure."""
    return json.dumps({"code": error.code, "details": error.details}, separators=(",", ":")).encode("ascii")


def load_error(data: bytes) -> KeyHolderError:
    """The exception that :func:`dump_error` wrote; ``KeyHolderUnavailable`` for anything that is not one."""
    try:
        content = json.loads(data)
        details = {str(name): detail for name, detail in content["details"].items() if isinstance(detail, str | int)}
        return by_code()[content["code"]](**details)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return KeyHolderUnavailable()


def dump(value: Identity | DeviceRecord | Grant | AccountStatus | SignedHead) -> bytes:
    """One JSON object, bytes in hex."""
    return json.dumps(asdict(value), default=bytes.hex, separators=(",", ":")).encode("ascii")


def load(kind: type[T], data: bytes) -> T:
    """Read what :func:`dump` wrote; raises :class:`Malformed` for any other key, type, length or range."""
    exactly(data[ANSWER_LIMIT:], 0, "answer")
    try:
        return _object(kind)(json.loads(data))  # type: ignore[no-any-return]
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed(field=kind.__name__, got=type(error).__name__, expected="JSON") from error


def _object(kind: type[Any]) -> Reader:
    def read(value: object) -> Any:
        shape = _SHAPES[kind]
        if not isinstance(value, dict) or value.keys() != shape.keys():
            raise ValueError(kind.__name__)
        return kind(**{name: reader(value[name]) for name, reader in shape.items()})

    return read


def _hex(length: int) -> Reader:
    pattern = re.compile(f"[0-9a-f]{{{2 * length}}}")

    def read(value: object) -> bytes:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError("hex")
        return bytes.fromhex(value)

    return read


def _integer(bits: int) -> Reader:
    def read(value: object) -> int:
        if type(value) is not int or not 0 <= value < 1 << bits:
            raise ValueError("integer")
        return value

    return read


def _state(value: object) -> DeviceState:
    if value not in get_args(DeviceState):
        raise ValueError("state")
    return value  # type: ignore[return-value]


def _suite(value: object) -> Suite:
    return Suite(_integer(8)(value))


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("boolean")
    return value


def _or_none(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def _tuple_of(kind: type[Any]) -> Reader:
    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise TypeError("list")
        return tuple(_object(kind)(item) for item in value)

    return read


_U64: Final = _integer(64)
_SHAPES: Final[Mapping[type[Any], Mapping[str, Reader]]] = MappingProxyType(
    {
        Identity: {"public_key": _hex(PUBLIC_POINT_BYTES)},
        DeviceRecord: {"device_id": _hex(ID_BYTES), "state": _state, "active_from_ms": _U64},
        Grant: {
            "challenge": _hex(HASH_BYTES),
            "expires_ms": _U64,
            "key_cert": _or_none(_hex(KeyCert.BYTES)),
            "key_fp": _or_none(_hex(HASH_BYTES)),
            "epoch": _or_none(_integer(32)),
            "suite": _or_none(_suite),
            "template_hash": _or_none(_hex(HASH_BYTES)),
        },
        AccountStatus: {
            "epoch": _or_none(_integer(32)),
            "key_fp": _or_none(_hex(HASH_BYTES)),
            "template_hash": _or_none(_hex(HASH_BYTES)),
            "devices": _tuple_of(DeviceRecord),
            "disabled": _boolean,
            "retry_at_ms": _or_none(_U64),
        },
        SignedHead: {
            "index": _U64,
            "head": _hex(HASH_BYTES),
            "time_ms": _U64,
            "signature": _hex(SIGNATURE_BYTES),
        },
    }
)


def digest(message: bytes) -> bytes:
    """SHA-256 (32 B): how receipts and audit records name a message."""
    return sha256(message).digest()
