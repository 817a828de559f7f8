"""The signed envelope of protocol §3 and §4: header, key certificate, receipt, contexts.

Everything is fixed-size and big-endian. Parsing is strict: what does not round-trip to the same bytes is
refused with :class:`~veilface.protect.errors.MalformedEnvelope`. A check that fails raises.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Literal, Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from veilface.protect.errors import BadSignature, BodyMismatch, MalformedEnvelope
from veilface.protect.suites import Suite

HEADER_BYTES: Final = 256
SIGNATURE_BYTES: Final = 64
PUBLIC_POINT_BYTES: Final = 65
ID_BYTES: Final = 16
HASH_BYTES: Final = 32
ZERO_HASH: Final = bytes(HASH_BYTES)
ZERO_ID: Final = bytes(ID_BYTES)

LABEL_LOGIN: Final = b"VFLOGIN"
LABEL_ENROL: Final = b"VFENROL"
LABEL_DELETE: Final = b"VFDELETE"
LABEL_DEVICE: Final = b"VFDEVICE"
LABEL_REVOKE: Final = b"VFREVOKE"
LABEL_GALLERY: Final = b"VFGALLERY"
LABEL_SEARCH: Final = b"VFSEARCH"


class MessageType(IntEnum):
    """What a header asks for; the type is signed, so a login is no payment."""

    ENROL = 10
    VERIFY = 11
    PAY = 12
    IDENTIFY = 13
    GALLERY_OPT_IN = 14
    REVOKE = 15
    DELETE = 16
    DEVICE = 17


class KeyPurpose(IntEnum):
    """What a certified key may be used for."""

    ACCOUNT = 1
    GALLERY = 2


class Outcome(IntEnum):
    """The class of a receipt: all that leaves the key holder about a decision."""

    ACCEPTED = 0
    NOT_ACCEPTED = 1
    RETRY_LATER = 2
    DISABLED = 3


Kind = TypeVar("Kind", bound=IntEnum)


def sha256(data: bytes) -> bytes:
    """The 32-byte digest used throughout the protocol."""
    return hashlib.sha256(data).digest()


# --- contexts --------------------------------------------------------------------------------------------


def context_hash(label: bytes, origin: str, binding: bytes) -> bytes:
    """What a login, enrolment or deletion is bound to: label ‖ origin ‖ 32-byte session binding."""
    _exactly(binding, HASH_BYTES, "binding")
    return sha256(label + origin.encode() + binding)


def device_context(public_key: bytes, device_id: bytes) -> bytes:
    """The context of a device's registration and of its approval by another device."""
    _exactly(public_key, PUBLIC_POINT_BYTES, "public_key")
    _exactly(device_id, ID_BYTES, "device_id")
    return sha256(LABEL_DEVICE + public_key + device_id)


def revocation_context(device_id: bytes) -> bytes:
    """The context of the revocation of ``device_id``."""
    _exactly(device_id, ID_BYTES, "device_id")
    return sha256(LABEL_REVOKE + device_id)


def gallery_context(gallery: bytes, act: Literal["in", "out", "register"]) -> bytes:
    """What a message of type 14 is bound to: joining a gallery, leaving it, or a kiosk's registering of somebody."""
    _exactly(gallery, ID_BYTES, "gallery")
    return sha256(LABEL_GALLERY + gallery + act.encode())


def search_context(gallery: bytes) -> bytes:
    """What a kiosk's search (type 13) is bound to."""
    _exactly(gallery, ID_BYTES, "gallery")
    return sha256(LABEL_SEARCH + gallery)


