"""Money moves in one way, adds up to nothing, and never falls below zero."""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from tests.server.wallet.conftest import soon, wallet
from veilface.server.errors import NotFound
from veilface.server.wallet import books, ledger, refunds
from veilface.server.wallet.errors import (
    AmountOutOfRange,
    LedgerBroken,
    NotEnoughMoney,
    NothingToRefund,
    RecordFinal,
    TransferSettled,
)
from veilface.server.wallet.idempotency import Claim, once
from veilface.server.wallet.models import Entry, Payment, Transfer, Wallet

SERVER = Path(ledger.__file__).parents[1]
State = Transfer.State


def payment(source: Wallet, target: Wallet, amount: int, *, overdue: bool = False) -> Transfer:
    expires_at = timezone.now() - timedelta(seconds=1) if overdue else soon()
    kind = Transfer.Kind.PAYMENT
    return ledger.hold(kind=kind, source=source, target=target, amount=amount, expires_at=expires_at)


def balances(*wallets: Wallet) -> list[tuple[int, int]]:
    for one in wallets:
        one.refresh_from_db()
    return [(one.posted, one.held) for one in wallets]


@pytest.mark.django_db
def test_money_is_held_then_arrives() -> None:
    payer, payee = wallet(holding=500), wallet()
    transfer = payment(payer, payee, 300)
    assert balances(payer, payee) == [(500, 300), (0, 0)]
    assert payer.available == 200
    ledger.post(transfer)
    assert balances(payer, payee) == [(200, 0), (300, 0)]
    assert set(transfer.entries.values_list("wallet", "amount")) == {(payer.id, -300), (payee.id, 300)}
    assert books.check().held == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("verb", "left"), [(ledger.post, 200), (ledger.void, 500)])
def test_a_transfer_settles_once(verb: Callable[[Transfer], None], left: int) -> None:
    payer, payee = wallet(holding=500), wallet()
    transfer = payment(payer, payee, 300)
    verb(transfer)
    for again in (ledger.post, ledger.void, ledger.expire):
        with pytest.raises(TransferSettled):
            again(transfer)
    assert balances(payer, payee) == [(left, 0), (500 - left, 0)]
    books.check()


@pytest.mark.django_db
def test_what_is_overdue_expires_and_cannot_be_posted() -> None:
    payer, payee = wallet(holding=500), wallet()
    late, young = payment(payer, payee, 300, overdue=True), payment(payer, payee, 100)
    with pytest.raises(TransferSettled):
        ledger.post(late)
    assert ledger.expire_due(payer) == 1
    assert balances(payer, payee) == [(500, 100), (0, 0)]
    late.refresh_from_db()
    young.refresh_from_db()
    assert (late.state, young.state) == (State.EXPIRED, State.PENDING)


@pytest.mark.django_db
@pytest.mark.parametrize("amount", [501, 0, -1, ledger.LARGEST_AMOUNT + 1])
def test_what_cannot_be_held_changes_nothing(amount: int) -> None:
    payer, payee = wallet(holding=500), wallet()
    with pytest.raises((NotEnoughMoney, AmountOutOfRange)):
        payment(payer, payee, amount)
    assert balances(payer, payee) == [(500, 0), (0, 0)]
    assert Transfer.objects.count() == 1


@pytest.mark.django_db
def test_what_is_done_with_the_money_happens_with_it_or_not_at_all() -> None:
    payer, payee = wallet(holding=500), wallet()
    transfer = payment(payer, payee, 300)

    def post_and_fail() -> None:
        with ledger.locked(payer.id, payee.id):
            ledger.post(transfer)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        post_and_fail()
    transfer.refresh_from_db()
    assert transfer.state == State.PENDING
    assert balances(payer, payee) == [(500, 300), (0, 0)]
    books.check()


