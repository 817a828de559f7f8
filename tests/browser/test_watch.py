"""A browser as a kiosk: people before its camera, some of whom its gallery knows, and what it does with them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import BUILT, Visit
from tests.browser.site import DESKTOP, IMAGES, PATIENCE_MS, SIGNED, Person, words
from veilface import launcher
from veilface.protect.scheme import protection

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

GALLERY = "前台"
PURPOSE = "来访登记"
SEALED = SIGNED + protection("homomorphic").probe_bytes
APPLICATION = 161 + 2 * SEALED


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[launcher.Running, Callable[[], str]]]:
    """Server and key holder with one gallery, and its operator, who gives out a code for one kiosk."""
    assert BUILT.exists(), "build the site first: npm --prefix web run build"
    data = tmp_path_factory.mktemp("house")
    with launcher.running(data, port=launcher.free_port(), settings={}) as pair:
        operator(data, "create", GALLERY, "--purpose", PURPOSE, "--register")
        yield pair, lambda: str(json.loads(operator(data, "kiosk", GALLERY))["code"])


def operator(data: Path, verb: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "veilface", "gallery", verb, *arguments, "--data", str(data), "--json"]
    outside = {name: value for name, value in os.environ.items() if not name.startswith("VEILFACE_")}
    return subprocess.run(command, env=outside, capture_output=True, text=True, check=True).stdout


class Kiosk:
    """The person at the kiosk's page."""

    def __init__(self, person: Person) -> None:
        self.person, self.page = person, person.page

    def faces(self, outcome: str) -> Locator:
        return self.page.locator(f'[data-outcome="{outcome}"]')

    def called(self, name: str) -> None:
        """Wait until a face before the camera has this name."""
        expect(self.faces("named").filter(has_text=name)).to_be_visible(timeout=PATIENCE_MS)

    def strangers(self, count: int) -> None:
        expect(self.faces("unknown")).to_have_count(count, timeout=PATIENCE_MS)

    def join(self, code: str) -> None:
        self.person.go("/watch")
        self.page.get_by_label(words("watch.join.code")).fill(code)
        self.page.get_by_label(words("watch.join.name")).fill("北门")
        self.person.press(words("watch.join.do"))

    def register(self, name: str) -> None:
        """With the camera: shots are taken by themselves."""
        self.person.press(words("watch.people.register"))
        self.page.get_by_label(words("watch.register.name"), exact=True).fill(name)
        self.page.get_by_role("checkbox").check()
        self.page.get_by_role("button", name=words("watch.register.do")).click(timeout=PATIENCE_MS)
        self.person.see(words("watch.register.done", name=name))

    def register_pictures(self, name: str, *pictures: Path) -> None:
        self.apply(name, *pictures)
        self.person.see(words("watch.register.done", name=name))

    def apply(self, name: str, *pictures: Path) -> None:
        self.person.press(words("watch.people.register"))
        self.person.press(words("camera.upload"))
        self.page.locator("input[type=file]").set_input_files(pictures)
        self.page.get_by_label(words("watch.register.name"), exact=True).fill(name)
        self.page.get_by_role("checkbox").check()
        self.page.get_by_role("button", name=words("watch.register.do")).click(timeout=PATIENCE_MS)

    def confirm(self, key: str) -> None:
        self.page.get_by_role("dialog").get_by_role("button", name=words(key), exact=True).click()


