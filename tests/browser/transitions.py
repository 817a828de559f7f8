"""How smoothly the app's screens change in Chromium on a telephone: python -m tests.browser.transitions [ROUNDS]

Real servers, the built site, an emulated telephone with touch. Goes back and forth between the screens by what a person
would press, and prints as JSON, for every change and for all together, the time between frames while the new screen
arrives: median, 95th percentile, longest, and the share of frames that came within 17.5 ms; and the processor time
that a change took the page's thread for scripts and for layout, which a busy machine does not change. The first round,
which loads the screens, is told apart. A machine without a display draws in software and loses frames of its own.
"""

import json
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import CDPSession, sync_playwright

from tests.browser.app import Phone
from tests.browser.conftest import machine_in
from tests.browser.site import SMALL, Person

SMOOTH_MS: Final = 17.5
"""A frame at 60 Hz, with what a clock may be off."""
BAR: Final = "nav a[href='{}']"
ROW: Final = "main a[href='{}']"
BACK: Final = "main .back"
# What is pressed, and where it leads; begins and ends at the wallet.
TOUR: Final = (
    (BAR, "/app/face"),
    (BAR, "/app/me"),
    (ROW, "/app/me/devices"),
    (BACK, "/app/me"),
    (ROW, "/app/me/security"),
    (BACK, "/app/me"),
    (BAR, "/app/wallet"),
    (ROW, "/app/receive"),
    (BACK, "/app/wallet"),
)
CHANGE: Final = """
([pressed, path]) => new Promise((resolve) => {
  const times = []
  const moving = (one) => one.playState === 'running' && one.effect.getComputedTiming().iterations !== Infinity
  const rests = () => document.querySelector('main h1') && !document.getAnimations().some(moving)
  const frame = (now) => {
    times.push(now)
    if (location.pathname === path && rests()) resolve(times.slice(1).map((time, at) => time - times[at]))
    else requestAnimationFrame(frame)
  }
  requestAnimationFrame((now) => {
    times.push(now)
    document.querySelector(pressed).click()
    requestAnimationFrame(frame)
  })
})
"""
"""Presses, and gives the milliseconds between frames until the new screen has arrived and come to rest."""


def main(rounds: int) -> None:
    """The tour, so many times over after the one that loads the screens."""
    with (
        tempfile.TemporaryDirectory() as made,
        machine_in(Path(made)) as machine,
        machine.keyholder(),
        machine.server(),
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = chromium.new_context(
            viewport=SMALL,  # type: ignore[arg-type]
            device_scale_factor=3,
            is_mobile=True,
            has_touch=True,
            locale="zh-CN",
        )
        phone = Phone(Person(context, machine.url, lambda _page, _name: None))
        phone.register("visitor", "试用者")
        phone.go("/wallet")
        phone.title("app.tabs.wallet")
        inspector = context.new_cdp_session(phone.main.page)
        inspector.send("Performance.enable", {"timeDomain": "threadTicks"})
        tours = [tour(phone, inspector) for _ in range(1 + rounds)]
        chromium.close()
    json.dump({"first": report(tours[:1]), "later": report(tours[1:])}, sys.stdout, indent=2)


@dataclass(frozen=True)
class Change:
    """From where to where; milliseconds between its frames, and of processor time."""

    name: str
    frames: list[float]
    script: float
    layout: float


def tour(phone: Phone, chromium: CDPSession) -> list[Change]:
    """Every change once."""
    changes, here = [], "/app/wallet"
    for pressed, path in TOUR:
        selector = pressed.format(path)
        phone.main.page.wait_for_selector(selector)
        phone.person.settle()
        before = work(chromium)
        frames = phone.main.page.evaluate(CHANGE, [selector, path])
        script, layout = (now - then for now, then in zip(work(chromium), before, strict=True))
        changes.append(Change(f"{here} → {path}", frames, script, layout))
        here = path
    return changes


def work(chromium: CDPSession) -> tuple[float, float]:
    """Milliseconds of processor time so far: scripts; style and layout."""
    spent = {one["name"]: one["value"] * 1000 for one in chromium.send("Performance.getMetrics")["metrics"]}
    return spent["ScriptDuration"], spent["RecalcStyleDuration"] + spent["LayoutDuration"]


def report(tours: list[list[Change]]) -> dict[str, dict[str, float]]:
    """By change, and all together."""
    series: dict[str, list[Change]] = defaultdict(list)
    for change in (change for changes in tours for change in changes):
        series[change.name].append(change)
        series["all"].append(change)
    return {name: figures(changes) for name, changes in series.items()}


def figures(changes: list[Change]) -> dict[str, float]:
    """In milliseconds, and the share that was smooth."""
    frames = [time for change in changes for time in change.frames]
    return {
        "frames": len(frames),
        "median_ms": round(statistics.median(frames), 1),
        "p95_ms": round(statistics.quantiles(frames, n=20, method="inclusive")[-1], 1),
        "longest_ms": round(max(frames), 1),
        "smooth": round(sum(time <= SMOOTH_MS for time in frames) / len(frames), 3),
        "script_ms": round(statistics.median(change.script for change in changes), 1),
        "layout_ms": round(statistics.median(change.layout for change in changes), 1),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
