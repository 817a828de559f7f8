"""The app on a phone: accounts, wallet and paying by face, against real servers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app import Phone
from tests.browser.conftest import Visit
from tests.browser.site import PATIENCE_MS, words
from tests.processes import Machine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SMALL = {"width": 360, "height": 780}
PAYER, PAYEE = "付款的人", "收款的人"


def test_two_people_from_registering_to_paid(
    site: Machine, visit: Visit, username: str, clips: Callable[[str], Path], tmp_path: Path
) -> None:
    payer = Phone(visit(site, viewport=SMALL))
    payer.register(username, PAYER)
    payer.enrol()
    payer.go("/face")
    payer.person.see(words("me.data.words"))
    payer.person.shot("face")
    payer.assert_accessible("face")
    payer.top_up("100")
    payer.person.shot("topped-up")
    assert payer.balance() == "¥100.00"
    payer.person.shot("wallet")
    payer.assert_accessible("wallet")

    payee = Phone(visit(site, viewport=SMALL, profile="payee"))
    payee.register(f"{username}-b", PAYEE)
    assert payee.balance() == "¥0.00"
    payee.person.shot("empty")
    wrong = payee.show_code(tmp_path, clips("biden"))
    right = payee.show_code(tmp_path, clips("obama again"))
    payee.person.shot("code")

    payer = Phone(visit(site, wrong, viewport=SMALL))
    payer.scan()
    payer.amount("12.5")
    payer.person.shot("confirm")
    payer.agree()
    assert payer.outcome() == "not_accepted"
    payer.person.shot("wrong-face")
    assert payer.balance() == "¥100.00"

    payer = Phone(visit(site, right, viewport=SMALL))
    payer.scan()
    payer.title("wallet.pay.stage.scan")
    payer.person.shot("scan")
    payer.amount("12.5")
    payer.agree()
    payer.title("wallet.pay.stage.face")
    payer.person.shot("looking")
    assert payer.outcome() == "accepted"
    number = payer.receipt()
    payer.person.shot("paid")
    assert payer.balance() == "¥87.50"

    payee = Phone(visit(site, viewport=SMALL, profile="payee"))
    assert payee.balance() == "¥12.50"
    payee.main.get_by_text(PAYER).click()
    assert payee.receipt() == number
    payee.person.shot("movement")
    expect(payee.main).to_contain_text("+¥12.50", timeout=PATIENCE_MS)