def test_people_are_registered_named_renamed_and_removed(
    house: tuple[launcher.Running, Callable[[], str]], visit: Visit, photos: Path
) -> None:
    pair, code = house
    person = visit(pair, "obama")
    kiosk = Kiosk(person)
    kiosk.join("WRON-GCOD-E000")
    expect(person.page.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    person.shot("joining")
    kiosk.join(code())
    person.see(words("watch.people.empty"))
    kiosk.strangers(1)
    kiosk.register("贝拉克")
    kiosk.called("贝拉克")
    person.shot("registered")
    kiosk.apply("B. 奥巴马", photos / "obama2.jpg")
    person.see(words("watch.register.known.title", name="贝拉克"))
    renaming = person.page.get_by_role("button", name=words("watch.register.known.rename", name="B. 奥巴马"))
    expect(renaming).to_be_visible()
    person.shot("known")
    person.page.get_by_label(words("watch.register.name"), exact=True).fill("贝拉克")
    person.press(words("watch.register.known.replace"))
    person.see(words("watch.register.done", name="贝拉克"))
    kiosk.called("贝拉克")
    person.see(words("watch.people.title", count=1))

    person = visit(pair, "three people", viewport=DESKTOP)
    kiosk = Kiosk(person)
    person.go("/watch")
    kiosk.called("贝拉克")
    kiosk.strangers(2)
    kiosk.register_pictures("乔", photos / "biden.jpg")
    kiosk.called("乔")
    kiosk.strangers(1)
    person.press(words("watch.figures.show"))
    person.shot("named")

    person.press(words("watch.people.renameOf", name="乔"))
    person.page.get_by_role("dialog").get_by_label(words("watch.register.name"), exact=True).fill("乔 B.")
    kiosk.confirm("watch.people.renameDo")
    kiosk.called("乔 B.")
    person.press(words("watch.people.removeOf", name="乔 B."))
    kiosk.confirm("watch.people.removeDo")
    kiosk.strangers(2)

    person.press(words("watch.people.removeAll"))
    everybody = person.page.get_by_role("dialog").get_by_role("button", name=words("watch.people.removeAllDo"))
    expect(everybody).to_be_disabled()
    person.page.get_by_label(words("watch.people.typeName", gallery=GALLERY)).fill(GALLERY)
    everybody.click()
    person.see(words("watch.people.empty"))
    kiosk.strangers(3)
    join_and_leave(kiosk, visit(pair, "obama again", profile="member", beside=True))
    for path, body in person.traffic.sent:
        assert not any(mark in body[:16] for mark in IMAGES), path
        assert len(body) < 2000 or len(body) == (APPLICATION if path.startswith("/kiosk/people?") else SEALED), path
    let_another_in(kiosk, visit(pair, None, profile="another", beside=True), code())


def join_and_leave(kiosk: Kiosk, member: Person) -> None:
    """Somebody joins on a page of their own, told the purpose, is named, leaves there, and is named no longer."""
    kiosk.person.go("/")  # the camera rests meanwhile
    member.register("member")
    member.enrol()
    member.go("/me")
    member.see(PURPOSE)
    member.press(words("galleries.in.action"))
    dialog = member.page.get_by_role("dialog")
    expect(dialog.get_by_text(words("galleries.purpose", purpose=PURPOSE))).to_be_visible()
    member.shot("joining")
    dialog.get_by_role("button", name=words("galleries.in.confirm")).click()
    joined = member.see(words("galleries.joined"))

    kiosk.person.go("/watch")
    kiosk.called("试用者")
    kiosk.strangers(2)

    member.press(words("galleries.out.action"))
    dialog.get_by_role("button", name=words("galleries.out.confirm")).click()
    expect(joined).to_have_count(0, timeout=PATIENCE_MS)
    kiosk.person.go("/watch")
    kiosk.strangers(3)


def let_another_in(kiosk: Kiosk, waiting: Person, code: str) -> None:
    """A further kiosk joins, though the answer to it is lost once; waits; and goes on when this one lets it in."""

    def cut(route: Route) -> None:
        route.fetch()
        route.abort()

    another = Kiosk(waiting)
    waiting.page.route("**/api/v1/kiosks", cut, times=1)
    another.join(code)
    expect(waiting.page.get_by_role("alert")).to_be_visible(timeout=PATIENCE_MS)
    waiting.press(words("watch.join.do"))
    waiting.see(words("watch.waiting.title"))
    shown = waiting.page.locator(".code").inner_text()
    kiosk.person.see(words("watch.others.title", name="北门"))
    expect(kiosk.page.locator(".others .code")).to_have_text(shown)
    for person, name in ((waiting, "waiting"), (kiosk.person, "another-waits")):
        person.shot(name)
    kiosk.person.press(words("watch.others.approve"))
    kiosk.person.see(words("watch.others.approved", name="北门"))
    waiting.see(words("watch.people.empty"))