# --- header ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The 256 bytes a device signs. Ids are 16 bytes, hashes 32; fields that do not apply are zero.

    ``suite`` – the protection of the template in question; the first one where the message is about none.
    """

    type: MessageType
    account_id: bytes
    device_id: bytes
    challenge: bytes
    issued_ms: int
    context_hash: bytes
    body_hash: bytes
    suite: Suite = Suite.HOMOMORPHIC
    key_fp: bytes = ZERO_HASH
    model_fp: bytes = ZERO_HASH
    template_hash: bytes = ZERO_HASH

    MAGIC: ClassVar[bytes] = b"VFC1"
    _LAYOUT: ClassVar[struct.Struct] = struct.Struct(">4sBBH16s16s32s32s32sQ32s32s32s16s")

    def __post_init__(self) -> None:
        for name in ("account_id", "device_id"):
            _exactly(getattr(self, name), ID_BYTES, name)
        for name in ("key_fp", "model_fp", "challenge", "context_hash", "body_hash", "template_hash"):
            _exactly(getattr(self, name), HASH_BYTES, name)
        _unsigned(self.issued_ms, 64, "issued_ms")

    def to_bytes(self) -> bytes:
        """The 256 wire bytes."""
        return self._LAYOUT.pack(
            self.MAGIC,
            self.type,
            self.suite,
            0,
            self.account_id,
            self.device_id,
            self.key_fp,
            self.model_fp,
            self.challenge,
            self.issued_ms,
            self.context_hash,
            self.body_hash,
            self.template_hash,
            ZERO_ID,
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read 256 wire bytes; raises :class:`MalformedEnvelope` on any deviation."""
        _exactly(data, HEADER_BYTES, "header")
        magic, kind, suite, zero, account, device, key_fp, model_fp, *rest = cls._LAYOUT.unpack(data)
        challenge, issued_ms, context, body, template, padding = rest
        _equal(magic, cls.MAGIC, "magic")
        _equal(zero, 0, "zero")
        _equal(padding, ZERO_ID, "padding")
        return cls(
            type=_member(MessageType, kind, "type"),
            suite=_member(Suite, suite, "suite"),
            account_id=account,
            device_id=device,
            key_fp=key_fp,
            model_fp=model_fp,
            challenge=challenge,
            issued_ms=issued_ms,
            context_hash=context,
            body_hash=body,
            template_hash=template,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMessage:
    """``H ‖ signature ‖ body``, taken apart; the body is the one the header names, nothing else is checked."""

    header: Header
    header_bytes: bytes
    signature: bytes
    body: bytes


def join_message(*, header: bytes, signature: bytes, body: bytes) -> bytes:
    """``H ‖ signature ‖ body`` as it goes over the wire."""
    _exactly(header, HEADER_BYTES, "header")
    _exactly(signature, SIGNATURE_BYTES, "signature")
    return header + signature + body


def split_message(data: bytes, *, body_bytes: int | Mapping[Suite, int]) -> SignedMessage:
    """Take a message apart whose body has this length, or that of its header's suite.

    Raises :class:`MalformedEnvelope` for a wrong length or header and :class:`BodyMismatch` where the
    body's SHA-256 is not the header's body_hash.
    """
    header_bytes, rest = data[:HEADER_BYTES], data[HEADER_BYTES:]
    header, body = Header.parse(header_bytes), rest[SIGNATURE_BYTES:]
    expected = body_bytes if isinstance(body_bytes, int) else body_bytes[header.suite]
    _exactly(data, HEADER_BYTES + SIGNATURE_BYTES + expected, "message")
    if sha256(body) != header.body_hash:
        raise BodyMismatch
    return SignedMessage(header=header, header_bytes=header_bytes, signature=rest[:SIGNATURE_BYTES], body=body)


# --- signatures ------------------------------------------------------------------------------------------


def public_point(key: ec.EllipticCurvePublicKey) -> bytes:
    """The 65-byte uncompressed P-256 point of a public key."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(private_key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """ECDSA P-256 with SHA-256 over ``data``, as raw r ‖ s (64 bytes)."""
    r, s = decode_dss_signature(private_key.sign(data, ec.ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign_header(private_key: ec.EllipticCurvePrivateKey, header: Header) -> bytes:
    """A device's signature over its header, raw r ‖ s (64 bytes)."""
    return sign(private_key, header.to_bytes())


def verify_signature(public_key: bytes, data: bytes, signature: bytes, *, signer: str = "device") -> None:
    """Raise :class:`BadSignature` unless ``signature`` (64 bytes) is that of ``public_key`` (65) over ``data``.

    A public key that is no point of P-256 raises :class:`MalformedEnvelope`.
    """
    key = load_public_point(public_key)
    if len(signature) != SIGNATURE_BYTES:
        raise BadSignature(signer=signer)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(SHA256()))
    except InvalidSignature as refused:
        raise BadSignature(signer=signer) from refused


def load_public_point(data: bytes) -> ec.EllipticCurvePublicKey:
    """Read a 65-byte uncompressed point; raises :class:`MalformedEnvelope` if it is not on P-256."""
    _exactly(data, PUBLIC_POINT_BYTES, "public_key")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)
    except ValueError as refused:
        raise MalformedEnvelope(field="public_key", got=data[:4].hex(), expected="P-256") from refused


