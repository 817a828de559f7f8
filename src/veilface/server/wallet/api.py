"""The wallet over HTTP. What moves money carries an ``Idempotency-Key`` and may be repeated without harm."""

from datetime import datetime
from typing import Annotated

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Header, Query, Router, Schema, Status
from pydantic import Field

from veilface.server.access import SIGNED_IN, caller, confirmation
from veilface.server.accounts import confirming
from veilface.server.accounts.messages import now_ms
from veilface.server.enrolment.schemas import Challenge
from veilface.server.octets import octets_in, read_octets
from veilface.server.wallet import history, ledger, orders, payee_codes, payments, refunds, topups
from veilface.server.wallet.idempotency import Claim, Once, once
from veilface.server.wallet.models import Wallet as WalletRow
from veilface.server.wallet.schemas import (
    CodeReading,
    CodeRequest,
    Direction,
    Kind,
    Movement,
    Movements,
    Order,
    OrderRequest,
    Payee,
    PayeeCode,
    Payment,
    PaymentAnswer,
    PaymentChallengeRequest,
    RefundRequest,
    State,
    TopUpRequest,
    Wallet,
)
from veilface.server.wire import Identifier, Json

router = Router(tags=["wallet"], auth=SIGNED_IN)

Key = Annotated[str, Header(alias="Idempotency-Key", min_length=16, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
REPLAYED = "Idempotency-Replayed"


class HistoryQuery(Schema):
    """Which movements; ``after`` – the identifier that the page before ended with."""

    kind: Kind | None = None
    state: State | None = None
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: Identifier | None = None
    limit: Annotated[int, Field(ge=1, le=history.LARGEST_PAGE)] = history.PAGE


@router.get("/wallet", response=Wallet)
def read_wallet(request: HttpRequest) -> Wallet:
    """The balance, and what may be paid."""
    return Wallet.of(_wallet(request))


@router.post("/wallet/codes", response={201: PayeeCode})
def make_code(request: HttpRequest, body: CodeRequest) -> Status[PayeeCode]:
    """A code to be paid by, good for some minutes. It names no account, and no two of them look alike."""
    code, said = payee_codes.make(ledger.wallet_of(caller(request).account), amount=body.amount)
    shown = PayeeCode(code=code, amount=said.amount, expires_ms=said.expires_ms, server_time_ms=now_ms(), **_currency())
    return Status(201, shown)


@router.post("/wallet/codes/reading", response=Payee)
def read_code(request: HttpRequest, body: CodeReading) -> Payee:
    """Whom a code pays."""
    said = payee_codes.read(body.code)
    payee = payee_codes.payee_of(said, payer=ledger.wallet_of(caller(request).account))
    name = payee.owner.display_name if payee.owner else ""
    return Payee(payee_name=name, amount=said.amount, expires_ms=said.expires_ms, **_currency())


@router.post("/wallet/orders", response={201: Order})
def make_order(request: HttpRequest, body: OrderRequest) -> Status[Order]:
    """Fix whom to pay how much, for five minutes. Nothing is paid yet."""
    return Status(201, Order.of(orders.make(caller(request).account, code=body.code, amount=body.amount)))


@router.post("/wallet/orders/{order_id}/challenge", response=Challenge)
def allow_payment(request: HttpRequest, order_id: Identifier, body: PaymentChallengeRequest) -> Challenge:
    """Permission, for 90 s, to sign the one message that may pay this order."""
    grant, movements = payments.allow(
        caller(request).account,
        order_id=order_id,
        device_id=body.device_id,
        confirmation=confirmation(request, body),
    )
    return Challenge.of(grant, server_time_ms=now_ms(), movements=movements)


@router.post(
    "/wallet/orders/{order_id}/payment", response=PaymentAnswer, openapi_extra=octets_in(payments.PAYMENT_LENGTHS)
)
def pay(request: HttpRequest, response: HttpResponse, order_id: Identifier, key: Key) -> PaymentAnswer:
    """Pay the order by face. The body is `H‖signature‖P` of type 12, its context the hash of the order's statement."""
    account = caller(request).account
    data = read_octets(request, lengths=payments.PAYMENT_LENGTHS)
    done = once(
        account,
        key=key,
        request=b"pay " + order_id.encode() + b" " + data,
        work=lambda claim: payments.pay(account, order_id=order_id, data=data, claim=claim),
    )
    return PaymentAnswer.model_validate(_told(response, done))


@router.get("/wallet/payments/{payment_id}", response=Payment)
def read_payment(request: HttpRequest, payment_id: Identifier) -> Payment:
    """A payment one made or received, with everything that proves it."""
    return Payment.of(payments.find_paid(caller(request).account, payment_id))


@router.post("/wallet/payments/{payment_id}/refunds", response={201: Movement})
def refund(
    request: HttpRequest, response: HttpResponse, payment_id: Identifier, body: RefundRequest, key: Key
) -> Status[Movement]:
    """Give a payment one received back, in part or in whole."""
    account = caller(request).account

    def work(claim: Claim) -> Json:
        # Within the claim: a passkey signs once, so whoever sends the same again must not be asked for it.
        confirming.require(account, confirmation(request, body))
        return refunds.give_back(account, payment_id=payment_id, amount=body.amount, claim=claim)

    done = once(account, key=key, request=f"refund {payment_id} {body.amount}".encode(), work=work)
    return Status(201, Movement.model_validate(_told(response, done)))


@router.post("/wallet/top-ups", response={202: Movement})
def top_up(request: HttpRequest, response: HttpResponse, body: TopUpRequest, key: Key) -> Status[Movement]:
    """Ask the provider for money. It arrives when the provider says so: the movement is pending until then."""
    account = caller(request).account
    done = once(
        account,
        key=key,
        request=f"top up {body.amount}".encode(),
        work=lambda claim: topups.begin(account, amount=body.amount, claim=claim),
    )
    return Status(202, Movement.model_validate(_told(response, done)))


@router.get("/wallet/movements", response=Movements)
def list_movements(request: HttpRequest, query: Query[HistoryQuery]) -> Movements:
    """The history, newest first."""
    wanted = history.Filter(
        kind=query.kind, state=query.state, direction=query.direction, since=query.since, until=query.until
    )
    page = history.page(_wallet(request), wanted, after=query.after, limit=query.limit)
    return Movements.model_validate(page, from_attributes=True)


@router.get("/wallet/movements/{movement_id}", response=Movement)
def read_movement(request: HttpRequest, movement_id: Identifier) -> Movement:
    """One movement as it stands now."""
    return Movement.model_validate(history.one(_wallet(request), movement_id), from_attributes=True)


def _wallet(request: HttpRequest) -> WalletRow:
    """The caller's wallet, after what became due was done."""
    wallet = ledger.wallet_of(caller(request).account)
    topups.settle_due(wallet)
    ledger.expire_due(wallet)
    wallet.refresh_from_db()
    return wallet


def _currency() -> Json:
    return {"currency": settings.WALLET_CURRENCY, "exponent": settings.WALLET_EXPONENT}


def _told(response: HttpResponse, done: Once) -> Json:
    if done.replayed:
        response[REPLAYED] = "true"
    return done.content
