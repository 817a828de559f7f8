"""What the site makes of cameras and files, in a real Chromium: which it takes, and what it says of the others."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.site import PATIENCE_MS, words
from tests.face.pictures import side_by_side
from tests.processes import Machine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

FRAMES_PASS = """(video, frames) => new Promise((passed) => {
    const next = () => (frames-- > 0 ? video.requestVideoFrameCallback(next) : passed())
    next()
})"""
DENY = ("--use-fake-device-for-media-stream", "--deny-permission-prompts")


def files(photos: Path) -> dict[str, tuple[bytes, str]]:
    """Files nobody can be enrolled from, and the key of the reason."""

    def jpeg(image: Image.Image) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG")
        return buffer.getvalue()

    good = (photos / "obama.jpg").read_bytes()
    return {
        "note.jpg": (b"this is no picture", "unknown_picture_type"),
        "torn.jpg": (good[: len(good) // 3], "broken_picture"),
        "heavy.jpg": (good + bytes(6 * 1024 * 1024), "picture_too_heavy"),
        "wall.jpg": (jpeg(Image.new("RGB", (640, 480), (120, 124, 128))), "no_face"),
        "pair.jpg": (jpeg(side_by_side(photos)), "several_faces"),
    }


def test_enrolling_from_files(site: Machine, visit: Visit, photos: Path, username: str) -> None:
    person = visit(site)
    person.register(username)
    person.press(words("enrol.before.upload"))
    picker = person.page.locator("input[type=file]")
    expect(picker).to_be_enabled(timeout=PATIENCE_MS)
    for name, (content, reason) in files(photos).items():
        picker.set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": content})
        person.see(words(f"camera.problem.{reason}"))
        expect(person.page.locator(".tray img")).to_have_count(0)
        person.shot(f"refused-{name}")
    assert person.traffic.to("/enrolments") == []

    picker.set_input_files([photos / "obama.jpg", photos / "obama2.jpg"])
    expect(person.page.locator(".tray img")).to_have_count(2, timeout=PATIENCE_MS)
    person.page.get_by_role("button", name=words("camera.tray.remove", number=1)).click()
    expect(person.page.locator(".tray img")).to_have_count(1)
    person.shot("chosen")
    person.press(words("enrol.goOn"))
    person.press(words("enrol.review.confirm"))
    person.see(words("enrol.done.received.homomorphic", bytes="73,728"))
    person.traffic.assert_no_picture()
    assert person.recognise() == "accepted"


def test_pictures_of_two_people_are_not_averaged(site: Machine, visit: Visit, photos: Path, username: str) -> None:
    person = visit(site)
    person.register(username)
    person.press(words("enrol.before.upload"))
    picker = person.page.locator("input[type=file]")
    expect(picker).to_be_enabled(timeout=PATIENCE_MS)
    picker.set_input_files([photos / "obama.jpg", photos / "biden.jpg"])
    expect(person.page.locator(".tray img")).to_have_count(2, timeout=PATIENCE_MS)
    person.press(words("enrol.goOn"))
    person.see(words("enrol.review.different.title"))
    expect(person.page.get_by_role("button", name=words("enrol.review.confirm"))).to_be_disabled()
    person.shot("different")


@pytest.mark.parametrize(
    ("scene", "line"),
    [
        ("nobody", "no_face"),
        ("far away", "too_small"),
        ("aside", "off_centre"),
        ("in the dark", "too_dark"),
        ("together", "several_faces"),
    ],
)
def test_guidance_says_what_to_change(site: Machine, visit: Visit, username: str, scene: str, line: str) -> None:
    person = visit(site, scene)
    person.register(username)
    person.press(words("enrol.before.camera"))
    expect(person.page.locator("video")).to_be_visible()
    expect(person.page.locator(".guide")).to_contain_text(words(f"camera.guide.{line}"), timeout=PATIENCE_MS)
    person.page.locator("video").evaluate(FRAMES_PASS, 30)
    expect(person.page.locator(".guide")).to_contain_text(words(f"camera.guide.{line}"))
    expect(person.page.locator(".tray img")).to_have_count(0)
    person.shot("guidance")


def test_a_camera_that_is_denied_offers_photographs(site: Machine, visit: Visit, username: str) -> None:
    person = visit(site, flags=DENY)
    person.register(username)
    person.press(words("enrol.before.camera"))
    person.see(words("camera.fault.denied.title"))
    person.shot("denied")
    person.press(words("camera.upload"))
    person.see(words("camera.file.drop"))


def test_a_missing_camera_says_so(site: Machine, visit: Visit, username: str) -> None:
    person = visit(site, None, flags=("--use-fake-ui-for-media-stream",))
    person.register(username)
    person.press(words("enrol.before.camera"))
    person.see(words("camera.fault.missing.title"))
    person.shot("missing")


def test_a_busy_camera_says_so_and_can_be_tried_again(site: Machine, visit: Visit, username: str) -> None:
    person = visit(site)
    person.register(username)
    person.page.evaluate(
        """() => {
          const media = navigator.mediaDevices, honest = media.getUserMedia.bind(media)
          media.getUserMedia = () => {
            media.getUserMedia = honest
            return Promise.reject(new DOMException('', 'NotReadableError'))
          }
        }"""
    )
    person.press(words("enrol.before.camera"))
    person.see(words("camera.fault.busy.title"))
    person.shot("busy")
    person.press(words("camera.again"))
    expect(person.page.locator("video")).to_be_visible()


def test_a_lost_camera_says_so_and_the_light_goes_out_on_leaving(site: Machine, visit: Visit, username: str) -> None:
    person = visit(site, "nobody")
    person.register(username)
    person.press(words("enrol.before.camera"))
    track = person.page.locator("video").evaluate_handle(
        """async (video) => {
          while (!video.srcObject) await new Promise((wait) => setTimeout(wait, 50))
          return video.srcObject.getVideoTracks()[0]
        }"""
    )
    track.evaluate("(track) => { track.dispatchEvent(new Event('ended')) }")
    person.see(words("camera.fault.lost.title"))
    assert track.evaluate("(track) => track.readyState") == "ended"
    person.shot("lost")
    person.press(words("camera.again"))
    again = person.page.locator("video").evaluate_handle(
        """async (video) => {
          while (!video.srcObject) await new Promise((wait) => setTimeout(wait, 50))
          return video.srcObject.getVideoTracks()[0]
        }"""
    )
    assert again.evaluate("(track) => track.readyState") == "live"
    person.page.get_by_role("banner").get_by_role("link", name="Veilface").click()
    person.page.wait_for_url("**/")
    expect(person.page.locator("video")).to_have_count(0)
    assert again.evaluate("(track) => track.readyState") == "ended"
