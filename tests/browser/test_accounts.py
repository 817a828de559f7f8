"""Accounts in the app: in by password and by face, under each protection, and out again, against real servers."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.app import Phone
from tests.browser.conftest import Visit
from tests.browser.site import DESKTOP, NEW_PASSWORD, PASSWORD, PATIENCE_MS, SMALL, words
from tests.processes import Machine
from veilface.protect.scheme import protection

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NAME, SECOND_NAME = "试用者", "第二个人"
# What the page of one's face shows beside the face and its features, by protection.
PICTURES = {"homomorphic": ["words"], "ranking": ["ranks"], "negative": ["records", "counts"]}


def test_an_account_by_password_and_by_face_under_each_protection(site: Machine, visit: Visit, username: str) -> None:
    phone = Phone(visit(site, viewport=SMALL))
    phone.register(username, NAME)
    phone.leave()
    expect_name(phone, username)
    phone.try_password(PASSWORD)
    phone.title("app.tabs.wallet")

    phone.go("/face/enrol")
    phone.enrol("homomorphic")
    see_both_forms(phone, "homomorphic")
    come_back_by_face(phone, username)
    for scheme in ("ranking", "negative"):
        phone.renew(scheme)
        see_both_forms(phone, scheme)
        come_back_by_face(phone, username)
    sizes = [320 + protection(scheme).template_bytes for scheme in PICTURES]
    assert [len(body) for body in phone.person.traffic.to("/enrolments")] == sizes
    assert_models_are_kept(phone)

    share_the_phone(phone, username)
    laptop = Phone(visit(site, None, viewport=DESKTOP, profile="laptop", beside=True))
    laptop.go("/wallet")
    laptop.log_in(username)
    change_the_password(phone, laptop)
    leave_everywhere(phone, laptop, username)
    delete_the_face(phone, username)
    phone.person.traffic.assert_no_picture()


def expect_name(phone: Phone, username: str) -> None:
    """The password is asked for, of this name."""
    phone.title("login.password.title")
    expect(phone.person.page.get_by_label(words("account.username"), exact=True)).to_have_value(username)


def see_both_forms(phone: Phone, scheme: str) -> None:
    """What was there before the protection and after it, as pictures and as numbers."""
    page = phone.person.page
    phone.go("/face")
    for key in ("crop", "embedding", *PICTURES[scheme]):
        expect(page.get_by_role("img", name=words(f"me.data.{key}"), exact=True)).to_be_visible(timeout=PATIENCE_MS)
    phone.person.shot(f"face-{scheme}")
    for flip in page.get_by_role("button", name=words("me.data.asNumbers")).all()[::-1]:
        flip.click()
    expect(page.get_by_role("button", name=words("me.data.asPicture"))).to_have_count(2 + len(PICTURES[scheme]))
    phone.person.shot(f"numbers-{scheme}")
    phone.assert_accessible(f"numbers {scheme}")


def come_back_by_face(phone: Phone, username: str) -> None:
    """Out leads to one's own picture and name, and a look at the camera back in."""
    phone.leave()
    phone.title("login.face.title")
    phone.person.see(NAME)
    phone.person.see(f"@{username}")
    expect(phone.main.get_by_role("img", name=NAME)).to_be_visible()
    assert phone.out()
    phone.look_in()
    assert not phone.out()


def assert_models_are_kept(phone: Phone) -> None:
    """Models and runtimes came through the network once, and lie on the device."""
    kept = phone.kept()
    assert {path.rsplit(".", 1)[-1] for path in kept} >= {"onnx", "wasm", "mjs"}
    assert [path for path in kept if path.startswith("/api")] == []


def share_the_phone(phone: Phone, username: str) -> None:
    """Two people, one phone: each is greeted in their own way, and neither gets in as the other."""
    phone.leave("login.switch")
    phone.register(f"{username}-b", SECOND_NAME)
    phone.leave()
    expect_name(phone, f"{username}-b")
    people = phone.main.get_by_role("region", name=words("login.people.label"))
    expect(people.get_by_role("listitem")).to_have_count(2)
    phone.person.shot("two-people")
    phone.assert_accessible("two people")
    people.get_by_role("button", name=f"{NAME} @{username}").click()
    phone.person.see(NAME)
    phone.look_in()
    phone.go("/me")
    phone.main.get_by_role("heading", name=NAME).wait_for()


def change_the_password(phone: Phone, laptop: Phone) -> None:
    """A wrong one changes nothing; the right one ends every other session."""
    phone.go("/me/security")
    expect(phone.main.locator(".entry")).to_have_count(2, timeout=PATIENCE_MS)
    phone.person.shot("two-sessions")
    phone.person.press(words("mine.password.change"))
    dialog = phone.dialog
    dialog.get_by_label(words("mine.password.new"), exact=True).fill(NEW_PASSWORD)
    dialog.get_by_label(words("mine.password.old"), exact=True).fill("not the password")
    dialog.get_by_role("button", name=words("mine.password.do"), exact=True).click()
    expect(dialog.get_by_text(words("account.wrong.current"))).to_be_visible(timeout=PATIENCE_MS)
    phone.assert_accessible("wrong password")
    assert not laptop.out()
    dialog.get_by_label(words("mine.password.old"), exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name=words("mine.password.do"), exact=True).click()
    phone.person.see(words("mine.password.done"))
    expect(phone.main.locator(".entry")).to_have_count(1, timeout=PATIENCE_MS)
    assert not phone.out()
    assert laptop.out()


def leave_everywhere(phone: Phone, laptop: Phone, username: str) -> None:
    """The browser that was put out asks for the new password; then both are put out, and who looks away from the
    camera comes in by password."""
    laptop.person.page.get_by_role("navigation").get_by_role("link", name=words("app.tabs.me")).click()
    laptop.title("login.password.title")
    laptop.person.page.get_by_role("button", name=re.compile(f"@{username}")).click()
    laptop.try_password(PASSWORD)
    expect(laptop.main.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    assert laptop.out()
    laptop.try_password(NEW_PASSWORD)
    laptop.title("app.tabs.me")

    phone.go("/me/security")
    phone.person.press(words("mine.sessions.endAll"))
    phone.dialog.get_by_role("button", name=words("mine.sessions.endAllDo"), exact=True).click()
    phone.title("login.face.title")
    assert phone.out()
    assert laptop.out()
    phone.person.press(words("login.face.password"))
    expect_name(phone, username)
    phone.try_password(NEW_PASSWORD)
    phone.title("app.tabs.wallet")


def delete_the_face(phone: Phone, username: str) -> None:
    """With a receipt; afterwards the account has its password."""
    phone.go("/face")
    phone.person.press(words("me.delete.action"))
    phone.dialog.get_by_role("button", name=words("me.delete.confirm")).click()
    phone.person.see(words("me.receipt.title"))
    phone.person.see(words("recognise.empty.title"))
    phone.person.shot("deleted")
    phone.assert_accessible("deleted")
    phone.leave()
    expect_name(phone, username)