# --- what the key holder signs ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCert:
    """The key holder's word that a public key of a suite belongs to an account. Times are in milliseconds."""

    purpose: KeyPurpose
    subject_id: bytes
    epoch: int
    not_before: int
    not_after: int
    key_fp: bytes
    suite: Suite = Suite.HOMOMORPHIC
    signature: bytes = bytes(SIGNATURE_BYTES)

    MAGIC: ClassVar[bytes] = b"VFKC"
    BYTES: ClassVar[int] = 138
    _LAYOUT: ClassVar[struct.Struct] = struct.Struct(">4sBB16sIQQ32s")

    def __post_init__(self) -> None:
        _exactly(self.subject_id, ID_BYTES, "subject_id")
        _exactly(self.key_fp, HASH_BYTES, "key_fp")
        _exactly(self.signature, SIGNATURE_BYTES, "signature")
        _unsigned(self.epoch, 32, "epoch")
        _unsigned(self.not_before, 64, "not_before")
        _unsigned(self.not_after, 64, "not_after")

    def unsigned_bytes(self) -> bytes:
        """The 74 bytes under the signature."""
        return self._LAYOUT.pack(
            self.MAGIC,
            self.suite,
            self.purpose,
            self.subject_id,
            self.epoch,
            self.not_before,
            self.not_after,
            self.key_fp,
        )

    def to_bytes(self) -> bytes:
        """The 138 wire bytes, signature last."""
        return self.unsigned_bytes() + self.signature

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read 138 wire bytes; raises :class:`MalformedEnvelope`. The signature is not checked here."""
        _exactly(data, cls.BYTES, "key_cert")
        magic, suite, purpose, subject, epoch, begin, end, key_fp = cls._LAYOUT.unpack(data[:-SIGNATURE_BYTES])
        _equal(magic, cls.MAGIC, "magic")
        return cls(
            suite=_member(Suite, suite, "suite"),
            purpose=_member(KeyPurpose, purpose, "purpose"),
            subject_id=subject,
            epoch=epoch,
            not_before=begin,
            not_after=end,
            key_fp=key_fp,
            signature=data[-SIGNATURE_BYTES:],
        )

    def verify(self, keyholder_public_key: bytes) -> None:
        """Raise :class:`BadSignature` unless the pinned key holder signed this certificate."""
        verify_signature(keyholder_public_key, self.unsigned_bytes(), self.signature, signer="keyholder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The key holder's signed answer to one header; ``time_ms`` is milliseconds since 1970, UTC."""

    header_hash: bytes
    template_hash: bytes
    decision: MessageType
    outcome: Outcome
    consecutive_failures: int
    total_decisions: int
    time_ms: int
    log_index: int
    log_head: bytes
    signature: bytes = bytes(SIGNATURE_BYTES)

    MAGIC: ClassVar[bytes] = b"VFRC"
    BYTES: ClassVar[int] = 192
    _LAYOUT: ClassVar[struct.Struct] = struct.Struct(">4s32s32sBBHQQQ32s")

    def __post_init__(self) -> None:
        for name in ("header_hash", "template_hash", "log_head"):
            _exactly(getattr(self, name), HASH_BYTES, name)
        _exactly(self.signature, SIGNATURE_BYTES, "signature")
        _unsigned(self.consecutive_failures, 16, "consecutive_failures")
        for name in ("total_decisions", "time_ms", "log_index"):
            _unsigned(getattr(self, name), 64, name)

    def unsigned_bytes(self) -> bytes:
        """The 128 bytes under the signature."""
        return self._LAYOUT.pack(
            self.MAGIC,
            self.header_hash,
            self.template_hash,
            self.decision,
            self.outcome,
            self.consecutive_failures,
            self.total_decisions,
            self.time_ms,
            self.log_index,
            self.log_head,
        )

    def to_bytes(self) -> bytes:
        """The 192 wire bytes, signature last."""
        return self.unsigned_bytes() + self.signature

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read 192 wire bytes; raises :class:`MalformedEnvelope`. The signature is not checked here."""
        _exactly(data, cls.BYTES, "receipt")
        magic, header, template, decision, outcome, *rest = cls._LAYOUT.unpack(data[:-SIGNATURE_BYTES])
        failures, total, time_ms, log_index, log_head = rest
        _equal(magic, cls.MAGIC, "magic")
        return cls(
            header_hash=header,
            template_hash=template,
            decision=_member(MessageType, decision, "decision"),
            outcome=_member(Outcome, outcome, "class"),
            consecutive_failures=failures,
            total_decisions=total,
            time_ms=time_ms,
            log_index=log_index,
            log_head=log_head,
            signature=data[-SIGNATURE_BYTES:],
        )

    def verify(self, keyholder_public_key: bytes, *, header: bytes) -> None:
        """Raise unless the pinned key holder signed this receipt and it answers exactly ``header``.

        :class:`BadSignature` for the first, :class:`MalformedEnvelope` (field header_hash) for the second.
        """
        verify_signature(keyholder_public_key, self.unsigned_bytes(), self.signature, signer="keyholder")
        _equal(self.header_hash, sha256(header), "header_hash")


# --- the small checks ------------------------------------------------------------------------------------


def _exactly(data: bytes, length: int, field: str) -> None:
    if len(data) != length:
        raise MalformedEnvelope(field=field, got=f"{len(data)} B", expected=f"{length} B")


def _unsigned(value: int, bits: int, field: str) -> None:
    if not 0 <= value < 1 << bits:
        raise MalformedEnvelope(field=field, got=value, expected=f"u{bits}")


def _equal(got: bytes | int, expected: bytes | int, field: str) -> None:
    if got != expected:
        raise MalformedEnvelope(field=field, got=_shown(got), expected=_shown(expected))


def _member(kind: type[Kind], value: int, field: str) -> Kind:
    try:
        return kind(value)
    except ValueError as refused:
        known = ", ".join(str(int(member)) for member in kind)
        raise MalformedEnvelope(field=field, got=value, expected=known) from refused


def _shown(value: bytes | int) -> str | int:
    return value.hex() if isinstance(value, bytes) else value
