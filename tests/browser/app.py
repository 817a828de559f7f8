"""A person with the app on their phone: what they do there, in the app's own words."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.site import PASSWORD, PATIENCE_MS, ROOT, Person, template_bytes, words

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
MOST_TRIES = 20
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Phone:
    """One person's app."""

    person: Person

    @property
    def main(self) -> Locator:
        """The page, without the bar at the bottom."""
        return self.person.page.locator("main")

    @property
    def dialog(self) -> Locator:
        """The question that is open."""
        return self.person.page.get_by_role("dialog")

    def go(self, path: str) -> None:
        """Open a page of the app."""
        self.person.go(f"/app{path}")

    def title(self, key: str) -> None:
        """Wait until the screen with this heading is there."""
        expect(self.main.locator("h1").first).to_have_text(words(key), timeout=PATIENCE_MS)

    def fill(self, key: str, value: str) -> None:
        """Type into the field of that label."""
        self.person.page.get_by_label(words(key), exact=True).fill(value)

    def register(self, username: str, name: str) -> None:
        """A new account, which leads on to enrolling."""
        self.go("/register")
        self.fill("account.username", username)
        self.fill("account.displayName", name)
        self.fill("account.password", PASSWORD)
        self.person.page.get_by_role("checkbox").check()
        self.person.press(words("account.create"))
        self.person.page.wait_for_url("**/app/face/enrol")

    def enrol(self, scheme: str = "homomorphic") -> None:
        """With the camera, to the receipt."""
        self.person.choose(scheme)
        self.person.press(words("enrol.before.camera"))
        self.person.see(words("enrol.title.review"))
        self.person.press(words("enrol.review.confirm"))
        self.person.see(words(f"enrol.done.received.{scheme}", bytes=template_bytes(scheme)))

    def renew(self, scheme: str) -> None:
        """From the page of one's face to a new template, with the camera."""
        self.go("/face")
        self.person.press(words("me.renew"))
        self.person.choose(scheme)
        self.fill("enrol.before.renewal.password", PASSWORD)
        self.person.press(words("enrol.before.camera"))
        self.person.see(words("enrol.title.review"))
        self.person.press(words("enrol.review.renew"))
        self.person.see(words(f"enrol.done.received.{scheme}", bytes=template_bytes(scheme)))

    def top_up(self, yuan: str) -> None:
        """Ask the provider, and wait until the money is there."""
        self.go("/top-up")
        self.fill("wallet.topUp.amount", yuan)
        with self.person.page.expect_response("**/wallet/top-ups") as asked:
            self.main.get_by_role("button", name=words("wallet.topUp.title")).click()
        assert asked.value.json()["state"] == "pending"
        expect(self.main.locator("[data-state=posted]")).to_be_visible(timeout=PATIENCE_MS)

    def balance(self) -> str:
        """As the wallet shows it."""
        self.go("/wallet")
        shown = self.main.locator(".balance:not(:has([aria-busy]))")
        expect(shown).to_be_visible(timeout=PATIENCE_MS)
        return shown.inner_text()

    def show_code(self, amount: str | None = None) -> bytes:
        """A photograph of the code to be paid by, as PNG."""
        self.go("/receive")
        code = self.main.locator("svg[data-code]")
        expect(code).to_be_visible(timeout=PATIENCE_MS)
        if amount is not None:
            before = str(code.get_attribute("data-code"))
            self.person.press(words("wallet.receive.setAmount"))
            self.fill("wallet.receive.amount", amount)
            self.dialog.get_by_role("button", name=words("wallet.receive.use")).click()
            expect(code).not_to_have_attribute("data-code", before)
        return code.screenshot()

    def give(self, code: bytes) -> None:
        """Have the scanner read a picture instead of the camera."""
        picture = {"name": "code.png", "mimeType": "image/png", "buffer": code}
        self.main.locator("input[type=file]").set_input_files(picture)  # type: ignore[arg-type]

    def log_in(self, username: str, password: str = PASSWORD) -> None:
        """With the password."""
        self.title("login.password.title")
        self.fill("account.username", username)
        self.try_password(password)
        self.title("app.tabs.wallet")

    def try_password(self, password: str) -> None:
        """For the name that stands there."""
        self.fill("account.password", password)
        self.main.get_by_role("button", name=words("nav.login"), exact=True).click()

    def look_in(self) -> None:
        """By face, from the greeting to the wallet."""
        self.title("login.face.title")
        self.person.press(words("login.face.do"))
        self.title("app.tabs.wallet")

    def move_until(self, done: Locator) -> None:
        """Movements as asked, once more where a busy machine looked too seldom to see them, until ``done`` is there."""
        again = self.main.get_by_role("button", name=words("camera.again"))
        for _ in range(MOST_TRIES):
            expect(done.or_(again).first).to_be_visible(timeout=PATIENCE_MS)
            if done.is_visible():
                return
            again.click()
            expect(again).to_be_hidden(timeout=PATIENCE_MS)
        expect(done).to_be_visible(timeout=PATIENCE_MS)

    def out(self) -> bool:
        """Whether the server knows this browser's session no more."""
        status: int = self.person.page.evaluate("fetch('/api/v1/account').then(({ status }) => status)")
        return status == HTTPStatus.UNAUTHORIZED

    def leave(self, key: str = "layout.logOut") -> None:
        """Log out, or switch the account."""
        self.go("/me")
        self.person.press(words(key))

    def kept(self) -> list[str]:
        """The paths of everything that the app's caches hold."""
        paths: list[str] = self.person.page.evaluate(
            """async () => {
              const requests = []
              for (const name of await caches.keys()) requests.push(...await (await caches.open(name)).keys())
              return requests.map((request) => new URL(request.url).pathname)
            }"""
        )
        return paths

    def scan(self) -> None:
        """From the wallet to what follows a good code."""
        self.go("/wallet")
        self.person.press(words("wallet.pay.title"))

    def amount(self, yuan: str) -> None:
        """Say how much."""
        self.title("wallet.pay.stage.amount")
        self.fill("wallet.pay.amount.label", yuan)
        self.person.press(words("wallet.pay.amount.next"))
        self.title("wallet.pay.stage.confirm")

    def agree(self) -> None:
        """Confirm payee and amount; the camera follows, or the password."""
        self.person.press(words("wallet.pay.confirm.do"))

    def outcome(self) -> str:
        """What came of it."""
        result = self.main.locator("[data-outcome]")
        expect(result).to_be_visible(timeout=PATIENCE_MS)
        return str(result.get_attribute("data-outcome"))

    def receipt(self) -> str:
        """The number of the receipt, which the device has checked."""
        receipt = self.main.locator("[data-proven=true]")
        expect(receipt).to_be_visible(timeout=PATIENCE_MS)
        return str(receipt.get_attribute("data-receipt"))

    def add_passkey(self) -> None:
        """From an authenticator that always agrees, with the account's password."""
        chromium = self.person.context.new_cdp_session(self.person.page)
        chromium.send("WebAuthn.enable")
        kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        able = {"isUserVerified": True, "automaticPresenceSimulation": True}
        chromium.send("WebAuthn.addVirtualAuthenticator", {"options": kind | able})
        self.go("/me/security")
        self.person.press(words("mine.passkeys.add"))
        self.dialog.get_by_label(words("account.password"), exact=True).fill(PASSWORD)
        self.dialog.get_by_role("button", name=words("mine.passkeys.addDo"), exact=True).click()
        expect(self.dialog).to_be_hidden(timeout=PATIENCE_MS)

    def assert_accessible(self, name: str) -> None:
        """Axe finds nothing to complain about on this screen, seen whole: nothing scrolls under the bar."""
        page = self.person.page
        size = page.viewport_size
        assert size
        self.person.settle()
        whole = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": size["width"], "height": max(size["height"], whole)})
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE.read_text("utf-8"))
        found: list[dict[str, Any]] = page.evaluate(
            """async (tags) => (await axe.run(document, { runOnly: tags })).violations
              .map(({ id, nodes }) => ({ id, nodes: nodes.map((node) => node.html.slice(0, 200)) }))""",
            AXE_RULES,
        )
        page.set_viewport_size(size)
        assert found == [], f"{name}: {json.dumps(found, ensure_ascii=False, indent=1)}"
