"""A person at the site: a browser with a fake camera, and the words of the site by their keys."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from veilface.protect.scheme import protection, protections

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "web/src/locales"
PASSWORD = "seven quiet herons"
NEW_PASSWORD = "nine patient cranes"
PHONE = {"width": 360, "height": 740}
SMALL = {"width": 360, "height": 780}
DESKTOP = {"width": 1440, "height": 900}
# A first look loads 25 MB of models into a machine that may be busy.
PATIENCE_MS = 120_000
IMAGES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")
SIGNED = 320


def words(key: str, language: str = "zh", **values: object) -> str:
    """The sentence ``area.path.to.it`` in the site's own words."""
    area, *path = key.split(".")
    sentence: Any = json.loads((LOCALES / language / f"{area}.json").read_text("utf-8"))
    for name in path:
        sentence = sentence[name]
    for name, value in values.items():
        sentence = sentence.replace("{" + name + "}", str(value))
    return str(sentence)


def template_bytes(scheme: str) -> str:
    """How much the server stores, as the pages write it."""
    return f"{protection(scheme).template_bytes:,}"


@dataclass
class Traffic:
    """What left the browser towards the API: path and body of every request that carried one."""

    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Remember a request's body."""
        if "/api/v1/" in request.url and request.post_data_buffer is not None:
            self.sent.append((request.url.split("/api/v1")[1], request.post_data_buffer))

    def to(self, path: str) -> list[bytes]:
        """The bodies sent to ``path``."""
        return [body for where, body in self.sent if where == path]

    def assert_no_picture(self) -> None:
        """Nothing that was sent is a picture, and templates and probes have exactly their size."""
        sizes = {
            "/enrolments": {SIGNED + known.template_bytes for known in protections()},
            "/verifications": {SIGNED + known.probe_bytes for known in protections()},
            "/face-login": {SIGNED + known.probe_bytes for known in protections()},
        }
        for path, body in self.sent:
            assert not any(mark in body[:16] for mark in IMAGES), path
            assert len(body) in sizes[path] if path in sizes else len(body) < 2000, path


@dataclass
class Person:
    """One browser profile at one address."""

    context: BrowserContext
    url: str
    keep: Callable[[Page, str], None]
    page: Page = field(init=False)
    traffic: Traffic = field(default_factory=Traffic)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page = self.context.pages[0] if self.context.pages else self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", self.traffic.note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: str) -> None:
        """Open a page of the site."""
        self.page.goto(self.url + path)

    def see(self, text: str) -> Locator:
        """Wait until ``text`` is on the screen."""
        found = self.page.get_by_text(text).first
        expect(found).to_be_visible(timeout=PATIENCE_MS)
        return found

    def press(self, text: str) -> None:
        """Press the button or link of that name."""
        self.page.locator("main").get_by_role("button", name=text).or_(
            self.page.locator("main").get_by_role("link", name=text)
        ).first.click()

    def settle(self) -> None:
        """Wait until whatever moves on its way to its place is there."""
        self.page.evaluate(
            """() => Promise.allSettled(document.getAnimations()
              .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
              .map((one) => one.finished)).then(() => undefined)"""
        )

    def shot(self, name: str) -> None:
        """Keep a screenshot, and see that nothing sticks out to the side."""
        self.settle()
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width <= 0, f"{name} is {width} px too wide"
        self.keep(self.page, name)

    def register(self, username: str) -> None:
        """A new account, logged in."""
        self.go("/register")
        self.page.get_by_label(words("account.username"), exact=True).fill(username)
        self.page.get_by_label(words("account.displayName"), exact=True).fill("试用者")
        self.page.get_by_label(words("account.password"), exact=True).fill(PASSWORD)
        self.page.get_by_role("checkbox").check()
        self.press(words("account.create"))
        self.page.wait_for_url("**/enrol")

    def enrol(self, scheme: str = "homomorphic") -> None:
        """From the enrolment page to the receipt, with the camera."""
        self.choose(scheme)
        self.press(words("enrol.before.camera"))
        self.see(words("enrol.title.review"))
        self.press(words("enrol.review.confirm"))
        self.see(words(f"enrol.done.received.{scheme}", bytes=template_bytes(scheme)))

    def renew(self, scheme: str) -> None:
        """From one's own data to a new template, with the camera."""
        self.begin_renewal(scheme)
        self.see(words("enrol.title.review"))
        self.press(words("enrol.review.renew"))
        self.see(words("enrol.done.renewed"))
        self.see(words(f"enrol.done.received.{scheme}", bytes=template_bytes(scheme)))

    def begin_renewal(self, scheme: str = "homomorphic", password: str = PASSWORD) -> None:
        """Press the one button, choose, give the password and open the camera."""
        self.go("/me")
        self.press(words("me.renew"))
        self.choose(scheme)
        self.page.get_by_label(words("enrol.before.renewal.password"), exact=True).fill(password)
        self.press(words("enrol.before.camera"))

    def choose(self, scheme: str) -> None:
        """Choose this protection."""
        self.page.get_by_role("radio", name=words(f"data.scheme.{scheme}.name"), exact=True).check()

    def recognise(self) -> str:
        """Look at the camera; the outcome."""
        self.go("/recognise")
        result = self.page.locator("[data-outcome]")
        expect(result).to_be_visible(timeout=PATIENCE_MS)
        return str(result.get_attribute("data-outcome"))
