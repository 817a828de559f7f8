"""A real Chromium and Python see the same face in the same picture."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.parity_server import serving
from tests.face.pictures import REFUSED, VARIANTS
from veilface.face.errors import PictureError
from veilface.face.pipeline import Face, FacePipeline
from veilface.face.quality import COMFORTABLE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
COSINE = 0.9999
PIXELS = 1.0


@pytest.fixture(scope="module")
def site() -> Path:
    """The parity page, built from the site's own sources."""
    vite = ROOT / "web/node_modules/.bin/vite"
    subprocess.run([vite, "build", "-c", "tests/parity/vite.config.ts"], cwd=ROOT / "web", check=True)
    return ROOT / ".cache/parity"


@pytest.fixture(scope="module")
def pictures(photos: Path) -> dict[str, bytes]:
    refused = {name: make(photos) for name, (make, _) in REFUSED.items()}
    return refused | {name: make(photos) for name, make in VARIANTS.items()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "install Debian's chromium"
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        yield browser


@contextmanager
def opened(browser: Browser, site: Path, pictures: dict[str, bytes], *, isolated: bool) -> Iterator[Page]:
    """The parity page with its engine loaded."""
    with serving(site, pictures, isolated=isolated) as address, browser.new_page() as page:
        page.goto(address)
        progress = page.evaluate("page.load()")
        assert progress["loaded"] == progress["total"] > 24_000_000
        assert progress["isolated"] == isolated
        yield page


@pytest.fixture(scope="module")
def page(browser: Browser, site: Path, pictures: dict[str, bytes]) -> Iterator[Page]:
    with opened(browser, site, pictures, isolated=True) as page:
        yield page


@pytest.fixture(scope="module")
def pipeline() -> FacePipeline:
    return FacePipeline()


def assert_same_face(seen: dict[str, Any], face: Face) -> None:
    """Box, landmarks and angles of the browser's ``seen`` agree with Python's ``face``."""
    assert np.abs(np.subtract(seen["box"], face.box)).max() < PIXELS
    assert np.abs(np.subtract(seen["landmarks"], face.landmarks)).max() < PIXELS
    assert seen["score"] == pytest.approx(face.score, abs=1e-3)
    assert seen["prominence"] == pytest.approx(face.prominence, abs=PIXELS)
    assert tuple(seen["quality"]["problems"]) == face.quality.problems
    for measure in ("size", "sharpness", "brightness", "yaw", "pitch", "roll", "occlusion"):
        assert seen["quality"][measure] == pytest.approx(getattr(face.quality, measure), rel=0.02, abs=0.2), measure


@pytest.mark.parametrize("name", VARIANTS)
def test_browser_and_python_embed_alike(
    page: Page, pipeline: FacePipeline, pictures: dict[str, bytes], name: str
) -> None:
    result = page.evaluate("name => page.look('/pictures/' + name, 'analyse')", name)
    assert "error" not in result
    expected = pipeline.faces(pictures[name])
    assert len(result["faces"]) == len(expected) > 0
    for seen, face in zip(result["faces"], expected, strict=True):
        assert face.embedding is not None
        assert_same_face(seen, face)
        assert float(np.dot(seen["embedding"], face.embedding)) >= COSINE
        crop = np.array(seen["crop"], np.int64).reshape(112, 112, 4)
        assert np.abs(crop[..., :3] - face.crop).mean() < 1
        assert np.linalg.norm(seen["embedding"]) == pytest.approx(1, abs=1e-6)


def test_the_quick_look_agrees_too(page: Page, pipeline: FacePipeline, pictures: dict[str, bytes]) -> None:
    result = page.evaluate("page.look('/pictures/obama.jpg', 'detect')")
    (expected,) = pipeline.faces(pictures["obama.jpg"], embed=False, thorough=False, limits=COMFORTABLE)
    (seen,) = result["faces"]
    assert_same_face(seen, expected)
    assert seen.get("embedding") is None


def test_one_thread_does_where_the_page_is_not_isolated(
    browser: Browser, site: Path, pipeline: FacePipeline, pictures: dict[str, bytes]
) -> None:
    with opened(browser, site, pictures, isolated=False) as page:
        (seen,) = page.evaluate("page.look('/pictures/small.jpg', 'analyse')")["faces"]
    (expected,) = pipeline.faces(pictures["small.jpg"])
    assert_same_face(seen, expected)
    assert expected.embedding is not None
    assert float(np.dot(seen["embedding"], expected.embedding)) >= COSINE


@pytest.mark.parametrize("name", REFUSED)
def test_browser_and_python_refuse_alike(
    page: Page, pipeline: FacePipeline, pictures: dict[str, bytes], name: str
) -> None:
    with pytest.raises(PictureError) as refusal:
        pipeline.faces(pictures[name])
    assert refusal.value.code == REFUSED[name][1]
    assert page.evaluate("name => page.look('/pictures/' + name, 'analyse')", name) == {"error": refusal.value.code}
