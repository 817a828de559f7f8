"""Every page of the site in a real Chromium: nothing sticks out, whatever the size, the light and the language."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.site import DESKTOP, PHONE, Person
from tests.processes import Machine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PAGES = {
    "home": "/",
    "enrol": "/enrol",
    "recognise": "/recognise",
    "me": "/me",
    "breach": "/breach",
    "about": "/about",
    "terms": "/terms",
    "missing": "/nowhere",
}


def test_every_page_on_a_phone_and_on_a_desktop(site: Machine, visit: Visit, username: str) -> None:
    person = visit(site, viewport=DESKTOP)
    for name, path in {"login": "/login", "register": "/register"}.items():
        look(person, name, path)
    person.register(username)
    person.enrol()
    for name, path in PAGES.items():
        look(person, name, path)


def look(person: Person, name: str, path: str) -> None:
    """One page in both sizes, by day in Chinese and by night in English."""
    person.go(path)
    for language, scheme in (("zh", "light"), ("en", "dark")):
        person.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        person.page.evaluate("(language) => localStorage.setItem('veilface.language', language)", language)
        person.page.reload(wait_until="networkidle")
        expect(person.page.locator("main h1").first).to_be_visible()
        for size in (PHONE, DESKTOP):
            person.page.set_viewport_size(size)  # type: ignore[arg-type]
            person.shot(f"{name}.{language}")
    person.page.evaluate("localStorage.setItem('veilface.language', 'zh')")
