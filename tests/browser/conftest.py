"""Real servers, a real Chromium, and a camera that shows photographs."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from tests.browser.camera import SCENES, clip
from tests.browser.site import PHONE, ROOT, Person
from tests.processes import Machine, free_port
from veilface.face.pipeline import FacePipeline

BUILT = ROOT / "src/veilface/server/static/web/index.html"
ARTEFACTS = ROOT / "artifacts/browser"
FAKE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

Visit = Callable[..., Person]


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def clips(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The camera clip of a scene, made when it is first wanted."""
    folder, pipeline = tmp_path_factory.mktemp("clips"), FacePipeline()

    def made(scene: str) -> Path:
        file = folder / f"{scene.replace(' ', '-')}.mjpeg"
        if not file.exists():
            file.write_bytes(clip(SCENES[scene], photos, pipeline))
        return file

    return made


@contextmanager
def machine_in(folder: Path) -> Iterator[Machine]:
    """A folder for both programs; they are not started yet."""
    assert BUILT.exists(), "build the site first: npm --prefix web run build"
    made = Machine(folder, f"sqlite:///{folder / 'veilface.sqlite3'}", free_port(), free_port())
    made.initialise()
    with closing(made):
        yield made


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Server and key holder, running."""
    with machine_in(tmp_path_factory.mktemp("site")) as machine, machine.keyholder(), machine.server():
        yield machine


@pytest.fixture
def visit(
    request: pytest.FixtureRequest,
    playwright: Playwright,
    clips: Callable[[str], Path],
    tmp_path: Path,
) -> Iterator[Visit]:
    """Opens a browser: ``visit(machine, scene)``; the same ``profile`` again is the same device.

    ``scene`` – its name, or a clip for the camera. ``beside`` – the browsers that are open stay open.
    """
    chromium = shutil.which("chromium")
    assert chromium, "install Debian's chromium"
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    test = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
    people: list[Person] = []

    def keep(page: Page, name: str) -> None:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=ARTEFACTS / f"{test}.{name}.{width}.png", full_page=True)

    def close() -> None:
        for person in people:
            person.context.close()

    with ExitStack() as stack:
        stack.callback(close)

        def open_browser(
            machine: Machine,
            scene: str | Path | None = "obama",
            *,
            profile: str = "own",
            beside: bool = False,
            flags: tuple[str, ...] = FAKE,
            viewport: dict[str, int] | None = None,
        ) -> Person:
            if not beside:
                close()
                people.clear()
            clip_file = clips(scene) if isinstance(scene, str) else scene
            camera = (f"--use-file-for-fake-video-capture={clip_file}",) if clip_file else ()
            context: BrowserContext = playwright.chromium.launch_persistent_context(
                tmp_path / profile,
                executable_path=chromium,
                args=["--no-sandbox", *flags, *camera],
                viewport=viewport or PHONE,  # type: ignore[arg-type]
                locale="zh-CN",
            )
            person = Person(context, machine.url, keep)
            people.append(person)
            return person

        yield open_browser
        for person in people:
            assert person.complaints == []


@pytest.fixture
def username() -> str:
    return f"visitor-{uuid4().hex[:8]}"