# --- what is written stays -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_models_refuse_to_change_a_record() -> None:
    wallet(holding=500)
    entry, transfer = Entry.objects.first(), Transfer.objects.first()
    assert entry
    assert transfer
    attempts: list[Callable[[], Any]] = [
        entry.save, entry.delete, transfer.save, transfer.delete,
        lambda: Entry.objects.update(amount=1), lambda: Entry.objects.all().delete(),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(RecordFinal):
            attempt()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE wallet_entry SET amount = amount + 1",
        "DELETE FROM wallet_entry",
        "DELETE FROM wallet_transfer",
        "UPDATE wallet_transfer SET amount = amount + 1",
        "UPDATE wallet_transfer SET state = 'pending'",
        "UPDATE wallet_transfer SET state = 'voided' WHERE state = 'posted'",
        "UPDATE wallet_transfer SET state = 'voided', amount = 2 WHERE state = 'pending'",
        "UPDATE wallet_wallet SET held = posted + 1 WHERE kind = 'person'",
        "UPDATE wallet_wallet SET held = -1",
        "UPDATE wallet_wallet SET posted = -1 WHERE kind = 'person'",
    ],
)
def test_the_database_refuses_it_too(statement: str) -> None:
    payer, payee = wallet(holding=500), wallet()
    payment(payer, payee, 1)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert books.check().held == 1


@pytest.mark.django_db
def test_a_cooked_book_is_found() -> None:
    payer = wallet(holding=500)
    Wallet.objects.filter(id=payer.id).update(posted=501)
    with pytest.raises(LedgerBroken):
        books.check()


def test_money_moves_in_the_ledger_alone() -> None:
    balances = r"F\(.(posted|held).\) [+-]|update\([^)]*(posted|held)="
    moves = re.compile(balances + r"|Entry\.objects\.create|Transfer\.objects\.(create|.*update)")
    for module in SERVER.rglob("*.py"):
        if module.name != "ledger.py":
            found = moves.search(module.read_text("utf-8"))
            assert found is None, module


@pytest.mark.usefixtures("emptied")
def test_the_migrations_go_back_and_forth() -> None:
    call_command("migrate", "accounts", "zero", verbosity=0)  # and whatever is built on it
    call_command("migrate", verbosity=0)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    wallet(holding=500)
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM wallet_entry")


# --- any order of anything -------------------------------------------------------------------------------


def paid_by(transfer: Transfer) -> Payment:
    """The payment that this transfer is for, as it stands."""
    transfer.refresh_from_db()
    state = Payment.State.PAID if transfer.state == State.POSTED else Payment.State.OPEN
    written = {
        "payer": transfer.source,
        "payee": transfer.target,
        "amount": transfer.amount,
        "currency": transfer.currency,
        "nonce": transfer.id,
        "expires_ms": 0,
    }
    payment, _ = Payment.objects.update_or_create(
        transfer=transfer, defaults={"state": state}, create_defaults=written | {"state": state}
    )
    return payment


def refunding(payment: Payment, amount: int | None) -> Callable[[Claim], Any]:
    assert payment.payee.owner
    owner = payment.payee.owner
    return lambda claim: refunds.give_back(owner, payment_id=payment.id, amount=amount, claim=claim)


