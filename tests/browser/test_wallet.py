"""The wallet on two phones: from registering to paid, and everything that must not be paid."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.browser.app import Phone
from tests.browser.camera import code_clip
from tests.browser.conftest import Visit
from tests.browser.site import PASSWORD, PATIENCE_MS, SMALL, Person, words
from tests.processes import Machine
from veilface import messages
from veilface.cli.receipt import read
from veilface.server.base64url import decode

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PAYER, PAYEE = "付款的人", "收款的人"


def test_two_people_from_registering_to_paid(
    site: Machine, visit: Visit, username: str, clips: Callable[[str], Path], tmp_path: Path
) -> None:
    other = f"{username}-b"
    payee = Phone(visit(site, None, viewport=SMALL, profile="payee"))
    payee.register(other, PAYEE)
    assert payee.balance() == "¥0.00"
    open_code = payee.show_code()
    dear_code = payee.show_code("900")

    payer = Phone(visit(site, viewport=SMALL))
    payer.register(username, PAYER)
    payer.enrol()
    payer.top_up("500")
    payer.person.shot("topped-up")
    refuse_what_was_bent(payer, open_code)
    refuse_what_is_too_much(payer, open_code, dear_code)
    number = pay_over_a_broken_line(payer, open_code)
    assert payer.balance() == "¥487.50"
    pay_with_the_password_too(payer, open_code)
    assert payer.balance() == "¥237.50"
    see_the_history(payer, {"all": 3, "in": 1, "out": 2, "topUp": 1, "refund": 0})
    second = a_second_phone(payer, visit(site, viewport=SMALL, profile="second", beside=True), username, open_code)
    pay_at_once(payer, second, open_code)
    assert payer.balance() == second.balance() == "¥87.50"

    clip = tmp_path / "code.mjpeg"
    clip.write_bytes(code_clip(open_code, clips("biden").read_bytes()))
    refuse_somebody_else(Phone(visit(site, clip, viewport=SMALL)))

    payee = Phone(visit(site, None, viewport=SMALL, profile="payee"))
    assert payee.balance() == "¥412.50"
    refund(payee, number)
    see_the_history(payee, {"in": 3, "out": 1, "refund": 1})
    close_with_money_in_it(payee, "¥400.00")
    payee.person.traffic.assert_no_picture()


def refuse_what_was_bent(payer: Phone, code: bytes) -> None:
    """A code, a payee or an amount that was changed on the way is neither signed nor paid."""
    page = payer.person.page

    def bend_code(route: Route) -> None:
        sent = json.loads(route.request.post_data or "")["code"]
        route.continue_(post_data=json.dumps({"code": sent[:40] + ("A" if sent[40] != "A" else "B") + sent[41:]}))

    page.route("**/wallet/codes/reading", bend_code)
    payer.scan()
    payer.give(code)
    expect(payer.main.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    payer.person.shot("bent-code")
    page.unroute("**/wallet/codes/reading")

    for bent in ({"amount": 99_900}, {"payee_id": "0b" * 16}, {"payee_name": "别人"}):
        page.route("**/wallet/orders", bending(bent))
        payer.scan()
        payer.give(code)
        payer.title("wallet.pay.stage.amount")
        payer.fill("wallet.pay.amount.label", "12.5")
        payer.person.press(words("wallet.pay.amount.next"))
        payer.person.see(words("device.other_order"))
        page.unroute("**/wallet/orders")
    payer.person.shot("other-order")
    assert [path for path, _ in payer.person.traffic.sent if path.endswith(("/challenge", "/payment"))] == []


def bending(bent: Mapping[str, object]) -> Callable[[Route], None]:
    """Change what the server says of an order."""

    def bend(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), **bent})

    return bend


def refuse_what_is_too_much(payer: Phone, open_code: bytes, dear_code: bytes) -> None:
    """More than there is cannot be agreed to, whoever named the amount."""
    payer.scan()
    payer.give(open_code)
    payer.title("wallet.pay.stage.amount")
    payer.fill("wallet.pay.amount.label", "900")
    payer.person.see(words("wallet.amount.notEnough", available="¥500.00"))
    payer.person.shot("too-much")
    payer.scan()
    payer.give(dear_code)
    payer.title("wallet.pay.stage.confirm")
    expect(payer.main.get_by_role("button", name=words("wallet.pay.confirm.do"))).to_be_disabled()
    payer.person.shot("not-enough")


def pay_over_a_broken_line(payer: Phone, code: bytes) -> str:
    """The line breaks after the payment arrived: asked again, it was paid once; the receipt's number."""
    page, sent = payer.person.page, "**/wallet/orders/*/payment"

    def swallow(route: Route) -> None:
        route.fetch()
        route.abort()

    payer.scan()
    payer.give(code)
    payer.amount("12.5")
    payer.person.page.locator("main .back").click()
    payer.title("wallet.pay.stage.amount")
    expect(payer.person.page.get_by_label(words("wallet.pay.amount.label"), exact=True)).to_have_value("12.5")
    payer.amount("12.5")
    payer.assert_accessible("confirm")
    page.route(sent, swallow)
    payer.main.get_by_role("button", name=words("wallet.pay.confirm.do")).dblclick()
    payer.title("wallet.pay.stage.lost")
    payer.person.shot("lost")
    payer.assert_accessible("lost")
    page.unroute(sent)
    payer.go("/wallet")
    payer.person.see(words("wallet.open.title"))
    payer.person.press(words("wallet.open.do"))
    payer.person.press(words("wallet.pay.lost.ask"))
    assert payer.outcome() == "accepted"
    number = payer.receipt()
    payer.person.shot("paid")
    payer.assert_accessible("paid")
    with page.expect_download() as saved:
        payer.person.press(words("wallet.receipt.share"))
    _, proof = read(saved.value.path())
    assert proof.verify(keyholder_of(saved.value.path())).amount_minor == 1250
    bodies = [body for path, body in payer.person.traffic.sent if path.endswith("/payment")]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    return number


