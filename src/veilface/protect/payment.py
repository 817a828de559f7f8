"""What a payment is bound to, and how anybody can check that it was (protocol §8).

A device shows payee and amount, and signs a header whose context is the hash of the 120-byte statement; the key
holder signs that the face behind this header was accepted. The five pieces together prove a payment without asking
a server.
"""

import struct
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from veilface.protect.envelope import (
    HASH_BYTES,
    ID_BYTES,
    Header,
    MessageType,
    Outcome,
    Receipt,
    sha256,
    verify_signature,
)
from veilface.protect.errors import MalformedEnvelope

STATEMENT_BYTES: Final = 120
CURRENCY_BYTES: Final = 3
MOST_DIGITS: Final = 8  # of a currency's minor unit; no currency has more than four


def payee_name_hash(name: str) -> bytes:
    """How the shown name of a payee stands in a statement: SHA-256 of its UTF-8 bytes."""
    return sha256(name.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStatement:
    """What is paid to whom: ``amount_minor`` units of 10^-``exponent`` ``currency``, once, before ``expires_ms``."""

    payee_id: bytes
    amount_minor: int
    currency: str
    exponent: int
    order_nonce: bytes
    payee_name_hash: bytes
    expires_ms: int

    MAGIC: ClassVar[bytes] = b"VFPAY001"
    _LAYOUT: ClassVar[struct.Struct] = struct.Struct(">8s16sQ3sB16s32sQ28s")
    _PADDING: ClassVar[bytes] = bytes(28)

    def __post_init__(self) -> None:
        _exactly(self.payee_id, ID_BYTES, "payee_id")
        _exactly(self.order_nonce, ID_BYTES, "order_nonce")
        _exactly(self.payee_name_hash, HASH_BYTES, "payee_name_hash")
        _between(self.amount_minor, 1, 2**64 - 1, "amount_minor")
        _between(self.exponent, 0, MOST_DIGITS, "exponent")
        _between(self.expires_ms, 0, 2**64 - 1, "expires_ms")
        code = self.currency
        if not (len(code) == CURRENCY_BYTES and code.isascii() and code.isalpha() and code.isupper()):
            raise MalformedEnvelope(field="currency", got=code[:8], expected="A-Z{3}")

    def to_bytes(self) -> bytes:
        """The 120 wire bytes."""
        return self._LAYOUT.pack(
            self.MAGIC,
            self.payee_id,
            self.amount_minor,
            self.currency.encode("ascii"),
            self.exponent,
            self.order_nonce,
            self.payee_name_hash,
            self.expires_ms,
            self._PADDING,
        )

    def context_hash(self) -> bytes:
        """What the header of the payment carries as its context (32 B)."""
        return sha256(self.to_bytes())

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read 120 wire bytes; raises :class:`MalformedEnvelope` on any deviation."""
        _exactly(data, STATEMENT_BYTES, "statement")
        magic, payee, amount, currency, exponent, nonce, name, expires_ms, padding = cls._LAYOUT.unpack(data)
        _same(magic, cls.MAGIC, "magic")
        _same(padding, cls._PADDING, "padding")
        return cls(
            payee_id=payee,
            amount_minor=amount,
            currency=currency.decode("latin-1"),
            exponent=exponent,
            order_nonce=nonce,
            payee_name_hash=name,
            expires_ms=expires_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentProof:
    """The five pieces that prove a payment; ``statement`` 120 B, ``header`` 256, ``signature`` 64, ``receipt`` 192."""

    statement: bytes
    header: bytes
    signature: bytes
    device_public_key: bytes
    receipt: bytes

    def verify(self, keyholder_public_key: bytes) -> PaymentStatement:
        """The statement that was paid; raises unless device and key holder both signed for exactly it, in time.

        :class:`BadSignature` for either signature; :class:`MalformedEnvelope` names the first field that does not
        fit. Whether ``device_public_key`` is the payer's is for whoever knows the payer to say.
        """
        statement, header = PaymentStatement.parse(self.statement), Header.parse(self.header)
        _same(header.type, MessageType.PAY, "type")
        verify_signature(self.device_public_key, self.header, self.signature)
        _same(header.context_hash, statement.context_hash(), "context_hash")
        receipt = Receipt.parse(self.receipt)
        receipt.verify(keyholder_public_key, header=self.header)
        _same(receipt.decision, MessageType.PAY, "decision")
        _same(receipt.outcome, Outcome.ACCEPTED, "class")
        _same(receipt.template_hash, header.template_hash, "template_hash")
        _between(receipt.time_ms, 0, statement.expires_ms, "time_ms")
        return statement


def _exactly(data: bytes, length: int, field: str) -> None:
    if len(data) != length:
        raise MalformedEnvelope(field=field, got=f"{len(data)} B", expected=f"{length} B")


def _between(value: int, least: int, most: int, field: str) -> None:
    if not least <= value <= most:
        raise MalformedEnvelope(field=field, got=value, expected=f"{least} to {most}")


def _same(got: bytes | int, expected: bytes | int, field: str) -> None:
    if got != expected:
        raise MalformedEnvelope(field=field, got=_shown(got), expected=_shown(expected))


def _shown(value: bytes | int) -> str | int:
    return value.hex() if isinstance(value, bytes) else int(value)
