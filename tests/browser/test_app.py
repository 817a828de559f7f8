"""The app on a phone: every screen, installed and offline, against real servers; the wallet is tested beside it."""

import gzip
import re

import pytest
from playwright.sync_api import expect

from tests.browser.app import Phone
from tests.browser.conftest import BUILT, Visit
from tests.browser.site import DESKTOP, PASSWORD, PATIENCE_MS, SMALL, words
from tests.processes import Machine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NAME = "试用者"
SHELL_LIMIT = 300 * 1024
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
    for name, path in {"register": "/register", "password-login": "/login/password"}.items():
        look(phone, name, path)
    phone.register(username, NAME)
    assert phone.balance() == "¥0.00"
    assert_installable(phone)
    for name, path in SCREENS.items():
        look(phone, name, path)
    sign_in_by_passkey(phone)
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


def assert_installable(phone: Phone) -> None:
    """Chromium would install it, and its shell is small."""
    page = phone.person.page
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.reload()
    chromium = phone.person.context.new_cdp_session(page)
    assert chromium.send("Page.getAppManifest")["errors"] == []
    errors = chromium.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [one for one in errors if one["errorId"] != "in-incognito"] == []
    listed = re.findall(r'"/static/web/([^"]+)"', (BUILT.parent / "sw.js").read_text("utf-8").split("]", 1)[0])
    assert len(listed) > 10
    packed = sum(len(gzip.compress((BUILT.parent / name).read_bytes())) for name in listed)
    assert packed <= SHELL_LIMIT, f"the shell is {packed} B"


def sign_in_by_passkey(phone: Phone) -> None:
    """A passkey is made, and opens the account without the password."""
    page = phone.person.page
    chromium = phone.person.context.new_cdp_session(page)
    chromium.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    able = {"isUserVerified": True, "automaticPresenceSimulation": True}
    chromium.send("WebAuthn.addVirtualAuthenticator", {"options": kind | able})
    phone.go("/me/security")
    phone.person.press(words("mine.passkeys.add"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(words("account.password"), exact=True).fill(PASSWORD)
    phone.assert_accessible("dialog")
    dialog.get_by_role("button", name=words("mine.passkeys.addDo"), exact=True).click()
    expect(dialog).to_be_hidden(timeout=PATIENCE_MS)
    phone.leave()
    phone.title("login.password.title")
    phone.person.press(words("login.passkey"))
    phone.title("app.tabs.wallet")


def assert_opens_offline(phone: Phone) -> None:
    """Without a network the shell opens and says so; no answer of the API was kept."""
    phone.person.context.set_offline(True)
    phone.go("/wallet")
    expect(phone.person.page.get_by_role("navigation", name=words("app.tabs.label"))).to_be_visible()
    phone.person.see(words("layout.downTitle"))
    phone.person.shot("offline")
    phone.assert_accessible("offline")
    phone.person.context.set_offline(False)
    kept: list[str] = phone.person.page.evaluate(
        """async () => {
          const requests = []
          for (const name of await caches.keys()) requests.push(...await (await caches.open(name)).keys())
          return requests.map((request) => new URL(request.url).pathname)
        }"""
    )
    assert "/app" in kept
    assert [path for path in kept if path.startswith("/api")] == []
