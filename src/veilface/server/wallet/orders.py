"""Orders: what will be paid to whom, fixed before anybody looks into a camera."""

import secrets
from datetime import timedelta
from typing import Final

from django.conf import settings

from veilface.protect.payment import PaymentStatement, payee_name_hash
from veilface.server.accounts import confirming, throttle
from veilface.server.accounts.confirming import Confirmation
from veilface.server.accounts.messages import now_ms
from veilface.server.accounts.models import Account
from veilface.server.errors import NotFound
from veilface.server.wallet import ledger, limits, payee_codes
from veilface.server.wallet.errors import (
    AmountOutOfRange,
    OrderExpired,
    OrderPaid,
    OtherAmount,
    PaymentNeedsPassword,
)
from veilface.server.wallet.models import Payment

NONCE_BYTES: Final = 16
KEPT: Final = timedelta(days=1)
ORDERS: Final = throttle.Limit(scope="order", attempts=60, seconds=60)


def make(account: Account, *, code: str, amount: int | None) -> Payment:
    """An order to pay whoever showed ``code``; ``amount`` in minor units, None where the code names it."""
    throttle.spend(ORDERS, account.id)
    payer, said = ledger.wallet_of(account), payee_codes.read(code)
    payee = payee_codes.payee_of(said, payer=payer)
    if said.amount is not None and amount not in {None, said.amount}:
        raise OtherAmount(got=amount or 0, expected=said.amount)
    wanted = said.amount or amount
    if wanted is None:
        raise AmountOutOfRange(got=0, limit=settings.WALLET_PAYMENT_MAX)
    limits.check_payment(payer, wanted)
    return Payment.objects.create(
        payer=payer,
        payee=payee,
        payee_name=payee.owner.display_name if payee.owner else "",
        amount=wanted,
        currency=settings.WALLET_CURRENCY,
        nonce=secrets.token_hex(NONCE_BYTES),
        expires_ms=now_ms() + settings.WALLET_ORDER_S * 1000,
    )


def find(account: Account, order_id: str) -> Payment:
    """The account's own order; raises :class:`NotFound`."""
    order = Payment.objects.select_related("payer", "payee__owner").filter(id=order_id, payer__owner=account).first()
    if order is None:
        raise NotFound
    return order


def check_payable(order: Payment) -> None:
    """Raise unless the order is unpaid, in time, and – where the face alone is not enough – it was confirmed."""
    if order.state == Payment.State.PAID:
        raise OrderPaid
    if order.expires_ms <= now_ms():
        raise OrderExpired
    if limits.needs_password(order.amount) and not order.confirmed:
        raise PaymentNeedsPassword(limit=settings.WALLET_FACE_ONLY_MAX)


def confirm(account: Account, order: Payment, confirmation: Confirmation) -> None:
    """Take password or passkey where the order needs one, then see that the order is payable."""
    if confirmation.given and limits.needs_password(order.amount):
        confirming.require(account, confirmation)
        Payment.objects.filter(pk=order.pk).update(confirmed=True)
        order.confirmed = True
    check_payable(order)


def statement_of(order: Payment) -> PaymentStatement:
    """The 120 bytes that the device shows and signs for."""
    return PaymentStatement(
        payee_id=bytes.fromhex(order.payee_id),
        amount_minor=order.amount,
        currency=order.currency,
        exponent=settings.WALLET_EXPONENT,
        order_nonce=bytes.fromhex(order.nonce),
        payee_name_hash=payee_name_hash(order.payee_name),
        expires_ms=order.expires_ms,
    )


def forget_old() -> int:
    """Delete orders that nobody ever tried to pay, a day after they expired; the number of rows."""
    limit = now_ms() - int(KEPT.total_seconds() * 1000)
    untried = Payment.objects.filter(state=Payment.State.OPEN, transfer=None, expires_ms__lt=limit)
    return untried.delete()[0]