def keyholder_of(file: Path) -> bytes:
    """The key holder's public key as a saved receipt names it."""
    return decode(json.loads(file.read_text("utf-8"))["keyholder_public_key"])


def pay_with_the_password_too(payer: Phone, code: bytes) -> None:
    """Above the limit of a face alone a wrong password opens no camera, the right one does."""
    payer.scan()
    payer.give(code)
    payer.amount("250")
    payer.agree()
    payer.title("wallet.pay.stage.password")
    payer.fill("account.password", "not the password")
    payer.person.press(words("wallet.pay.password.next"))
    expect(payer.main.locator("[aria-invalid=true]")).to_be_visible(timeout=PATIENCE_MS)
    expect(payer.person.page.locator("video")).to_have_count(0)
    payer.person.shot("password")
    payer.assert_accessible("password")
    payer.fill("account.password", PASSWORD)
    payer.person.press(words("wallet.pay.password.next"))
    assert payer.outcome() == "accepted"


def refuse_somebody_else(thief: Phone) -> None:
    """Somebody else with the payer's phone: the camera reads the code, the face moves nothing and opens nothing."""
    thief.scan()
    thief.amount("20")
    thief.agree()
    assert thief.outcome() == "not_accepted"
    thief.person.shot("wrong-face")
    assert thief.balance() == "¥87.50"
    thief.leave()
    thief.title("login.face.title")
    thief.person.press(words("login.face.do"))
    expect(thief.main.locator("[data-refused=true]")).to_be_visible(timeout=PATIENCE_MS)
    thief.person.shot("refused")
    thief.go("/wallet")
    thief.title("login.face.title")


def see_the_history(phone: Phone, counts: Mapping[str, int]) -> None:
    """So many movements behind each filter."""
    phone.go("/history")
    for name, count in counts.items():
        phone.main.get_by_role("button", name=words(f"wallet.filter.{name}"), exact=True).click()
        expect(phone.main.locator(".rows > li")).to_have_count(count, timeout=PATIENCE_MS)
        if count == 0:
            phone.person.see(words("wallet.filter.none"))
        phone.person.shot(f"history-{name}")
    phone.assert_accessible("history")


