"""Refunds: the payee gives a payment back, in part or in whole, never more than was paid."""

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from veilface.server.accounts.models import Account
from veilface.server.errors import NotFound
from veilface.server.wallet import history, ledger
from veilface.server.wallet.errors import NothingToRefund, PayeeGone
from veilface.server.wallet.idempotency import Claim
from veilface.server.wallet.models import Payment, Refund, Transfer
from veilface.server.wire import Json


def give_back(account: Account, *, payment_id: str, amount: int | None, claim: Claim) -> Json:
    """Give ``amount`` minor units, or all that is left, back to the payer; the movement.

    Raises :class:`NotFound` for whatever this account was not paid, :class:`NothingToRefund`, :class:`NotEnoughMoney`,
    :class:`PayeeGone`.
    """
    paid = Payment.objects.select_related("payer", "payee")
    payment = paid.filter(id=payment_id, payee__owner=account, state=Payment.State.PAID).first()
    if payment is None:
        raise NotFound
    if payment.payer.owner_id is None:
        raise PayeeGone
    with ledger.locked(payment.payer_id, payment.payee_id):
        back = _claim_from(payment, amount)
        transfer = ledger.hold(
            kind=Transfer.Kind.REFUND,
            source=payment.payee,
            target=payment.payer,
            amount=back,
            expires_at=timezone.now() + timedelta(seconds=settings.WALLET_HOLD_S),
        )
        ledger.post(transfer)
        Refund.objects.create(transfer=transfer, payment=payment)
        answer = history.movement(transfer, payment.payee).to_json()
        claim.answer(answer)
    return answer


def _claim_from(payment: Payment, amount: int | None) -> int:
    """Count the refund against the payment, by one conditional statement; how much it is."""
    payment.refresh_from_db(fields=["refunded"])
    left = payment.amount - payment.refunded
    back = left if amount is None else amount
    room = Payment.objects.filter(pk=payment.pk, refunded__lte=F("amount") - back)
    if back < 1 or not room.update(refunded=F("refunded") + back):
        raise NothingToRefund(left=left)
    return back
