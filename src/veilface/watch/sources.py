"""Where frames come from: a camera, a video file, or a folder of pictures.

A camera that stops is opened again, after 1, 2, 4, 8 and 8 seconds; whoever watches is told each time. Frames may
change their size at any moment.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

import numpy as np

from veilface.face.image import RGB, decode
from veilface.watch.errors import CameraLost, NoPictures, SourceUnusable, VideoSupportMissing

RETRY_WAITS_S: Final = (1.0, 2.0, 4.0, 8.0, 8.0)
OPEN_TIMEOUT_S: Final = 10.0
READ_TIMEOUT_S: Final = 5.0
SHORTEST_FRAME_S: Final = 1 / 1000
OVER_S: Final = 0.04
"""A frame of a video in its own time is over this long after its moment."""
PICTURES: Final = (".jpg", ".jpeg", ".png", ".webp")
CAMERAS: Final = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}:none")}
"""How ffmpeg calls a camera on a system."""
CAMERA_OPTIONS: Final = {"framerate": "30", "video_size": "640x480"}
FAILURES: Final = (OSError, ValueError, EOFError)
"""What PyAV's exceptions are besides its own."""

Lost = Callable[[int], None]
"""Hears that the camera was lost, and which attempt to find it again this is."""
Open = Callable[[], Any]
"""Opens a camera: a container of PyAV's."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One picture (rows x columns x 3, RGB bytes), when it was taken (seconds, of the source's own clock) and its name.

    ``read_ms``: how long it took to get it, waiting for the camera included.
    """

    pixels: RGB
    at: float
    name: str
    read_ms: float


class Source(Protocol):
    """Something to watch."""

    @property
    def live(self) -> bool:
        """Whether time goes on while nobody reads: a camera does not wait, a file does."""

    @property
    def still(self) -> bool:
        """Whether frames have nothing to do with one another: pictures of a folder."""

    def frames(self) -> Iterator[Frame]:
        """Frame after frame; raises a :class:`~veilface.watch.errors.WatchError`."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Every picture of a folder, in the order of their names; a file that is no picture raises as ``face`` does."""

    folder: Path
    live: bool = False
    still: bool = True

    def frames(self) -> Iterator[Frame]:
        """One frame a file, a second apart."""
        files = sorted(path for path in self.folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())
        if not files:
            raise NoPictures(path=str(self.folder))
        for second, path in enumerate(files):
            started = time.perf_counter()
            pixels = np.asarray(decode(path.read_bytes()))
            yield Frame(pixels=pixels, at=float(second), name=path.name, read_ms=_since(started))


@dataclass(frozen=True, kw_only=True)
class Video:
    """A video file: every frame is looked at, however long that takes; ``live`` – shown at its own speed.

    Then it is as a camera would be: nobody waits for whoever looks, and frames that are over are left out.
    """

    file: Path
    live: bool = False
    still: bool = False
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep

    def frames(self) -> Iterator[Frame]:
        """Its frames; a file that ends early has simply ended."""
        av = load_av()
        try:
            container = av.open(str(self.file))
        except FAILURES as error:
            raise SourceUnusable(source=str(self.file), reason=_reason(error)) from error
        with closing(container):
            if not container.streams.video:
                raise SourceUnusable(source=str(self.file), reason="no video")
            try:
                frames = _decoded(container, _media_time())
                yield from self._in_time(frames) if self.live else frames
            except FAILURES as error:
                raise SourceUnusable(source=str(self.file), reason=_reason(error)) from error

    def _in_time(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        started: float | None = None
        for frame in frames:
            now = self.clock()
            started = now - frame.at if started is None else started
            early = started + frame.at - now
            if early > 0:
                self.wait(early)
            if early > -OVER_S:
                yield frame


@dataclass(frozen=True, kw_only=True)
class Camera:
    """Camera number ``number`` of this machine; ``open_camera`` and ``wait`` stand in for it in tests."""

    number: int
    lost: Lost
    open_camera: Open | None = None
    wait: Callable[[float], None] = time.sleep
    live: bool = True
    still: bool = False

    def frames(self) -> Iterator[Frame]:
        """Its frames until nobody wants more. Raises :class:`SourceUnusable` where it was never there."""
        attempt, ever = 0, False
        while True:
            try:
                container = (self.open_camera or self._open)()
                with closing(container):
                    for frame in _decoded(container, lambda _: time.monotonic()):
                        attempt, ever = 0, True
                        yield frame
            except FAILURES as error:
                if not ever:
                    raise SourceUnusable(source=self._name(), reason=_reason(error)) from error
            if attempt == len(RETRY_WAITS_S):
                raise CameraLost(camera=self._name(), attempts=attempt)
            self.wait(RETRY_WAITS_S[attempt])
            attempt += 1
            self.lost(attempt)

    def _name(self) -> str:
        return CAMERAS.get(sys.platform, ("", "{}"))[1].format(self.number)

    def _open(self) -> Any:
        """The camera at 640 x 480 and 30 frames a second, or as it likes where it knows no such mode."""
        av = load_av()
        if sys.platform not in CAMERAS:
            raise SourceUnusable(source=str(self.number), reason=sys.platform)
        form, timeout = CAMERAS[sys.platform][0], (OPEN_TIMEOUT_S, READ_TIMEOUT_S)
        try:
            return av.open(self._name(), format=form, options=CAMERA_OPTIONS, timeout=timeout)
        except ValueError:
            return av.open(self._name(), format=form, timeout=timeout)


def _decoded(container: Any, clock: Callable[[Any], float]) -> Iterator[Frame]:
    decoder = container.decode(video=0)
    for number in count():
        started = time.perf_counter()
        frame = next(decoder, None)
        if frame is None:
            return
        pixels = frame.to_ndarray(format="rgb24")
        yield Frame(pixels=pixels, at=clock(frame), name=f"{number:06d}", read_ms=_since(started))


def _media_time() -> Callable[[Any], float]:
    """The time that a video gives its frames, which never stands still even where the file says so."""
    last = -SHORTEST_FRAME_S

    def at(frame: Any) -> float:
        nonlocal last
        last = max(float(frame.time or 0.0), last + SHORTEST_FRAME_S)
        return last

    return at


def load_av() -> ModuleType:
    """PyAV; raises :class:`VideoSupportMissing`."""
    try:
        import av  # noqa: PLC0415 – an extra: pictures are recognised without it
    except ImportError as error:
        raise VideoSupportMissing from error
    av.logging.set_level(None)
    return av


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
