"""Paying by face: what is signed is what moves, and what is denied leaves no trace."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from tests.server.conftest import Switchable
from tests.server.wallet.conftest import Made, give, soon
from tests.server.wallet.phone import Phone, new_key
from tests.support import PASSWORD, Answer, receipt_of, unit
from veilface.errors import VeilfaceError
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.protect.envelope import MessageType, Outcome
from veilface.protect.payment import PaymentProof
from veilface.server.accounts import services
from veilface.server.accounts.messages import now_ms
from veilface.server.accounts.models import Account
from veilface.server.base64url import decode, encode
from veilface.server.recognition import services as recognition
from veilface.server.wallet import books, ledger, providers
from veilface.server.wallet.models import Payment, Request, Transfer
from veilface.server.wallet.providers import Sandbox

STRANGER = unit(2)


def refused(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.code) == (status, code), answer.body


def nothing_moved(*phones: Phone) -> None:
    """No transfer was posted but the first top-up, nothing is held, and no payment was made."""
    assert books.check().held == 0
    assert not Payment.objects.filter(state=Payment.State.PAID).exists()
    assert not Transfer.objects.filter(state=Transfer.State.POSTED).exclude(kind=Transfer.Kind.TOP_UP).exists()


def test_paid_and_both_see_it(payer: Phone, payee: Phone) -> None:
    shown = payer.post("/codes/reading", {"code": payee.code(1_850)}).json
    assert (shown["payee_name"], shown["amount"]) == ("测试者", 1_850)
    answer = payer.pay(payee.code(), 1_850)
    assert answer.status == 200, answer.body
    assert answer.json["accepted"]
    receipt = receipt_of(answer)
    assert (receipt.decision, receipt.outcome) == (MessageType.PAY, Outcome.ACCEPTED)
    assert (payer.balance, payee.balance) == (98_150, 1_850)
    assert payer.get()["held"] == 0
    for side, direction in ((payer, "out"), (payee, "in")):
        latest = side.get("/movements?kind=payment")["movements"][0]
        assert (latest["direction"], latest["amount"], latest["state"]) == (direction, 1_850, "posted")
        assert latest["payment_id"] == answer.json["payment_id"]
    books.check()


def test_the_receipt_is_checked_without_the_server(payer: Phone, payee: Phone) -> None:
    payment = payer.pay(payee.code(1_850)).json["payment_id"]
    pinned = decode(payer.device.api.get("/site").json["keyholder"]["public_key"])
    for side in (payer, payee):
        shown = side.get(f"/payments/{payment}")
        proof = PaymentProof(**{name: decode(value) for name, value in shown["proof"].items()})
        statement = proof.verify(pinned)
        assert (statement.amount_minor, statement.currency) == (1_850, "CNY")
        assert proof.device_public_key == payer.device.public_key
        with pytest.raises(VeilfaceError):
            replace(proof, statement=replace(statement, amount_minor=1).to_bytes()).verify(pinned)


def test_another_face_pays_nothing(payer: Phone, payee: Phone) -> None:
    order = payer.order(payee.code(500))
    answer = payer.send(order, payer.message(order, STRANGER), key=new_key())
    assert (answer.status, answer.json["outcome"], answer.json["payment_id"]) == (200, "not_accepted", None)
    nothing_moved()
    assert payer.send(order, payer.message(order), key=new_key()).json["accepted"]  # the order may be tried again
    assert payee.balance == 500


def test_the_same_message_is_paid_once_and_answered_the_same(payer: Phone, payee: Phone) -> None:
    order, key = payer.order(payee.code(500)), new_key()
    message = payer.message(order)
    first = payer.send(order, message, key=key)
    again = payer.send(order, message, key=key)
    assert (again.status, again.body) == (200, first.body)
    assert (again.headers.get("Idempotency-Replayed"), payee.balance) == ("true", 500)
    refused(payer.send(order, message, key=new_key()), 409, "wallet.order_paid")
    refused(payer.challenge(order), 409, "wallet.order_paid")
    other = payer.order(payee.code(500))
    refused(payer.send(other, payer.message(other), key=key), 422, "wallet.key_reused")
    refused(payer.send(other, message, key=new_key()), 403, "wallet.other_statement")
    assert payee.balance == 500
    books.check()


# --- what is denied --------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", [{"amount": 1}, {"payee_id": "ab" * 16}, {"nonce": "cd" * 16}, {"currency": "EUR"}])
def test_what_is_signed_for_another_order_pays_nothing(payer: Phone, payee: Phone, changed: dict[str, Any]) -> None:
    order = payer.order(payee.code(500))
    message = payer.message(order).with_header(context_hash=payer.statement(order | changed).context_hash())
    refused(payer.send(order, message, key=new_key()), 403, "wallet.other_statement")
    nothing_moved()


@pytest.mark.parametrize("column", ["amount", "payee_id", "nonce"])
def test_an_order_changed_behind_the_payers_back_is_not_paid(
    payer: Phone, payee: Phone, phone: Made, column: str
) -> None:
    """The server itself, robbed, cannot bend what the person saw and signed."""
    other = ledger.wallet_of(Account.objects.get(id=phone("person-other").device.person.account.hex()))
    order = payer.order(payee.code(500))
    message = payer.message(order)
    Payment.objects.update(**{column: {"amount": 5_000, "payee_id": other.id, "nonce": "ef" * 16}[column]})
    refused(payer.send(order, message, key=new_key()), 403, "wallet.other_statement")
    nothing_moved()


def test_a_login_pays_for_nothing(payer: Phone, payee: Phone) -> None:
    order = payer.order(payee.code(500))
    message = payer.message(order)
    login = payer.device.verification(payer.face)
    as_login = message.with_header(type=MessageType.VERIFY, challenge=login.header.challenge)
    refused(payer.send(order, as_login, key=new_key()), 400, "server.wrong_message")
    stolen = message.with_header(challenge=login.header.challenge)
    refused(payer.send(order, stolen, key=new_key()), 403, "server.challenge_unknown")
    nothing_moved()


def test_a_challenge_pays_one_order_only(payer: Phone, payee: Phone) -> None:
    """The key holder's challenge carries the statement's hash: another order's is refused there, too."""
    cheap, dear = payer.order(payee.code(1)), payer.order(payee.code(9_000))
    challenge = payer.message(cheap).header.challenge
    message = payer.message(dear).with_header(challenge=challenge)
    refused(payer.send(dear, message, key=new_key()), 403, "keyholder.challenge_forged")
    nothing_moved()


