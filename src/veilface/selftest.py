"""The whole of Veilface once through, as a stranger would use it: two processes, the public API, real faces.

Everything happens in a temporary folder on free ports, whatever else runs on this machine.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from veilface import launcher
from veilface.errors import VeilfaceError
from veilface.face.pipeline import FacePipeline
from veilface.sdk import Device

PHOTOS_VARIABLE: Final = "VEILFACE_PHOTOS"
ENROLLED, SAME_PERSON, ANOTHER_PERSON = "obama.jpg", "obama2.jpg", "biden.jpg"
NEEDED: Final = (ENROLLED, SAME_PERSON, ANOTHER_PERSON)
T = TypeVar("T")
CLONE: Final = Path(__file__).parents[2]


class PhotosMissing(VeilfaceError):
    """``path`` lacks the photograph ``name``."""

    code = "selftest.photos_missing"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was tried, whether it went as it must, and how long it took."""

    name: str
    passed: bool
    spent_ms: float


def photos_folder() -> Path:
    """Where the photographs are: ``VEILFACE_PHOTOS``, else ``.cache/photos`` in a clone; raises if they are not."""
    given = os.environ.get(PHOTOS_VARIABLE)
    folder = Path(given) if given else CLONE / ".cache" / "photos"
    for name in NEEDED:
        if not (folder / name).is_file():
            raise PhotosMissing(path=str(folder), name=name)
    return folder


def run() -> list[Step]:
    """Starts, enrols, accepts the same person, refuses another, deletes, stops; the steps in order."""
    photos = photos_folder()
    steps: list[Step] = []
    with tempfile.TemporaryDirectory(prefix="veilface-selftest-") as folder:
        started = time.perf_counter()
        with launcher.running(Path(folder) / "data", port=launcher.free_port(), settings={}) as pair:
            steps.append(Step(name="start", passed=True, spent_ms=(time.perf_counter() - started) * 1000))
            _use(pair.url, Path(folder) / "device", photos, steps)
            started = time.perf_counter()
        steps.append(Step(name="stop", passed=True, spent_ms=(time.perf_counter() - started) * 1000))
    return steps


def _use(url: str, folder: Path, photos: Path, steps: list[Step]) -> None:
    def attempt(name: str, action: Callable[[], T], expected: Callable[[T], bool] = lambda _: True) -> T:
        started = time.perf_counter()
        result = action()
        spent = (time.perf_counter() - started) * 1000
        steps.append(Step(name=name, passed=expected(result), spent_ms=spent))
        return result

    faces = FacePipeline()
    device = attempt(
        "register",
        lambda: Device.register(
            folder,
            server=url,
            username="selftest",
            password=secrets.token_urlsafe(24),
            accept_terms=True,
            faces=faces,
        ),
    )
    attempt("enrol", lambda: device.enrol(photos / ENROLLED))
    attempt("genuine", lambda: device.verify(photos / SAME_PERSON), lambda answer: answer.accepted)
    attempt("impostor", lambda: device.verify(photos / ANOTHER_PERSON), lambda answer: not answer.accepted)
    attempt("delete", device.delete)
