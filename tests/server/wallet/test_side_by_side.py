"""Many at once: one key makes one transfer, and nobody spends more than they have – also under REPEATABLE READ."""

import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections

from tests.server.conftest import SiteTransport
from tests.server.wallet.conftest import Made, give, soon, wallet
from tests.server.wallet.phone import Phone, new_key
from tests.support import Answer, Api
from veilface.errors import VeilfaceError
from veilface.protect.envelope import sha256
from veilface.server.wallet import books, idempotency, ledger, topups
from veilface.server.wallet.idempotency import Claim, once
from veilface.server.wallet.models import Request, Transfer, Wallet

THREADS = 32
MARIADB = os.environ.get("VEILFACE_TEST_DATABASE") == "mariadb"
pytestmark = pytest.mark.usefixtures("emptied")


@pytest.fixture(params=["READ COMMITTED", "REPEATABLE READ"] if MARIADB else ["SERIALIZABLE"])
def isolation(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[None]:
    """Every connection made during the test has this level; SQLite knows no other."""
    if not MARIADB:
        yield
        return
    options: dict[str, Any] = connection.settings_dict["OPTIONS"]
    before = options["isolation_level"]
    options["isolation_level"] = request.param.lower()
    connections.close_all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@tx_isolation")
        assert cursor.fetchone() == (request.param.replace(" ", "-"),)
    yield
    options["isolation_level"] = before
    connections.close_all()


def together(works: list[Callable[[], Any]]) -> Counter[str]:
    """Run all at once; how often each answer or refusal came."""
    results: list[str] = []
    start = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> None:
        start.wait()
        try:
            results.append(str(work()))
        except VeilfaceError as refused:
            results.append(refused.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == len(works)
    return Counter(results)


def transferring(source: Wallet, target: Wallet, amount: int) -> Callable[[Claim], dict[str, Any]]:
    def work(claim: Claim) -> dict[str, Any]:
        with ledger.locked(source.id, target.id):
            made = ledger.hold(
                kind=Transfer.Kind.PAYMENT, source=source, target=target, amount=amount, expires_at=soon()
            )
            ledger.post(made)
            claim.answer({"transfer": made.id})
        return {"transfer": made.id}

    return work


@pytest.mark.usefixtures("isolation")
def test_one_key_makes_one_transfer() -> None:
    payer, payee = wallet(holding=10_000), wallet()
    assert payer.owner
    owner, key, work = payer.owner, secrets.token_hex(16), transferring(payer, payee, 100)
    results = together([lambda: once(owner, key=key, request=b"pay", work=work).content] * THREADS)
    made = Transfer.objects.get(kind=Transfer.Kind.PAYMENT)
    answer = str({"transfer": made.id})
    assert results.keys() <= {answer, "wallet.still_working"}
    assert once(owner, key=key, request=b"pay", work=work).replayed
    payer.refresh_from_db()
    assert payer.posted == 9_900
    books.check()


@pytest.mark.usefixtures("isolation")
def test_many_keys_never_spend_more_than_there_is() -> None:
    payer, payee = wallet(holding=1_000), wallet()
    assert payer.owner
    owner, work = payer.owner, transferring(payer, payee, 99)

    def one() -> str:
        once(owner, key=secrets.token_hex(16), request=b"pay", work=work)
        return "paid"

    assert together([one] * THREADS) == {"paid": 10, "wallet.not_enough": THREADS - 10}
    payer.refresh_from_db()
    assert (payer.posted, payer.held) == (10, 0)
    books.check()


@pytest.mark.usefixtures("isolation")
def test_money_goes_round_and_nobody_waits_for_ever() -> None:
    people = [wallet(holding=500) for _ in range(4)]

    def move(turn: int) -> str:
        source, target = people[turn % 4], people[(turn * 3 + 1) % 4]
        held = ledger.hold(kind=Transfer.Kind.PAYMENT, source=source, target=target, amount=7, expires_at=soon())
        (ledger.void if turn % 5 == 0 else ledger.post)(held)
        return "settled"

    turns = [turn for turn in range(40) if turn % 4 != (turn * 3 + 1) % 4]
    assert together([partial(move, turn) for turn in turns]) == {"settled": len(turns)}
    assert books.check().held == 0
    assert sum(Wallet.objects.filter(kind=Wallet.Kind.PERSON).values_list("posted", flat=True)) == 2_000


@pytest.mark.usefixtures("isolation")
def test_side_by_side_nothing_exceeds_a_daily_limit(settings: Any) -> None:
    settings.WALLET_TOP_UP_DAILY_MAX = 500
    person = wallet()
    assert person.owner
    owner = person.owner

    def ask() -> str:
        key = secrets.token_hex(16)
        once(owner, key=key, request=b"ask", work=lambda claim: topups.begin(owner, amount=100, claim=claim))
        return "asked"

    assert together([ask] * 12) == {"asked": 5, "wallet.daily_limit": 7}


def test_of_two_that_settle_one_transfer_one_wins() -> None:
    payer, payee = wallet(holding=500), wallet()
    held = ledger.hold(kind=Transfer.Kind.PAYMENT, source=payer, target=payee, amount=100, expires_at=soon())
    verbs = [ledger.post, ledger.void] * 4
    results = together([partial(verb, held) for verb in verbs])
    assert results == {"None": 1, "wallet.transfer_settled": 7}
    books.check()


def test_a_dead_request_is_taken_over_and_can_no_longer_answer(settings: Any) -> None:
    settings.WALLET_HOLD_S = 0
    payer, payee = wallet(holding=500), wallet()
    give(payee, 1)
    assert payer.owner
    key, work = secrets.token_hex(16), transferring(payer, payee, 100)
    dead = idempotency._begin(payer.owner, key, sha256(b"pay").hex())
    assert isinstance(dead, Claim)
    first = once(payer.owner, key=key, request=b"pay", work=work)
    assert not first.replayed
    with pytest.raises(VeilfaceError, match="still_working"):
        work(dead)
    dead.release()
    assert Request.objects.get(key=key).answered_at
    payer.refresh_from_db()
    assert payer.posted == 400
    books.check()


def twin(phone: Phone) -> Phone:
    """The same session on a connection of its own, for another thread."""
    transport, first = SiteTransport(), phone.device.api.transport
    assert isinstance(first, SiteTransport)
    transport.client.cookies = first.client.cookies
    device = copy(phone.device)
    device.api = Api(transport)
    return Phone(device, kept=phone.kept)


def test_a_double_tap_pays_once_and_two_phones_pay_side_by_side(phone: Made) -> None:
    payee, first, second = phone("person-payee"), phone("person-one", holding=900), phone("person-two", holding=900)
    code = payee.code(500)
    orders = [(one, one.order(code)) for one in (first, second)]
    works = []
    for one, order in orders:
        message, key = one.message(order), new_key()
        one.send(order, message, key="short")  # refused, and signed: every tap sends the same bytes
        works += [partial(twin(one).send, order, message, key=key) for _ in range(3)]
    answers: list[Answer] = []
    together([lambda work=work: answers.append(work()) for work in works])  # type: ignore[misc]
    assert {answer.json.get("code", "paid") for answer in answers} <= {"paid", "wallet.still_working"}
    assert len({answer.body for answer in answers if answer.status == 200}) == 2
    assert (payee.balance, first.balance, second.balance) == (1_000, 400, 400)
    books.check()