def test_anothers_signature_pays_nothing(payer: Phone, payee: Phone, phone: Made) -> None:
    thief = phone("person-thief", holding=1_000)
    order = payer.order(payee.code(500))
    message = payer.message(order)
    forged = Phone(payer.device)
    forged.device.key = thief.device.key
    refused(forged.send(order, message, key=new_key()), 403, "protect.bad_signature")
    refused(thief.send(order, message, key=new_key()), 404, "server.not_found")
    nothing_moved()


def test_an_expired_order_is_not_paid(payer: Phone, payee: Phone) -> None:
    order = payer.order(payee.code(500))
    message = payer.message(order)
    Payment.objects.update(expires_ms=1)
    refused(payer.challenge(order), 410, "wallet.order_expired")
    refused(payer.send(order, message, key=new_key()), 410, "wallet.order_expired")
    nothing_moved()


def test_more_than_there_is_is_not_paid(payer: Phone, payee: Phone, settings: Settings) -> None:
    settings.WALLET_FACE_ONLY_MAX = 100_000
    first, second = payer.order(payee.code(60_000)), payer.order(payee.code(60_000))
    assert payer.send(first, payer.message(first), key=new_key()).json["accepted"]
    refused(payer.send(second, payer.message(second), key=new_key()), 409, "wallet.not_enough")
    assert (payer.balance, payee.balance, payer.get()["held"]) == (40_000, 60_000, 0)
    books.check()


def test_above_the_limit_the_password_is_needed_too(payer: Phone, payee: Phone) -> None:
    order = payer.order(payee.code(20_001))
    assert order["password_needed"]
    refused(payer.challenge(order), 403, "wallet.password_needed")
    refused(payer.challenge(order, password="not the password"), 401, "server.wrong_credentials")
    message = payer.message(order, password=PASSWORD)
    assert payer.send(order, message, key=new_key()).json["accepted"]
    assert payee.balance == 20_001


