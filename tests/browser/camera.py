"""Clips for Chromium's fake camera: a portrait, laid out as a person would sit in front of a webcam."""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageEnhance

from veilface.face.pipeline import FacePipeline

WIDTH, HEIGHT, FRAMES = 640, 480, 30
WALL = (120, 124, 128)


@dataclass(frozen=True)
class Sitter:
    """Who sits where: ``share`` of the picture's height that the face takes, ``across`` from −0.5 to 0.5."""

    photo: str
    share: float = 0.5
    across: float = 0.0


@dataclass(frozen=True)
class Scene:
    """One picture for the camera; ``light`` 1 is the photograph's own."""

    sitters: tuple[Sitter, ...] = ()
    light: float = 1.0


SCENES = {
    "obama": Scene((Sitter("obama.jpg"),)),
    "obama again": Scene((Sitter("obama2.jpg"),)),
    "biden": Scene((Sitter("biden.jpg"),)),
    "nobody": Scene(),
    "far away": Scene((Sitter("obama.jpg", share=0.11),)),
    "aside": Scene((Sitter("obama.jpg", share=0.3, across=0.16),)),
    "in the dark": Scene((Sitter("obama.jpg"),), light=0.18),
    "together": Scene((Sitter("obama.jpg", 0.24, -0.12), Sitter("biden.jpg", 0.24, 0.12))),
}


def clip(scene: Scene, photos: Path, pipeline: FacePipeline) -> bytes:
    """The scene as MJPEG, which is JPEG pictures one after another."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), WALL)
    for sitter in scene.sitters:
        _seat(picture, sitter, photos, pipeline)
    buffer = io.BytesIO()
    ImageEnhance.Brightness(picture).enhance(scene.light).save(buffer, "JPEG", quality=92)
    return buffer.getvalue() * FRAMES


def _seat(picture: Image.Image, sitter: Sitter, photos: Path, pipeline: FacePipeline) -> None:
    data = (photos / sitter.photo).read_bytes()
    x, y, width, height = pipeline.faces(data, embed=False)[0].box
    # Head and shoulders only, so that two people have room beside each other.
    body = (int(x - 0.4 * width), int(y - 0.6 * height), int(x + 1.4 * width), int(y + 1.6 * height))
    scale = sitter.share * HEIGHT / height
    with Image.open(io.BytesIO(data)) as photo:
        bust = photo.convert("RGB").crop(body)
    bust = bust.resize((int(bust.width * scale), int(bust.height * scale)), Image.Resampling.LANCZOS)
    left = int(WIDTH * (0.5 + sitter.across) - bust.width / 2)
    picture.paste(bust, (left, int((HEIGHT - bust.height) / 2)))