class AnyOrder(RuleBasedStateMachine):
    """Three people and a provider; ``self.worth`` and ``self.open`` are what the ledger must agree with."""

    transfers = Bundle("transfers")
    paid = Bundle("paid")
    keys = Bundle("keys")
    who = st.integers(0, 2)
    amounts = st.integers(1, 400)

    def __init__(self) -> None:
        super().__init__()
        self.example = transaction.atomic()
        self.example.__enter__()
        self.people = [wallet(holding=300) for _ in range(3)]
        self.provider = ledger.wallet_of_provider("test")
        self.worth = dict.fromkeys([one.id for one in self.people], 300)
        self.open: dict[str, Transfer] = {}
        self.overdue: set[str] = set()
        self.refunded: dict[str, int] = {}
        self.answers: dict[str, Any] = {}
        self.written: list[tuple[Any, ...]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def available(self, of: Wallet) -> int:
        return self.worth[of.id] - sum(one.amount for one in self.open.values() if one.source_id == of.id)

    def top_up(self, person: int, amount: int, key: str) -> Any:
        to, provider = self.people[person], self.provider

        def work(claim: Claim) -> Any:
            transfer = ledger.hold(
                kind=Transfer.Kind.TOP_UP, source=provider, target=to, amount=amount, expires_at=soon()
            )
            ledger.post(transfer)
            claim.answer({"transfer": transfer.id})
            return {"transfer": transfer.id}

        assert to.owner
        return once(to.owner, key=key, request=f"{person} {amount}".encode(), work=work)

    @rule(target=keys, person=who, amount=amounts)
    def begin_top_up(self, person: int, amount: int) -> tuple[int, int, str]:
        key = secrets.token_hex(16)
        self.answers[key] = self.top_up(person, amount, key).content
        self.worth[self.people[person].id] += amount
        return person, amount, key

    @rule(known=keys)
    def retry(self, known: tuple[int, int, str]) -> None:
        again = self.top_up(*known)
        assert again.replayed
        assert again.content == self.answers[known[2]]

    @rule(target=transfers, source=who, step=st.integers(1, 2), amount=amounts, overdue=st.booleans())
    def hold(self, source: int, step: int, amount: int, overdue: bool) -> Any:  # noqa: FBT001
        payer, payee = self.people[source], self.people[(source + step) % 3]
        enough = self.available(payer) >= amount
        try:
            made = payment(payer, payee, amount, overdue=overdue)
        except NotEnoughMoney:
            assert not enough
            return multiple()
        assert enough
        self.open[made.id] = made
        if overdue:
            self.overdue.add(made.id)
        return made

    def settle(self, transfer: Transfer, verb: Callable[[Transfer], None], *, may: bool) -> bool:
        allowed = may and transfer.id in self.open
        try:
            verb(transfer)
        except TransferSettled:
            assert not allowed
            return False
        assert allowed
        del self.open[transfer.id]
        return True

    @rule(target=paid, transfer=transfers)
    def post(self, transfer: Transfer) -> Any:
        if not self.settle(transfer, ledger.post, may=transfer.id not in self.overdue):
            return multiple()
        self.worth[transfer.source_id] -= transfer.amount
        self.worth[transfer.target_id] += transfer.amount
        return transfer

    @rule(target=paid, source=who, step=st.integers(1, 2), amount=amounts)
    def pay(self, source: int, step: int, amount: int) -> Any:
        held = self.hold(source, step, amount, overdue=False)
        return self.post(held) if isinstance(held, Transfer) else held

    @rule(transfer=transfers)
    def void(self, transfer: Transfer) -> None:
        self.settle(transfer, ledger.void, may=True)

    @rule(transfer=transfers)
    def expire(self, transfer: Transfer) -> None:
        self.settle(transfer, ledger.expire, may=transfer.id in self.overdue)

    @rule(transfer=paid | transfers, amount=st.none() | st.integers(1, 150), again=st.booleans())
    def refund(self, transfer: Transfer, amount: int | None, again: bool) -> None:  # noqa: FBT001
        """Part of it or all that is left, twice with one key or once."""
        payment, key = paid_by(transfer), secrets.token_hex(16)
        owner = transfer.target.owner
        assert owner
        left = payment.amount - payment.refunded
        back = left if amount is None else amount
        may = transfer.state == State.POSTED and 0 < back <= left and self.available(transfer.target) >= back
        for _ in range(2 if again else 1):
            try:
                once(owner, key=key, request=b"refund", work=refunding(payment, amount))
            except (NotFound, NothingToRefund, NotEnoughMoney):
                assert not may
            else:
                assert may
        if may:
            self.worth[transfer.target_id] -= back
            self.worth[transfer.source_id] += back
            self.refunded[payment.id] = self.refunded.get(payment.id, 0) + back

    @invariant()
    def the_books_agree(self) -> None:
        totals = books.check()
        assert totals.held == sum(one.amount for one in self.open.values())
        now = {one.id: one.posted for one in Wallet.objects.all()}
        assert now.pop(self.provider.id) == -sum(self.worth.values())
        assert now == self.worth
        assert all(one.available >= 0 for one in Wallet.objects.filter(kind=Wallet.Kind.PERSON))

    @invariant()
    def nobody_gets_back_more_than_was_paid(self) -> None:
        given = Payment.objects.annotate(given=Sum("refunds__transfer__amount")).exclude(given=None)
        counted = {one.id: (one.amount, one.refunded, one.given) for one in given}
        assert {id_: refunded for id_, (_, refunded, _) in counted.items()} == self.refunded
        assert all(amount >= refunded == given for amount, refunded, given in counted.values())

    @invariant()
    def what_is_written_stays(self) -> None:
        entries = list(Entry.objects.order_by("id").values_list("id", "transfer", "wallet", "amount"))
        assert entries[: len(self.written)] == self.written
        self.written = entries


@pytest.mark.django_db
def test_in_any_order_the_books_agree() -> None:
    run_state_machine_as_test(AnyOrder, settings=settings(max_examples=8, stateful_step_count=16, deadline=None))
