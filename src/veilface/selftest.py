"""The whole of Veilface once through, as a stranger would use it: two processes, the public API, real faces.

One account goes through every protection: enrolled with the first, renewed with each of the others.

Everything happens in a temporary folder on free ports, whatever else runs on this machine.
"""

import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from veilface import launcher
from veilface.errors import VeilfaceError
from veilface.face.pipeline import FacePipeline
from veilface.protect.envelope import Outcome
from veilface.sdk import SCHEMES, Device

PHOTOS_VARIABLE: Final = "VEILFACE_PHOTOS"
ENROLLED, SAME_PERSON, ANOTHER_PERSON = "obama.jpg", "obama2.jpg", "biden.jpg"
NEEDED: Final = (ENROLLED, SAME_PERSON, ANOTHER_PERSON)
CLONE: Final = Path(__file__).parents[2]


class PhotosMissing(VeilfaceError):
    """``path`` lacks the photograph ``name``."""

    code = "selftest.photos_missing"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that was tried – under protection ``scheme``, if any –, whether it went as it must, and how long."""

    name: str
    scheme: str | None
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
    """Starts; under every protection enrols, accepts the same person, refuses another; deletes, stops.

    The steps in order.
    """
    photos, diary = photos_folder(), Diary()
    with tempfile.TemporaryDirectory(prefix="veilface-selftest-") as folder:
        data, device = Path(folder) / "data", Path(folder) / "device"
        with ExitStack() as processes:
            with diary.step("start"):
                pair = processes.enter_context(launcher.running(data, port=launcher.free_port(), settings={}))
            _use(pair.url, device, photos, diary)
            with diary.step("stop"):
                processes.close()
    return diary.steps


class Diary:
    """Writes down what was tried."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextmanager
    def step(self, name: str, scheme: str | None = None) -> Iterator[list[bool]]:
        """Times the block as one step, which passed if everything that the block adds to the list is true."""
        started, checks = time.perf_counter(), list[bool]()
        yield checks
        spent = (time.perf_counter() - started) * 1000
        self.steps.append(Step(name=name, scheme=scheme, passed=all(checks), spent_ms=spent))


def _use(url: str, folder: Path, photos: Path, diary: Diary) -> None:
    password = secrets.token_urlsafe(24)
    with diary.step("register"):
        device = Device.register(
            folder, server=url, username="selftest", password=password, accept_terms=True, faces=FacePipeline()
        )
    for number, scheme in enumerate(SCHEMES):
        with diary.step("renew" if number else "enrol", scheme) as checks:
            picture = photos / ENROLLED
            enrolment = (
                device.renew(picture, password=password, scheme=scheme)
                if number
                else device.enrol(picture, scheme=scheme)
            )
            checks.append(enrolment.template.scheme == scheme)
        with diary.step("genuine", scheme) as checks:
            checks.append(device.verify(photos / SAME_PERSON, scheme=scheme).accepted)
        with diary.step("impostor", scheme) as checks:
            checks.append(device.verify(photos / ANOTHER_PERSON, scheme=scheme).outcome is Outcome.NOT_ACCEPTED)
    with diary.step("delete"):
        device.delete()
