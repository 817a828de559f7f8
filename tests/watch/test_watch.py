"""Frames from anywhere, faces followed, names found, pictures drawn: with real models and somebody who knows names."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from tests.watch.clips import film
from veilface.face.attention import ASK_AGAIN_S
from veilface.face.embedder import Embedding
from veilface.face.image import decode
from veilface.face.pipeline import FacePipeline
from veilface.sdk.errors import SdkError, ServerRefused, ServerUnreachable
from veilface.watch.drawing import FONT_VARIABLE, Pen, find_pen
from veilface.watch.errors import CameraLost, NoPictures, OutputUnusable, SourceUnusable
from veilface.watch.recording import recorder
from veilface.watch.searching import Found
from veilface.watch.sources import RETRY_WAITS_S, Camera, Frame, Pictures, Video
from veilface.watch.watcher import Seen, View, Watcher

SAME = 0.4
BLANK = np.zeros((480, 640, 3), np.uint8)


@dataclass
class Acquaintances:
    """Knows some people by heart, and counts how often it was asked."""

    known: dict[str, Embedding]
    asked: int = 0
    trouble: SdkError | None = None
    prepared: int = 0

    def prepare(self) -> None:
        self.prepared += 1
        if self.trouble:
            raise self.trouble

    def find(self, embedding: Embedding) -> Found:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        for name, known in self.known.items():
            if float(known @ embedding) > SAME:
                return Found(outcome="named", person=name, name=name, timings_ms={"protect": 1.0, "search": 2.0})
        return Found(outcome="unknown")


@pytest.fixture(scope="module")
def faces() -> FacePipeline:
    return FacePipeline()


@pytest.fixture
def acquaintances(faces: FacePipeline, photos: Path) -> Acquaintances:
    names = {"甲": "obama2.jpg", "乙": "biden.jpg"}
    return Acquaintances({name: faces.embedding((photos / file).read_bytes()) for name, file in names.items()})


@pytest.fixture(scope="module")
def clip(faces: FacePipeline, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clip") / "three.mp4"
    return film(photos, ("obama.jpg", "astronaut.png", "biden.jpg"), out, frames=15, faces=faces)


def test_three_people_in_a_video_are_followed_and_known_by_their_first_shots_a_stranger_asked_about_twice(
    clip: Path, faces: FacePipeline, acquaintances: Acquaintances
) -> None:
    watcher = Watcher(faces, acquaintances)
    views = list(watcher.views(Video(file=clip)))
    assert len(views) == watcher.stages.frames == 15
    last = sorted(views[-1].seen, key=lambda seen: seen.box[0])
    assert [(seen.outcome, seen.name) for seen in last] == [("named", "甲"), ("unknown", None), ("named", "乙")]
    assert {seen.track for view in views for seen in view.seen} == {1, 2, 3}
    assert (acquaintances.prepared, acquaintances.asked) == (1, 4)
    told = {naming.track: naming for naming in watcher.namings.told}
    assert sorted((naming.outcome, naming.name or "") for naming in told.values()) == [
        ("named", "乙"),
        ("named", "甲"),
        ("unknown", ""),
    ]
    assert len(watcher.namings.told) == 3
    assert sorted(watcher.people) == sorted("甲乙")
    assert watcher.stages.medians_ms().keys() == {"read", "detect", "track", "embed", "protect", "search"}


def test_every_picture_of_a_folder_is_a_scene_of_its_own(
    photos: Path, tmp_path: Path, faces: FacePipeline, acquaintances: Acquaintances
) -> None:
    for name in ("obama.jpg", "biden.jpg"):
        (tmp_path / name).write_bytes((photos / name).read_bytes())
    (tmp_path / "notes.txt").write_text("no picture")
    views = list(Watcher(faces, acquaintances).views(Pictures(folder=tmp_path)))
    assert [(view.frame.name, [seen.name for seen in view.seen]) for view in views] == [
        ("biden.jpg", ["乙"]),
        ("obama.jpg", ["甲"]),
    ]


def test_a_server_that_is_gone_is_said_and_the_picture_goes_on(
    clip: Path, faces: FacePipeline, acquaintances: Acquaintances
) -> None:
    acquaintances.trouble = ServerUnreachable(url="http://localhost")
    views = list(Watcher(faces, acquaintances).views(Video(file=clip)))
    assert [seen.outcome for seen in views[-1].seen] == ["unanswered"] * 3
    assert isinstance(views[-1].trouble, ServerUnreachable)


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Somebody who stands before a camera for as long as it is watched, a frame every second and a half."""

    photo: Path
    live: bool = False
    still: bool = False

    def frames(self) -> Iterator[Frame]:
        pixels = np.asarray(decode(self.photo.read_bytes()))
        for number in count():
            yield Frame(pixels=pixels, at=1.5 * number, name=str(number), read_ms=0)


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [(None, "unknown"), (ServerRefused(status=401, server_code="not_a_kiosk", reason=""), "unanswered")],
)
def test_whoever_left_is_named_for_half_a_minute_at_most_and_a_refused_kiosk_names_nobody(
    trouble: SdkError | None, outcome: str, faces: FacePipeline, acquaintances: Acquaintances, photos: Path
) -> None:
    watcher = Watcher(faces, acquaintances)
    views = watcher.views(Pose(photo=photos / "obama.jpg"))
    first = next(view.frame.at for view in views if view.seen[0].name == "甲")
    watcher.people["somebody who was here before"] = "丙"
    acquaintances.known.clear()
    acquaintances.trouble = trouble
    left = next(view for view in views if view.seen[0].name is None)
    assert (left.seen[0].outcome, acquaintances.asked) == (outcome, 2)
    assert ASK_AGAIN_S <= left.frame.at - first < ASK_AGAIN_S + 5
    assert sorted(watcher.people.values()) == ([] if trouble else ["丙"])