def a_second_phone(first: Phone, opened: Person, username: str, code: bytes) -> Phone:
    """Another phone of the same person: it pays nothing before the first has approved it."""
    second = Phone(opened)
    second.go("/wallet")
    second.log_in(username)
    second.scan()
    second.give(code)
    second.amount("1")
    second.agree()
    second.person.see(words("device.pending.title"))
    second.person.shot("not-approved")
    assert [path for path, _ in second.person.traffic.sent if path.endswith("/payment")] == []
    first.go("/me/devices")
    first.person.press(words("me.devices.approve.action"))
    first.dialog.get_by_role("button", name=words("me.devices.approve.confirm")).click()
    expect(first.dialog).to_be_hidden(timeout=PATIENCE_MS)
    return second


def pay_at_once(first: Phone, second: Phone, code: bytes) -> None:
    """Two phones pay more than there is in one moment: one payment goes through, and each screen says what happened."""
    waiting: list[Route] = []

    def meet(route: Route) -> None:
        waiting.append(route)
        if len(waiting) == len(phones):
            for one in waiting:
                one.continue_()

    phones = (first, second)
    for phone in phones:
        phone.person.page.route("**/wallet/orders/*/payment", meet)
        phone.scan()
        phone.give(code)
        phone.amount("150")
    for phone in phones:
        phone.agree()
    told = [phone.main.locator("[data-proven=true], [role=alert]") for phone in phones]
    for screen in told:
        expect(screen).to_be_visible(timeout=PATIENCE_MS)
    [winner] = [phone for phone in phones if phone.main.locator("[data-outcome=accepted]").count()]
    [loser] = [phone for phone in phones if phone is not winner]
    winner.person.see(words("wallet.pay.result.accepted.what", name=PAYEE))
    loser.title("wallet.pay.stage.failed")
    loser.person.see(messages.text("wallet.not_enough", "zh"))
    loser.person.shot("beaten")
    loser.assert_accessible("beaten")


def refund(payee: Phone, number: str) -> None:
    """The payee sees the same receipt, and gives the payment back with a passkey instead of the password."""
    payee.add_passkey()
    payee.go("/history")
    payee.main.get_by_role("link", name=re.compile("12.50")).click()
    assert payee.receipt() == number
    payee.person.shot("movement")
    payee.assert_accessible("movement")
    payee.person.press(words("wallet.refund.action"))
    dialog = payee.dialog
    dialog.get_by_label(words("account.password"), exact=True).fill("not the password")
    dialog.get_by_role("button", name=words("wallet.refund.do")).click()
    expect(dialog.locator("[aria-invalid=true]")).to_be_visible(timeout=PATIENCE_MS)
    payee.person.shot("refund")
    payee.assert_accessible("refund")
    dialog.get_by_role("button", name=words("wallet.pay.password.passkey")).click()
    payee.person.see(words("wallet.receipt.refunded"))
    assert payee.balance() == "¥400.00"


def close_with_money_in_it(phone: Phone, amount: str) -> None:
    """What is left is named to the cent, and lost only once it is given up; then the account is gone."""
    phone.go("/me/security")
    phone.person.press(words("me.close.action"))
    close = phone.dialog.get_by_role("button", name=words("me.close.confirm"))
    phone.dialog.get_by_label(words("account.password"), exact=True).fill(PASSWORD)
    close.click()
    give_up = phone.dialog.get_by_label(words("me.close.giveUp", amount=amount))
    expect(close).to_be_disabled(timeout=PATIENCE_MS)
    give_up.check()
    phone.person.shot("giving-up")
    phone.assert_accessible("giving-up")
    with phone.person.page.expect_response("**/account/deletion") as answer:
        close.click()
    assert answer.value.status == 204
