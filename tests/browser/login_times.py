"""How long a face login takes in Chromium, from the shutter to the session: python -m tests.browser.login_times [N]

Real servers, the built site, a camera before which a photograph's face moves as asked. Two series of N logins (10),
with movements and without; prints JSON, and keeps it as ``artifacts/face-login.json``. The shutter is the frame that
is judged: the last one taken of the camera before the login is sent. What people do before it takes them seconds, and
is told apart.
"""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import BrowserContext, Playwright, expect, sync_playwright

from tests.browser.app import Phone
from tests.browser.camera import SCENES, clip
from tests.browser.conftest import FAKE, machine_in
from tests.browser.moving import camera
from tests.browser.site import PATIENCE_MS, ROOT, SMALL, Person, words
from tests.processes import Machine
from veilface.face.pipeline import FacePipeline
from veilface.selftest import photos_folder

MOST: Final = 18  # the key holder decides twenty times an hour for an account
END_OF_JPEG: Final = b"\xff\xd9"
WATCH: Final = """
(() => {
  const noted = (window.noted = {})
  const make = window.createImageBitmap.bind(window)
  window.createImageBitmap = (source, ...rest) => {
    if (source instanceof HTMLVideoElement && noted.sent === undefined) noted.shutter = performance.now()
    return make(source, ...rest)
  }
  const ask = window.fetch.bind(window)
  window.fetch = async (address, options) => {
    const login = options?.method === 'POST' && String(address).endsWith('/face-login')
    if (login) noted.sent = performance.now()
    const answer = await ask(address, options)
    if (login) noted.session = performance.now()
    return answer
  }
  const push = history.pushState.bind(history)
  history.pushState = (...given) => {
    if (noted.session !== undefined) noted.screen ??= performance.now()
    push(...given)
  }
})()
"""
"""Notes milliseconds of the page's steady clock; ``pressed`` is added when the button is."""

SPANS: Final = {
    "shutter_to_session": ("shutter", "session"),
    "of_it_measuring_and_protecting": ("shutter", "sent"),
    "of_it_sending_and_judging": ("sent", "session"),
    "shutter_to_next_screen": ("shutter", "screen"),
    "button_to_session": ("pressed", "session"),
}


@dataclass(frozen=True)
class Measured:
    """Logins, each a span by name in milliseconds."""

    logins: list[dict[str, float]]

    def report(self) -> dict[str, dict[str, float]]:
        """Median and minimum of every span."""
        series = {name: [one[name] for one in self.logins] for name in SPANS}
        return {
            name: {"median_ms": round(statistics.median(times), 1), "min_ms": round(min(times), 1)}
            for name, times in series.items()
        }


def main(logins: int) -> None:
    """Both series, one after the other."""
    report: dict[str, object] = {"logins": logins}
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        for name, liveness in (("without_movements", "none"), ("with_movements", "login,payment")):
            folder = Path(made) / name
            with machine_in(folder) as machine:
                machine.settings["VEILFACE_LIVENESS"] = liveness
                with machine.keyholder(), machine.server():
                    report[name] = Measured(series(playwright, machine, folder, logins)).report()
            print(name, json.dumps(report[name]), file=sys.stderr, flush=True)  # noqa: T201 – a command
    file = ROOT / "artifacts/face-login.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    json.dump(report, sys.stdout, indent=2)


def series(playwright: Playwright, machine: Machine, folder: Path, logins: int) -> list[dict[str, float]]:
    """A new account enrols, and logs in again and again; the first time warms the app up."""
    still = clip(SCENES["obama"], photos_folder(), FacePipeline())
    (folder / "still.mjpeg").write_bytes(still)
    with browser(playwright, folder) as context:
        phone = Phone(Person(context, machine.url, lambda _page, _name: None))
        phone.register("visitor", "试用者")
        phone.enrol()
        context.add_init_script(WATCH)
        if machine.settings["VEILFACE_LIVENESS"] != "none":
            context.add_init_script(camera(still.split(END_OF_JPEG)[0] + END_OF_JPEG, FacePipeline()))
        return [login(phone) for _ in range(1 + logins)][1:]


@contextmanager
def browser(playwright: Playwright, folder: Path) -> Iterator[BrowserContext]:
    """A telephone's browser, whose camera shows the photograph at rest."""
    context = playwright.chromium.launch_persistent_context(
        folder / "profile",
        executable_path=shutil.which("chromium"),
        args=["--no-sandbox", *FAKE, f"--use-file-for-fake-video-capture={folder / 'still.mjpeg'}"],
        viewport=SMALL,  # type: ignore[arg-type]
        locale="zh-CN",
    )
    try:
        yield context
    finally:
        context.close()


def login(phone: Phone) -> dict[str, float]:
    """Out, and in again by face; what it took."""
    phone.leave()
    phone.title("login.face.title")
    button = phone.main.get_by_role("button", name=words("login.face.do"))
    expect(button).to_be_enabled(timeout=PATIENCE_MS)
    button.evaluate("(button) => { window.noted.pressed = performance.now(); button.click() }")
    inside = phone.main.get_by_role("heading", name=words("app.tabs.wallet"), level=1)
    phone.move_until(inside)
    noted: dict[str, float] = phone.person.page.evaluate("window.noted")
    return {name: noted[end] - noted[begin] for name, (begin, end) in SPANS.items()}


if __name__ == "__main__":
    main(min(MOST, int(sys.argv[1]) if len(sys.argv) > 1 else 10))
