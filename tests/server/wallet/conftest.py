"""Wallets with money in them, and tables that may be emptied again."""

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.utils import timezone

from tests.server.conftest import with_device
from tests.server.wallet.phone import Phone
from tests.support import Person
from veilface.server.accounts.models import Account
from veilface.server.wallet import ledger
from veilface.server.wallet.models import Transfer, Wallet

records_stay = import_module("veilface.server.wallet.migrations.0002_records_stay")
Made = Callable[..., Phone]
TABLES = ("request", "refund", "topup", "payment", "entry", "transfer", "wallet")


def soon() -> datetime:
    return timezone.now() + timedelta(hours=1)


def wallet(*, holding: int = 0, name: str = "") -> Wallet:
    """A new person's wallet with this much money, which a provider gave."""
    name = name or f"person-{secrets.token_hex(4)}"
    made = ledger.wallet_of(Account.objects.create(username=name, display_name=name, password="!"))
    if holding:
        give(made, holding)
    return made


def give(to: Wallet, amount: int) -> None:
    provider = ledger.wallet_of_provider("test")
    kind = Transfer.Kind.TOP_UP
    ledger.post(ledger.hold(kind=kind, source=provider, target=to, amount=amount, expires_at=soon()))
    to.refresh_from_db()


@pytest.fixture
def emptied(transactional_db: None) -> Iterator[None]:
    """For tests that commit: what the triggers keep for ever would outlive the test."""
    yield
    with connection.schema_editor() as editor:
        records_stay.drop(None, editor)
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM wallet_{table}")  # noqa: S608 – our own names
    with connection.schema_editor() as editor:
        records_stay.make(None, editor)


@pytest.fixture
def phone(people: Callable[[str], Person], db: None) -> Made:
    """Makes a phone of a new person, with a face and money."""

    def make(username: str, *, holding: int = 0) -> Phone:
        device = with_device(people(username))
        assert device.enrol(Phone(device).face).status == 201
        if holding:
            give(ledger.wallet_of(Account.objects.get(username=username)), holding)
        return Phone(device)

    return make


@pytest.fixture
def payer(phone: Made) -> Phone:
    return phone("person-payer", holding=100_000)


@pytest.fixture
def payee(people: Callable[[str], Person]) -> Phone:
    return Phone(with_device(people("person-payee")))
