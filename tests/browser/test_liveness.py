"""Movements before a login: who makes them is in, a print and a recording are not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.app import Phone
from tests.browser.conftest import Visit, machine_in
from tests.browser.moving import camera
from tests.browser.site import PATIENCE_MS, SMALL, words
from tests.processes import Machine
from veilface.face.pipeline import FacePipeline

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

OTHER = {"turn_left": "turn_right", "turn_right": "turn_left", "nod": "turn_left", "come_closer": "turn_right"}
END_OF_JPEG = b"\xff\xd9"


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[Machine]:
    """A server that asks for movements."""
    with machine_in(tmp_path / "careful") as machine:
        machine.settings = {"VEILFACE_LIVENESS": "login,payment"}
        with machine.keyholder(), machine.server():
            yield machine


def test_a_face_signs_in_when_it_moves_as_asked(
    careful: Machine, visit: Visit, username: str, clips: Callable[[str], Path]
) -> None:
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
    phone.person.page.wait_for_url("**/app/wallet")
    [sent] = phone.person.traffic.to("/face-login")
    assert sent[-80:-76] == b"VFLV"


def look_in(phone: Phone) -> None:
    """From the greeting to the camera."""
    phone.go("/login")
    phone.person.press(words("login.face.do"))


def failed(phone: Phone, why: str) -> None:
    """The check ended without a shot, and says why."""
    expect(phone.main.get_by_text(words(f"camera.liveness.failure.{why}"))).to_be_visible(timeout=PATIENCE_MS)
    phone.person.shot(why)
    assert phone.person.traffic.to("/face-login") == []
