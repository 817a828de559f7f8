"""Annotated frames, kept: as one video, or as pictures in a folder. Both show faces, so nobody else may read them."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from PIL import Image

from veilface.face.image import RGB
from veilface.watch.errors import OutputUnusable
from veilface.watch.sources import FAILURES, Frame, load_av

VIDEOS: Final = (".mp4", ".mkv", ".mov")
CODECS: Final = ("libx264", "mpeg4")
"""The best first."""
CLOCK: Final = 1000
RATE: Final = 30
QUALITY: Final = 90


class Recorder(Protocol):
    """Takes annotated frames."""

    def write(self, frame: Frame, drawn: RGB) -> None:
        """Keeps ``drawn``, which was made of ``frame``. Raises :class:`OutputUnusable`."""


@contextmanager
def recorder(out: Path) -> Iterator[Recorder]:
    """Writes to a video, or to a folder where the name has no ending of a video. Raises :class:`OutputUnusable`."""
    if out.suffix.lower() not in VIDEOS:
        with _told(out):
            out.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield Folder(out)
        return
    with ExitStack() as stack:
        with _told(out):
            file = stack.enter_context(_private_file(out))
            container = stack.enter_context(load_av().open(file, "w", format=_form(out)))
        video = Video(container, out)
        try:
            yield video
        finally:
            video.finish()


class Folder:
    """One JPEG a frame, under the frame's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, frame: Frame, drawn: RGB) -> None:
        """Keeps the frame."""
        path = self._folder / f"{Path(frame.name).stem}.jpg"
        with _told(path), _private_file(path) as file:
            Image.fromarray(drawn).save(file, "JPEG", quality=QUALITY)


class Video:
    """All frames in the size of the first; later ones of another shape are fitted into it."""

    def __init__(self, container: Any, path: Path) -> None:
        self._container = container
        self._path = path
        self._stream: Any = None
        self._first = 0.0
        self._last = -1

    def write(self, frame: Frame, drawn: RGB) -> None:
        """Keeps the frame, at its time."""
        with _told(self._path):
            if self._stream is None:
                self._stream, self._first = self._open(drawn), frame.at
            image = _fitted(drawn, (self._stream.width, self._stream.height))
            picture = load_av().VideoFrame.from_image(image)
            picture.time_base = Fraction(1, CLOCK)
            self._last = max(round((frame.at - self._first) * CLOCK), self._last + 1)
            picture.pts = self._last
            self._container.mux(self._stream.encode(picture))

    def finish(self) -> None:
        """Writes what the encoder still holds."""
        if self._stream is not None:
            with _told(self._path):
                self._container.mux(self._stream.encode(None))

    def _open(self, drawn: RGB) -> Any:
        codec = next(name for name in CODECS if name in load_av().codec.codecs_available)
        stream = self._container.add_stream(codec, rate=RATE)
        height, width, _ = drawn.shape
        stream.width, stream.height = width // 2 * 2, height // 2 * 2  # colours count in squares of four
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, CLOCK)
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "23"}
        return stream


def _fitted(drawn: RGB, size: tuple[int, int]) -> Image.Image:
    image = Image.fromarray(drawn)
    if image.size == size:
        return image
    fitted = Image.new("RGB", size)
    image.thumbnail(size)
    fitted.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return fitted


def _form(out: Path) -> str:
    return {".mkv": "matroska"}.get(out.suffix.lower(), out.suffix.lower().removeprefix("."))


def _private_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What goes wrong in the block is told as :class:`OutputUnusable`."""
    try:
        yield
    except FAILURES as error:
        raise OutputUnusable(path=str(path), reason=getattr(error, "strerror", None) or str(error)) from error
