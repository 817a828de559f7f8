"""The app on a phone: every screen, installed, updated and offline, against real servers; the wallet is beside it."""

import gzip
import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.app import Phone
from tests.browser.conftest import BUILT, Visit
from tests.browser.site import DESKTOP, NEW_PASSWORD, PATIENCE_MS, SMALL, words
from tests.processes import Machine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NAME = "试用者"
SHELL_LIMIT = 300 * 1024
# How the built service worker names its shell, whatever the minifier made of it.
SHELL_NAME = re.compile(r"(veilface-shell-[^0-9a-f]*)[0-9a-f]{16}")
SCREENS = {
    "wallet": "/wallet",
    "top-up": "/top-up",
    "receive": "/receive",
    "pay": "/pay",
    "history": "/history",
    "face": "/face",
    "enrol": "/face/enrol",
    "recognise": "/face/recognise",
    "me": "/me",
    "devices": "/me/devices",
    "security": "/me/security",
    "galleries": "/me/galleries",
    "consent": "/me/consent",
}


def test_the_app_installs_opens_offline_and_every_screen_is_for_everybody(
    site: Machine, visit: Visit, username: str
) -> None:
    phone = Phone(visit(site, None, viewport=SMALL))
    assert_asks_before_it_updates(phone)
    for name, path in {"register": "/register", "password-login": "/login/password"}.items():
        look(phone, name, path)
    phone.register(username, NAME)
    assert phone.balance() == "¥0.00"
    assert_installable(phone)
    for name, path in SCREENS.items():
        look(phone, name, path)
    use_a_passkey(phone)
    assert_opens_offline(phone)


def look(phone: Phone, name: str, path: str) -> None:
    """One screen by day in Chinese and by night in English, small and large."""
    page = phone.person.page
    phone.go(path)
    for language, scheme in (("zh", "light"), ("en", "dark")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.evaluate("(language) => localStorage.setItem('veilface.language', language)", language)
        page.reload()
        expect(phone.main.locator("h1, h2").first).to_be_visible(timeout=PATIENCE_MS)
        expect(phone.main.locator(".skeleton")).to_have_count(0, timeout=PATIENCE_MS)
        phone.person.shot(f"{name}.{language}")
        phone.assert_accessible(f"{name} {language}")
        page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
        phone.person.shot(f"{name}.{language}")
        page.set_viewport_size(SMALL)  # type: ignore[arg-type]
    page.evaluate("localStorage.setItem('veilface.language', 'zh')")
    page.emulate_media(color_scheme="light")


def assert_asks_before_it_updates(phone: Phone) -> None:
    """Another build is noticed, waits for the person's word, and is there after it."""
    page, context = phone.person.page, phone.person.context
    older = "0" * 16

    def deliver_older(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=SHELL_NAME.sub(rf"\g<1>{older}", answer.text()))

    context.route("**/app/sw.js", deliver_older)
    phone.go("/login")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    assert shells(phone) == [older]
    context.unroute("**/app/sw.js")
    page.reload()
    expect(page.get_by_text(words("app.update.waiting.title"))).to_be_visible(timeout=PATIENCE_MS)
    phone.person.shot("update")
    phone.assert_accessible("update")
    assert older in shells(phone)
    with page.expect_navigation():
        page.get_by_role("button", name=words("app.update.waiting.do")).click()
    phone.title("login.password.title")
    expect(page.get_by_text(words("app.update.waiting.title"))).to_have_count(0)
    [now] = shells(phone)
    assert now != older


def shells(phone: Phone) -> list[str]:
    """The versions of the shell that the browser keeps."""
    names: list[str] = phone.person.page.evaluate("caches.keys()")
    return [name.removeprefix("veilface-shell-") for name in names if name.startswith("veilface-shell-")]


def assert_installable(phone: Phone) -> None:
    """Chromium would install it, and its shell is small."""
    page = phone.person.page
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.reload()
    chromium = phone.person.context.new_cdp_session(page)
    assert chromium.send("Page.getAppManifest")["errors"] == []
    errors = chromium.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one for one in errors if one["errorId"] != "in-incognito"] == []
    lists = (BUILT.parent / "sw.js").read_text("utf-8").split("]", 2)[:2]
    listed = re.findall(r'"/static/web/([^"]+)"', "".join(lists))
    assert len(listed) > 10
    assert "boot.js" in listed
    packed = sum(len(gzip.compress((BUILT.parent / name).read_bytes())) for name in listed)
    assert packed <= SHELL_LIMIT, f"the shell is {packed} B"


def use_a_passkey(phone: Phone) -> None:
    """A passkey is made, opens the account without the password, and stands in for a forgotten one."""
    phone.add_passkey()
    phone.leave()
    phone.title("login.password.title")
    phone.person.press(words("login.passkey"))
    phone.title("app.tabs.wallet")
    phone.go("/me/security")
    phone.person.press(words("mine.password.change"))
    phone.dialog.get_by_label(words("mine.password.new"), exact=True).fill(NEW_PASSWORD)
    phone.assert_accessible("dialog")
    phone.dialog.get_by_role("button", name=words("mine.password.passkey")).click()
    phone.person.see(words("mine.password.done"))
    phone.person.shot("password-changed")
    phone.assert_accessible("password changed")


def assert_opens_offline(phone: Phone) -> None:
    """Without a network the shell opens and says so; no answer of the API was kept."""
    phone.person.context.set_offline(True)
    phone.go("/wallet")
    expect(phone.person.page.get_by_role("navigation", name=words("app.tabs.label"))).to_be_visible()
    phone.person.see(words("layout.downTitle"))
    phone.person.shot("offline")
    phone.assert_accessible("offline")
    phone.person.context.set_offline(False)
    kept = phone.kept()
    assert "/app" in kept
    assert [path for path in kept if path.startswith("/api")] == []