def test_a_days_limit(payer: Phone, payee: Phone, settings: Settings) -> None:
    settings.WALLET_DAILY_MAX = 900
    early, late = payer.order(payee.code(500)), payer.order(payee.code(500))
    assert payer.send(early, payer.message(early), key=new_key()).json["accepted"]
    answer = payer.send(late, payer.message(late), key=new_key())
    refused(answer, 409, "wallet.daily_limit")
    assert answer.json["details"] == {"left": 400}
    refused(payer.post("/orders", {"code": payee.code(401)}), 409, "wallet.daily_limit")
    assert (payer.get()["limits"]["payment_left_today"], payer.get()["held"], payee.balance) == (400, 0, 500)


def test_nobody_reads_anothers_receipt(payer: Phone, payee: Phone, phone: Made) -> None:
    payment, other = payer.pay(payee.code(500)).json["payment_id"], phone("person-other")
    refused(other.device.api.get(f"/wallet/payments/{payment}"), 404, "server.not_found")
    movement = payer.get("/movements")["movements"][0]["id"]
    refused(other.device.api.get(f"/wallet/movements/{movement}"), 404, "server.not_found")
    refused(other.device.api.get(f"/wallet/movements?after={movement}"), 404, "server.not_found")
    answer = other.post(f"/payments/{payment}/refunds", {"password": PASSWORD}, key=new_key())
    refused(answer, 404, "server.not_found")
    assert payee.balance == 500


def test_without_a_key_nothing_moves(payer: Phone, payee: Phone) -> None:
    order = payer.order(payee.code(500))
    message = payer.message(order)
    for key in ("", "short", "not a key, by far", "x" * 65):
        refused(payer.send(order, message, key=key), 422, "server.invalid_request")
    nothing_moved()


# --- while things break ----------------------------------------------------------------------------------


def test_without_the_key_holder_the_money_is_given_back(payer: Phone, payee: Phone, keyholder: Switchable) -> None:
    order = payer.order(payee.code(500))
    message, key = payer.message(order), new_key()
    keyholder.fails["verify"] = KeyHolderUnavailable()
    refused(payer.send(order, message, key=key), 503, "server.keyholder_down")
    nothing_moved()
    keyholder.fails.clear()
    assert payer.send(order, payer.message(order), key=new_key()).json["accepted"]


