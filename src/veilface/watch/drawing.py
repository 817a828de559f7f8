"""Boxes, names and figures drawn over a frame.

A name may be Chinese, and Pillow's own font has no such characters: a font of the system is looked for. Where there is
none, a name that cannot be drawn appears as the number of its track, and the table beside the picture has it in full.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from veilface.face.image import RGB
from veilface.watch.watcher import Seen, View

FONT_FOLDERS: Final = {
    "darwin": ("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    "win32": ("C:/Windows/Fonts",),
}
LINUX_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")
CHINESE_FONTS: Final = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Medium.ttc",
    "msyh.ttc",
    "simhei.ttf",
)
"""The best first."""
FONT_VARIABLE: Final = "VEILFACE_FONT"
LARGEST_SIZE: Final = 40
SMALLEST_SIZE: Final = 13
LINES_A_PICTURE: Final = 26
COLOURS: Final[Mapping[str | None, tuple[int, int, int]]] = {
    "named": (22, 128, 106),
    "unknown": (176, 96, 0),
    "unclear": (176, 96, 0),
    "unanswered": (176, 48, 48),
    None: (96, 104, 112),
}
INK: Final = (255, 255, 255)
CAPTION: Final = (32, 36, 40)
SEPARATOR: Final = " · "
"""Between the parts of a caption, the first of which is drawn with any font."""


@dataclass(frozen=True)
class Pen:
    """Draws with the font in ``file``, or with Pillow's own where there is none."""

    file: Path | None

    @cached_property
    def chinese(self) -> bool:
        """Whether Chinese names can be drawn."""
        return self.file is not None

    def font(self, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        """The font at a height in pixels."""
        return ImageFont.load_default(size) if self.file is None else ImageFont.truetype(str(self.file), size)

    def draw(self, view: View, labels: Sequence[str], caption: str) -> RGB:
        """The view's frame with a box and a label for everybody, and a caption in the corner; rows x columns x 3."""
        image = Image.fromarray(view.frame.pixels)
        canvas = ImageDraw.Draw(image)
        font = self.font(min(max(image.height // LINES_A_PICTURE, SMALLEST_SIZE), LARGEST_SIZE))
        for seen, label in zip(view.seen, labels, strict=True):
            self._face(canvas, seen, self._drawable(label, seen), font)
        said = caption if self._can(caption) else caption.partition(SEPARATOR)[0]
        if said and self._can(said):
            self._line(canvas, (4, 4), said, font, CAPTION)
        return np.asarray(image)

    def _face(
        self, canvas: ImageDraw.ImageDraw, seen: Seen, label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
    ) -> None:
        x, y, width, height = seen.box
        colour = COLOURS[seen.outcome]
        canvas.rectangle((x, y, x + width, y + height), outline=colour, width=3)
        self._line(canvas, (x, y + height), label, font, colour)

    def _line(
        self,
        canvas: ImageDraw.ImageDraw,
        place: tuple[float, float],
        words: str,
        font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
        colour: tuple[int, int, int],
    ) -> None:
        left, top, right, bottom = canvas.textbbox(place, words, font=font)
        canvas.rectangle((left - 4, top - 4, right + 4, bottom + 4), fill=colour)
        canvas.text(place, words, font=font, fill=INK)

    def _drawable(self, label: str, seen: Seen) -> str:
        return label if self._can(label) else f"#{seen.track}"

    def _can(self, words: str) -> bool:
        return self.chinese or words.isascii()


def find_pen() -> Pen:
    """With ``VEILFACE_FONT`` if that is set, else with the first Chinese font that this system has."""
    given = os.environ.get(FONT_VARIABLE)
    candidates = [Path(given)] if given else list(_fonts())
    return Pen(next((path for path in candidates if _opens(path)), None))


def _fonts() -> Iterator[Path]:
    folders = [Path(folder).expanduser() for folder in FONT_FOLDERS.get(sys.platform, LINUX_FOLDERS)]
    there = {path.name: path for folder in folders if folder.is_dir() for path in folder.rglob("*.[to]t[fc]")}
    return (there[name] for name in CHINESE_FONTS if name in there)


def _opens(path: Path) -> bool:
    try:
        ImageFont.truetype(str(path), SMALLEST_SIZE)
    except OSError:
        return False
    return True
