"""Paying an order by face (protocol §8).

The money is held first, then the key holder is asked about the face, then the transfer is posted – if everything that
was signed is about exactly this order – or given back. Killed in between, the hold expires and nothing was paid.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from veilface.keyholder.errors import ChallengeReplayed
from veilface.keyholder.messages import Grant
from veilface.protect.envelope import MessageType, Outcome, SignedMessage
from veilface.protect.payment import PaymentProof
from veilface.server import keyholding, relaying
from veilface.server.accounts.confirming import Confirmation
from veilface.server.accounts.models import Account
from veilface.server.base64url import encode
from veilface.server.enrolment import challenges
from veilface.server.enrolment.services import CheckedMessage, check
from veilface.server.errors import NotFound
from veilface.server.recognition import liveness
from veilface.server.recognition import services as recognition
from veilface.server.recognition.services import Stopwatch, Verdict
from veilface.server.wallet import ledger, limits, orders
from veilface.server.wallet.errors import (
    OrderBusy,
    OtherStatement,
    PayeeGone,
    PaymentInterrupted,
    TransferSettled,
)
from veilface.server.wallet.idempotency import Claim
from veilface.server.wallet.models import Payment, Transfer
from veilface.server.wire import Json

PAYMENT_LENGTHS = liveness.LENGTHS


def allow(
    account: Account, *, order_id: str, device_id: str, confirmation: Confirmation
) -> tuple[Grant, list[liveness.Movement]]:
    """A challenge for the one message that may pay this order, and the movements of its liveness check.

    Takes the second factor where the order needs it.
    """
    order = orders.find(account, order_id)
    orders.confirm(account, order, confirmation)
    context = orders.statement_of(order).context_hash()
    plan = liveness.drawn("payment")
    grant = challenges.issue_for_payment(account, device_id=device_id, context_hash=context, liveness=plan)
    return grant, liveness.read(plan)


def pay(account: Account, *, order_id: str, data: bytes, claim: Claim) -> Json:
    """Pay the order by ``H ‖ signature ‖ P``; the answer says what came of it and brings the key holder's receipt.

    Only an accepted face moves money. Whatever is raised, none was moved.
    """
    order = orders.find(account, order_id)
    orders.check_payable(order)
    message, record = liveness.split(data)
    checked = _checked(account, order, message, claim)
    liveness.check(checked.challenge.liveness, record)
    transfer = _hold(order)
    with _given_back_on_failure(order, transfer):
        verdict = recognition.judge(account, checked, Stopwatch())
    with relaying.carrying(verdict.receipt):
        return _conclude(order, transfer, checked, verdict, claim)


def proof_of(payment: Payment) -> PaymentProof:
    """What proves a paid payment to anybody who knows the key holder's public key."""
    return PaymentProof(
        statement=orders.statement_of(payment).to_bytes(),
        header=bytes(payment.header),
        signature=bytes(payment.signature),
        device_public_key=bytes.fromhex(payment.device_public_key),
        receipt=bytes(payment.receipt),
    )


def find_paid(account: Account, payment_id: str) -> Payment:
    """A paid payment that this account made or received; raises :class:`NotFound` for every other."""
    joined = Payment.objects.select_related("payer__owner", "payee__owner", "transfer")
    payment = joined.filter(id=payment_id, state=Payment.State.PAID).first()
    if payment is None or account.id not in {payment.payer.owner_id, payment.payee.owner_id}:
        raise NotFound
    return payment


def _checked(account: Account, order: Payment, message: SignedMessage, claim: Claim) -> CheckedMessage:
    """The message, if it was signed for this very order and never came before."""
    expected = orders.statement_of(order).context_hash()
    if message.header.context_hash != expected:
        raise OtherStatement
    try:
        return check(account, message, type_=MessageType.PAY, context=expected)
    except ChallengeReplayed:
        if claim.again:  # this very request spent it, then the server stopped
            raise PaymentInterrupted from None
        raise


def _hold(order: Payment) -> Transfer:
    """Keep the money back, and the order with it: of two messages for one order, one goes on."""
    ledger.expire_due(order.payer)
    with ledger.locked(order.payer_id, order.payee_id):
        row = Payment.objects.select_for_update().select_related("transfer", "payer", "payee").get(pk=order.pk)
        orders.check_payable(row)
        if row.transfer is not None and row.transfer.state == Transfer.State.PENDING:
            raise OrderBusy
        if row.payee.owner_id is None:
            raise PayeeGone
        limits.check_payment(row.payer, row.amount)
        transfer = ledger.hold(
            kind=Transfer.Kind.PAYMENT,
            source=row.payer,
            target=row.payee,
            amount=row.amount,
            expires_at=timezone.now() + timedelta(seconds=settings.WALLET_HOLD_S),
        )
        Payment.objects.filter(pk=row.pk).update(state=Payment.State.PAYING, transfer=transfer)
    return transfer


@contextmanager
def _given_back_on_failure(order: Payment, transfer: Transfer) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with relaying.unimportant("give_back"):  # else the hold expires by itself
            _give_back(order, transfer)
        raise


def _give_back(order: Payment, transfer: Transfer) -> None:
    with ledger.locked(order.payer_id, order.payee_id):
        with suppress(TransferSettled):  # it expired
            ledger.void(transfer)
        mine = Payment.objects.filter(pk=order.pk, state=Payment.State.PAYING, transfer=transfer)
        mine.update(state=Payment.State.OPEN, transfer=None)


def _conclude(order: Payment, transfer: Transfer, checked: CheckedMessage, verdict: Verdict, claim: Claim) -> Json:
    accepted = verdict.outcome is Outcome.ACCEPTED
    answer = {
        "accepted": accepted,
        "outcome": verdict.outcome.name.lower(),
        "retry_after_s": verdict.retry_after_s,
        "receipt": encode(verdict.receipt),
        "payment_id": order.id if accepted else None,
    }
    with _given_back_on_failure(order, transfer), ledger.locked(order.payer_id, order.payee_id):
        if accepted:
            _execute(order, transfer, checked, verdict.receipt)
        else:
            _give_back(order, transfer)
        claim.answer(answer)
    return answer


def _execute(order: Payment, transfer: Transfer, checked: CheckedMessage, receipt: bytes) -> None:
    """The four conditions of protocol §8, read from the rows that are executed, then the money; all of it or nothing.

    (a) a registered device of the payer signed, (b) the key holder accepted this header, (c) both are about the
    statement that is executed, (d) whose nonce is unused and in time.
    """
    message, device = checked.message, checked.device
    row = Payment.objects.select_for_update().select_related("payer").get(pk=order.pk)
    paid = {
        "header": message.header_bytes,
        "signature": message.signature,
        "device_public_key": device.public_key,
        "receipt": receipt,
    }
    for field, value in paid.items():
        setattr(row, field, value)
    proof_of(row).verify(keyholding.pinned_public_key())
    if device.account_id != row.payer.owner_id or message.header.account_id != device.account.wire_id:
        raise OtherStatement
    orders.check_payable(row)
    ledger.post(transfer)
    mine = Payment.objects.filter(pk=row.pk, state=Payment.State.PAYING, transfer=transfer)
    if not mine.update(state=Payment.State.PAID, **paid):
        raise TransferSettled
