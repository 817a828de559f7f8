"""The wallet on the JSON wire. Every amount is a whole number of minor units (fen)."""

from datetime import datetime
from typing import Annotated, Literal

from annotated_types import Len
from django.conf import settings
from ninja import Schema
from pydantic import Field, StringConstraints

from veilface.protect.payment import STATEMENT_BYTES
from veilface.server.accounts.schemas import ConfirmationFields
from veilface.server.wallet import limits, orders, payments
from veilface.server.wallet.models import Payment as PaymentRow
from veilface.server.wallet.models import Wallet as WalletRow
from veilface.server.wire import HeaderBytes, Identifier, PublicPoint, Request, SignatureBytes, WireBytes

Amount = Annotated[int, Field(ge=1, le=2**53 - 1)]
CodeText = Annotated[str, StringConstraints(max_length=200)]
Kind = Literal["top_up", "payment", "refund"]
State = Literal["pending", "posted", "voided", "expired"]
Direction = Literal["in", "out"]
StatementBytes = Annotated[WireBytes, Len(STATEMENT_BYTES, STATEMENT_BYTES)]


class WalletLimits(Schema):
    """At most so much; above ``face_only_max`` a payment needs the password or a passkey as well as the face."""

    payment_max: int
    payment_left_today: int
    face_only_max: int
    top_up_max: int

    @classmethod
    def of(cls, row: WalletRow) -> "WalletLimits":
        """The limits as they stand for this wallet."""
        return cls(
            payment_max=settings.WALLET_PAYMENT_MAX,
            payment_left_today=limits.payments_left(row),
            face_only_max=settings.WALLET_FACE_ONLY_MAX,
            top_up_max=settings.WALLET_TOP_UP_MAX,
        )


class Wallet(Schema):
    """``available`` is what may be spent: the balance less what pending payments hold back."""

    currency: str
    exponent: int
    balance: int
    held: int
    available: int
    limits: WalletLimits

    @classmethod
    def of(cls, row: WalletRow) -> "Wallet":
        """The wallet as it stands."""
        return cls(
            currency=row.currency,
            exponent=settings.WALLET_EXPONENT,
            balance=row.posted,
            held=row.held,
            available=row.available,
            limits=WalletLimits.of(row),
        )


class CodeRequest(Request):
    """A code to be paid by; without ``amount`` the payer chooses."""

    amount: Amount | None = None


class PayeeCode(Schema):
    """What to show as a QR code, from now, ``server_time_ms``, until ``expires_ms``."""

    code: str
    amount: int | None
    currency: str
    exponent: int
    expires_ms: int
    server_time_ms: int


class CodeReading(Request):
    """A code somebody showed."""

    code: CodeText


class Payee(Schema):
    """Who a code is of, and what they ask for."""

    payee_name: str
    amount: int | None
    currency: str
    exponent: int
    expires_ms: int


class OrderRequest(CodeReading):
    """Whom to pay, and how much where the code does not say."""

    amount: Amount | None = None


class Order(Schema):
    """What will be paid. The device makes the same ``statement`` (120 B) of what it shows, and signs its hash."""

    id: Identifier
    payee_id: Identifier
    payee_name: str
    amount: int
    currency: str
    exponent: int
    nonce: Identifier
    expires_ms: int
    statement: StatementBytes
    password_needed: bool

    @classmethod
    def of(cls, row: PaymentRow) -> "Order":
        """The order and its statement."""
        return cls.model_validate(
            {
                "id": row.id,
                "payee_id": row.payee_id,
                "payee_name": row.payee_name,
                "amount": row.amount,
                "currency": row.currency,
                "exponent": settings.WALLET_EXPONENT,
                "nonce": row.nonce,
                "expires_ms": row.expires_ms,
                "statement": orders.statement_of(row).to_bytes(),
                "password_needed": limits.needs_password(row.amount),
            }
        )


class PaymentChallengeRequest(ConfirmationFields):
    """Which device will sign; ``password`` or ``passkey`` – where the order needs one."""

    device_id: Identifier


class PaymentAnswer(Schema):
    """The key holder's answer and its signed receipt (192 B); ``payment_id`` once it is paid."""

    accepted: bool
    outcome: Literal["accepted", "not_accepted", "retry_later", "disabled"]
    retry_after_s: int
    receipt: WireBytes
    payment_id: Identifier | None


class Proof(Schema):
    """What proves the payment to anybody who knows the key holder's key (protocol §8)."""

    statement: StatementBytes
    header: HeaderBytes
    signature: SignatureBytes
    device_public_key: PublicPoint
    receipt: WireBytes


class Payment(Schema):
    """A payment that was made, for either side of it."""

    id: Identifier
    payer_name: str
    payee_name: str
    amount: int
    currency: str
    exponent: int
    refunded: int
    paid_at: datetime
    proof: Proof

    @classmethod
    def of(cls, row: PaymentRow) -> "Payment":
        """The payment with its proof."""
        proof = payments.proof_of(row)
        return cls.model_validate(
            {
                "id": row.id,
                "payer_name": row.payer.owner.display_name if row.payer.owner else "",
                "payee_name": row.payee_name,
                "amount": row.amount,
                "currency": row.currency,
                "exponent": settings.WALLET_EXPONENT,
                "refunded": row.refunded,
                "paid_at": row.transfer.settled_at if row.transfer else None,
                "proof": {name: getattr(proof, name) for name in Proof.model_fields},
            }
        )


class RefundRequest(ConfirmationFields):
    """How much to give back – all that is left where it is not said – confirmed by the payee."""

    amount: Amount | None = None


class TopUpRequest(Request):
    """How much to ask of the provider."""

    amount: Amount


class Movement(Schema):
    """One transfer as the wallet's owner sees it; ``counterpart`` is empty for a provider or a deleted account."""

    id: Identifier
    kind: Kind
    state: State
    direction: Direction
    amount: int
    currency: str
    counterpart: str
    payment_id: Identifier | None
    created_at: datetime
    settled_at: datetime | None


class Movements(Schema):
    """A page of the history, newest first; ``after`` asks for the next one, null – there is none."""

    movements: list[Movement]
    after: Identifier | None
