"""Movements before a login and a payment: who makes them is in, a print and a recording are not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app import Phone
from tests.browser.conftest import Visit, machine_in
from tests.browser.moving import camera
from tests.browser.site import PATIENCE_MS, SMALL, words
from tests.processes import Machine
from tests.support import Person
from veilface import messages
from veilface.face.pipeline import FacePipeline

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

OTHER = {"turn_left": "turn_right", "turn_right": "turn_left", "nod": "turn_left", "come_closer": "turn_right"}
END_OF_JPEG = b"\xff\xd9"
RECORD = b"VFLV"
PRICE = 1200


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[Machine]:
    """A server that asks for movements, and whose codes to be paid by are soon too old."""
    with machine_in(tmp_path / "careful") as machine:
        machine.settings = {"VEILFACE_LIVENESS": "login,payment", "VEILFACE_WALLET_CODE_S": "20"}
        with machine.keyholder(), machine.server():
            yield machine


def test_a_face_signs_in_when_it_moves_as_asked(
    careful: Machine, visit: Visit, username: str, clips: Callable[[str], Path]
) -> None:
    shop = careful.api().register(f"{username}-shop")
    stale = code_of(shop)
    phone = Phone(visit(careful, viewport=SMALL))
    phone.register(username, "试用者")
    phone.enrol()
    phone.leave()

    picture = clips("obama").read_bytes().split(END_OF_JPEG)[0] + END_OF_JPEG
    pipeline = FacePipeline()
    phone = Phone(visit(careful, viewport=SMALL))
    look_in(phone)
    failed(phone, "too_late")  # the camera of the visit shows a print: nothing moves

    phone = Phone(visit(careful, viewport=SMALL))
    phone.person.context.add_init_script(camera(picture, pipeline, answer=OTHER.__getitem__))
    look_in(phone)
    expect(phone.main.get_by_role("alert").first).to_be_visible(timeout=PATIENCE_MS)
    assert phone.person.traffic.to("/face-login") == []

    phone = Phone(visit(careful, viewport=SMALL))
    phone.person.context.add_init_script(camera(picture, pipeline))
    look_in(phone)
    expect(phone.main.locator("[data-action]")).to_be_visible(timeout=PATIENCE_MS)
    phone.person.shot("prompt")
    phone.assert_accessible("prompt")
    phone.move_until(phone.main.get_by_role("heading", name=words("app.tabs.wallet"), level=1))
    [sent] = phone.person.traffic.to("/face-login")
    assert sent[-80:-76] == RECORD
    refuse_what_ran_out(phone, stale)
    pay_with_movements(phone, shop)


def look_in(phone: Phone) -> None:
    """From the greeting to the camera."""
    phone.go("/login")
    phone.person.press(words("login.face.do"))


def failed(phone: Phone, why: str) -> None:
    """The check ends without a shot, and says why: on a busy machine perhaps not the first time."""
    phone.move_until(phone.main.get_by_text(words(f"camera.liveness.failure.{why}")))
    phone.person.shot(why)
    assert phone.person.traffic.to("/face-login") == []


def pay_with_movements(phone: Phone, shop: Person) -> None:
    """Paid after the movements, whose record is in what was signed."""
    phone.top_up("20")
    phone.go(f"/pay#{code_of(shop)}")
    phone.title("wallet.pay.stage.confirm")
    phone.agree()
    phone.move_until(phone.main.locator("[data-outcome]"))
    assert phone.outcome() == "accepted"
    [sent] = [body for where, body in phone.person.traffic.sent if where.endswith("/payment")]
    assert sent[-80:-76] == RECORD
    assert shop.api.get("/wallet").json["balance"] == PRICE


def code_of(shop: Person) -> str:
    """A code to be paid by, which names the price."""
    return str(shop.api.post("/wallet/codes", {"amount": PRICE}).json["code"])


def refuse_what_ran_out(phone: Phone, stale: str) -> None:
    """A code that has run out is said to be so, and nothing is ordered by it."""
    phone.go(f"/pay#{stale}")
    phone.person.see(messages.text("wallet.code_expired", "zh"))
    phone.title("wallet.pay.stage.scan")
    phone.person.shot("expired")
    phone.assert_accessible("expired")
    assert phone.person.traffic.to("/wallet/orders") == []