def test_an_order_that_is_being_paid_waits_for_nobody(
    payer: Phone, payee: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = payer.order(payee.code(500))
    first, second, key = payer.message(order), payer.message(order), new_key()
    answers: list[Answer] = []
    judge = recognition.judge

    def meanwhile(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(recognition, "judge", judge)
        answers.append(payer.send(order, second, key=new_key()))
        answers.append(payer.send(order, first, key=key))
        assert payer.get()["held"] == 500
        return judge(*args, **options)

    monkeypatch.setattr(recognition, "judge", meanwhile)
    assert payer.send(order, first, key=key).json["accepted"]
    assert [answer.code for answer in answers] == ["wallet.order_busy", "wallet.still_working"]
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 60
    assert payee.balance == 500


def test_a_payment_that_outlives_its_hold_moves_nothing(payer: Phone, payee: Phone, settings: Settings) -> None:
    settings.WALLET_HOLD_S = 0
    answer = payer.pay(payee.code(500))
    refused(answer, 409, "wallet.transfer_settled")
    assert (
        receipt_of(Answer(200, answer.body, {}))
        if "receipt" in answer.json
        else decode(answer.json["details"]["receipt"])
    )
    ledger.expire_due()
    nothing_moved()


def test_a_refused_payment_is_refused_again(payer: Phone, payee: Phone) -> None:
    order = payer.order(payee.code(500))
    message, key = payer.message(order, STRANGER), new_key()
    first = payer.send(order, message, key=key)
    again = payer.send(order, message, key=key)
    assert again.body == first.body
    late, key = payer.order(payee.code(500)), new_key()
    message = payer.message(late)
    Payment.objects.filter(id=late["id"]).update(expires_ms=1)
    for _ in range(2):
        refused(payer.send(late, message, key=key), 410, "wallet.order_expired")
    nothing_moved()


# --- codes, top-ups, refunds, history --------------------------------------------------------------------


def test_a_code_names_nobody(payer: Phone, payee: Phone) -> None:
    codes = {payee.code(500) for _ in range(3)}
    assert len(codes) == 3
    wallet = ledger.wallet_of(Account.objects.get(username="person-payee"))
    for code in codes:
        assert payee.device.person.account not in decode(code)
        assert bytes.fromhex(wallet.id) not in decode(code)


def test_codes_that_are_no_good(payer: Phone, payee: Phone, settings: Settings) -> None:
    code = payee.code(500)
    raw = bytearray(decode(code))
    raw[-1] ^= 1
    broken = encode(bytes(raw))
    for bad in (broken, "", "x", code[:-4], code + "AAAA"):
        refused(payer.post("/orders", {"code": bad}), 422, "wallet.code_unusable")
    refused(payee.post("/orders", {"code": code}), 409, "wallet.own_code")
    refused(payer.post("/orders", {"code": code, "amount": 499}), 409, "wallet.other_amount")
    refused(payer.post("/orders", {"code": payee.code()}), 422, "wallet.amount_out_of_range")
    refused(payer.post("/orders", {"code": payee.code(), "amount": 500_001}), 422, "wallet.amount_out_of_range")
    for amount in (0, -1, 1.5, "5", True):
        refused(payer.post("/orders", {"code": payee.code(), "amount": amount}), 422, "server.invalid_request")
    settings.WALLET_CODE_S = 0
    refused(payer.post("/orders", {"code": payee.code(500)}), 410, "wallet.code_expired")
    settings.ORIGIN = "http://elsewhere.example"
    refused(payer.post("/orders", {"code": code}), 422, "wallet.code_unusable")
    Account.objects.filter(username="person-payee").delete()
    settings.ORIGIN = "http://testserver"
    refused(payer.post("/orders", {"code": code}), 410, "wallet.payee_gone")
    assert not Payment.objects.exists()


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A sandbox for which time passes when the test says so: seconds since it began."""
    now = [0.0]
    sandbox = Sandbox(lambda: now[0])
    monkeypatch.setattr(providers, "provider", lambda _name: sandbox)
    return now


def test_a_top_up_arrives_when_the_provider_says_so(payee: Phone, passing: list[float]) -> None:
    key = new_key()
    answer = payee.post("/top-ups", {"amount": 5_000}, key=key)
    hopeless = payee.post("/top-ups", {"amount": 5_013}, key=new_key())
    assert (answer.status, answer.json["state"], payee.balance) == (202, "pending", 0)
    passing[0] = 2.0
    assert payee.balance == 5_000
    assert payee.get(f"/movements/{answer.json['id']}")["state"] == "posted"
    assert payee.get(f"/movements/{hopeless.json['id']}")["state"] == "voided"
    again = payee.post("/top-ups", {"amount": 5_000}, key=key)
    assert (again.body, payee.balance) == (answer.body, 5_000)
    refused(payee.post("/top-ups", {"amount": 5_001}, key=key), 422, "wallet.key_reused")
    refused(payee.post("/top-ups", {"amount": 500_001}, key=new_key()), 422, "wallet.amount_out_of_range")
    books.check()


def test_a_provider_that_forgot_is_asked_again(payee: Phone, passing: list[float]) -> None:
    payee.post("/top-ups", {"amount": 5_000}, key=new_key())
    providers.provider("sandbox").__init__(lambda: passing[0])  # type: ignore[misc]
    passing[0] = 2.0
    assert payee.balance == 0
    passing[0] = 4.0
    assert payee.balance == 5_000


def test_refunds_give_back_what_was_paid_and_no_more(payer: Phone, payee: Phone) -> None:
    payment, key = payer.pay(payee.code(500)).json["payment_id"], new_key()
    path = f"/payments/{payment}/refunds"
    refused(payee.post(path, {"password": "not the password"}, key=new_key()), 401, "server.wrong_credentials")
    answer = payee.post(path, {"amount": 200, "password": PASSWORD}, key=key)
    assert (answer.status, answer.json["kind"], answer.json["payment_id"]) == (201, "refund", payment)
    assert payee.post(path, {"amount": 200, "password": PASSWORD}, key=key).body == answer.body
    assert (payer.balance, payee.balance) == (99_700, 300)
    refused(payee.post(path, {"amount": 301, "password": PASSWORD}, key=new_key()), 409, "wallet.nothing_to_refund")
    refused(payer.post(path, {"amount": 1, "password": PASSWORD}, key=new_key()), 404, "server.not_found")
    assert payee.post(path, {"password": PASSWORD}, key=new_key()).json["amount"] == 300
    refused(payee.post(path, {"password": PASSWORD}, key=new_key()), 409, "wallet.nothing_to_refund")
    assert (payer.balance, payee.balance) == (100_000, 0)
    assert payer.get(f"/payments/{payment}")["refunded"] == 500
    books.check()


def test_a_refund_needs_the_money(payer: Phone, payee: Phone) -> None:
    payment = payer.pay(payee.code(500)).json["payment_id"]
    payee_wallet = ledger.wallet_of(Account.objects.get(username="person-payee"))
    payer_wallet = ledger.wallet_of(Account.objects.get(username="person-payer"))
    kind = Transfer.Kind.PAYMENT
    ledger.post(ledger.hold(kind=kind, source=payee_wallet, target=payer_wallet, amount=400, expires_at=soon()))
    answer = payee.post(f"/payments/{payment}/refunds", {"password": PASSWORD}, key=new_key())
    refused(answer, 409, "wallet.not_enough")
    assert Payment.objects.get(id=payment).refunded == 0


def test_the_history_is_filtered_and_comes_in_pages(payer: Phone, payee: Phone) -> None:
    for amount in (100, 200, 300):
        assert payer.pay(payee.code(amount)).json["accepted"]
    payer.pay(payee.code(400), face=STRANGER)
    first = payer.get("/movements?limit=2&state=posted")
    second = payer.get(f"/movements?limit=2&state=posted&after={first['after']}")
    amounts = [one["amount"] for one in first["movements"] + second["movements"]]
    assert (amounts, second["after"]) == ([300, 200, 100, 100_000], None)
    assert [one["amount"] for one in payer.get("/movements?direction=in")["movements"]] == [100_000]
    assert [one["amount"] for one in payer.get("/movements?state=voided")["movements"]] == [400]
    assert payee.get("/movements?state=voided")["movements"] == []  # whose face failed is not the payee's business
    since = first["movements"][0]["created_at"].replace("+00:00", "Z")
    assert [one["amount"] for one in payer.get(f"/movements?since={since}")["movements"]] == [400, 300]
    refused(payer.device.api.get("/wallet/movements?limit=101"), 422, "server.invalid_request")


def test_the_ledger_outlives_an_account(payer: Phone, payee: Phone) -> None:
    payer.pay(payee.code(500))
    give_up = {"password": PASSWORD, "give_up": payer.balance}
    assert payer.device.api.post("/account/deletion", give_up).status == 204
    assert books.check().transfers == 2
    assert payee.get("/movements")["movements"][0]["counterpart"] == ""
    assert payee.get(f"/payments/{Payment.objects.get().id}")["payer_name"] == ""


@pytest.mark.parametrize("give_up", [None, 0, 1, 99_999, 100_001])
def test_an_account_with_money_is_not_deleted_unasked(payer: Phone, give_up: int | None) -> None:
    answer = payer.device.api.post("/account/deletion", {"password": PASSWORD, "give_up": give_up})
    refused(answer, 409, "wallet.money_left")
    assert answer.json["details"] == {"left": 100_000}
    assert payer.device.accepted(payer.face)  # its keys are there as well


def test_money_that_comes_during_a_deletion_stops_it(payee: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    account = Account.objects.get(username="person-payee")
    erase = services.erase_keys

    def erase_and_be_paid(account: Account) -> None:
        erase(account)
        give(ledger.wallet_of(account), 700)

    monkeypatch.setattr(services, "erase_keys", erase_and_be_paid)
    refused(payee.device.api.post("/account/deletion", {"password": PASSWORD}), 409, "wallet.money_left")
    assert (account.username, payee.balance) == ("person-payee", 700)
    monkeypatch.setattr(services, "erase_keys", erase)
    assert payee.device.api.post("/account/deletion", {"password": PASSWORD, "give_up": 700}).status == 204
    assert books.check().wallets == 2


def test_answers_are_kept_for_two_days_and_untried_orders_for_one(payer: Phone, payee: Phone) -> None:
    payer.pay(payee.code(500))
    payer.order(payee.code(500))
    call_command("forget")
    assert (Request.objects.count(), Payment.objects.count()) == (1, 2)
    Request.objects.update(answered_at=timezone.now() - timedelta(hours=49))
    Payment.objects.update(expires_ms=now_ms() - 86_400_001)
    call_command("forget")
    assert (Request.objects.count(), Payment.objects.get().state) == (0, "paid")


def test_a_provider_that_does_not_exist_is_told_at_the_start(settings: Settings) -> None:
    settings.WALLET_PROVIDER = "nobody"
    with pytest.raises(ImproperlyConfigured, match="sandbox"):
        apps.get_app_config("wallet").ready()
