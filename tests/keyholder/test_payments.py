"""A payment is judged as a login is, and is never taken for one."""

from tests.keyholder.people import FACE, STRANGER, Clock, Person, Vector
from veilface.keyholder.core import KeyHolder
from veilface.protect.envelope import MessageType, Outcome, Receipt, sha256

STATEMENT = sha256(b"what is paid to whom")


def paid(person: Person, face: Vector = FACE) -> Receipt:
    signed = person.verification(face, type_=MessageType.PAY, context=STATEMENT)
    receipt = Receipt.parse(person.holder.verify(**signed.arguments))
    receipt.verify(person.holder.identity().public_key, header=signed.header.to_bytes())
    return receipt


def test_the_receipt_says_that_it_was_a_payment(enrolled: Person) -> None:
    receipt = paid(enrolled)
    assert (receipt.decision, receipt.outcome) == (MessageType.PAY, Outcome.ACCEPTED)
    assert receipt.template_hash == sha256(enrolled.template)
    assert paid(enrolled, STRANGER).outcome is Outcome.NOT_ACCEPTED


def test_logins_and_payments_share_their_counters(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    for turn in range(5):
        failed = paid(enrolled, STRANGER) if turn % 2 else enrolled.verify(STRANGER)
        assert failed.consecutive_failures == turn + 1
    assert paid(enrolled).outcome is Outcome.RETRY_LATER
    clock.advance(seconds=30)
    assert paid(enrolled).outcome is Outcome.ACCEPTED
    assert enrolled.verify().consecutive_failures == 0