def test_a_video_at_its_own_speed_waits_for_nobody(clip: Path) -> None:
    clock, waited = [100.0], list[float]()

    def wait(seconds: float) -> None:
        waited.append(seconds)
        clock.append(clock[-1] + seconds)

    shown = []
    for frame in Video(file=clip, live=True, clock=lambda: clock[-1], wait=wait).frames():
        shown.append(round(10 * frame.at))
        clock.append(clock[-1] + (0.05 if frame.at < 0.3 else 0.25))  # whoever looks becomes slow
    assert shown == [0, 1, 2, 3, 6, 9, 12]
    assert waited == [pytest.approx(0.05)] * 6


def test_what_is_no_video_and_what_is_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").write_bytes(b"no video at all")
    with pytest.raises(SourceUnusable):
        list(Video(file=tmp_path / "video.mp4").frames())
    with pytest.raises(NoPictures):
        list(Pictures(folder=tmp_path).frames())


# --- a camera that comes and goes


@dataclass
class Container:
    """What PyAV gives for a camera: so many frames of a size, then the cable is pulled."""

    frames: int
    size: tuple[int, int] = (640, 480)
    closed: list[bool] = field(default_factory=list)

    def decode(self, *, video: int) -> Iterator[Any]:
        assert video == 0
        for _ in range(self.frames):
            yield av.VideoFrame.from_ndarray(np.zeros((*reversed(self.size), 3), np.uint8), format="rgb24")
        raise OSError(19, "No such device")

    def close(self) -> None:
        self.closed.append(True)


def opener(*shows: Container | None) -> Callable[[], Container]:
    left = iter(shows)

    def opened() -> Container:
        show = next(left, None)
        if show is None:
            raise OSError(2, "No such file")
        return show

    return opened


def test_a_camera_that_is_lost_is_found_again_in_another_size() -> None:
    told: list[int] = []
    waits: list[float] = []
    shows = [Container(2), None, Container(1, size=(1280, 720))]
    camera = Camera(number=0, lost=told.append, open_camera=opener(*shows), wait=waits.append)
    frames = camera.frames()
    assert [next(frames).pixels.shape for _ in range(3)] == [(480, 640, 3), (480, 640, 3), (720, 1280, 3)]
    assert told == [1, 2]
    assert waits == [1.0, 2.0]
    assert shows[0] is not None
    assert shows[0].closed == [True]


def test_a_camera_that_stays_away_is_given_up() -> None:
    told: list[int] = []
    camera = Camera(number=0, lost=told.append, open_camera=opener(Container(1)), wait=lambda _: None)
    with pytest.raises(CameraLost):
        list(camera.frames())
    assert told == list(range(1, len(RETRY_WAITS_S) + 1))


def test_a_camera_that_never_was_is_not_waited_for() -> None:
    told: list[int] = []
    with pytest.raises(SourceUnusable):
        list(Camera(number=0, lost=told.append, open_camera=opener()).frames())
    assert told == []


# --- pictures of it


def view(*seen: Seen) -> View:
    return View(frame=Frame(pixels=BLANK, at=0, name="000000", read_ms=0), seen=seen, trouble=None)


SOMEBODY = Seen(track=7, box=(200, 100, 120, 150), outcome="named", name="甲乙", problem=None)


def test_names_are_drawn_in_chinese_where_there_is_a_font_and_as_numbers_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = Pen(None)
    numbered = plain.draw(view(SOMEBODY), ["#7"], "30 FPS")
    assert np.array_equal(plain.draw(view(SOMEBODY), ["甲乙"], "30 FPS · 检测 9 ms"), numbered)
    assert numbered.any()
    pen = find_pen()
    if pen.chinese:
        assert not np.array_equal(pen.draw(view(SOMEBODY), ["甲乙"], ""), pen.draw(view(SOMEBODY), ["乙甲"], ""))
    monkeypatch.setenv(FONT_VARIABLE, "/nowhere/font.ttc")
    assert not find_pen().chinese


def test_a_video_keeps_one_size_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    out = tmp_path / "seen.mp4"
    with recorder(out) as kept:
        for number, size in enumerate(((480, 640), (720, 1280), (480, 640))):
            drawn = np.full((*size, 3), 200, np.uint8)
            kept.write(Frame(pixels=drawn, at=number / 10, name="", read_ms=0), drawn)
    with av.open(str(out)) as container:
        frames = list(container.decode(video=0))
    assert [(frame.width, frame.height) for frame in frames] == [(640, 480)] * 3
    assert float(frames[1].time or 0) == pytest.approx(float(Fraction(1, 10)), abs=0.02)
    assert out.stat().st_mode & 0o077 == 0


def test_pictures_go_to_a_folder_under_their_names(tmp_path: Path) -> None:
    with recorder(tmp_path / "seen") as kept:
        kept.write(Frame(pixels=BLANK, at=0, name="one.png", read_ms=0), BLANK)
    with Image.open(tmp_path / "seen" / "one.jpg") as picture:
        assert picture.size == (640, 480)
    assert (tmp_path / "seen").stat().st_mode & 0o077 == 0


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file" / "folder", tmp_path / "missing" / "video.mp4"):
        with pytest.raises(OutputUnusable), recorder(out):
            pass
