"""Clips for Chromium's fake camera: a portrait, laid out as a person would sit in front of a webcam."""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageEnhance

from veilface.face.pipeline import FacePipeline

WIDTH, HEIGHT, FRAMES = 640, 480, 30
WALL = (120, 124, 128)
FACE_TIMES = 5  # a face has to be looked at longer than a code


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
    "three people": Scene(
        (Sitter("obama.jpg", 0.22, -0.33), Sitter("biden.jpg", 0.22), Sitter("astronaut.png", 0.22, 0.33)),
    ),
}


def clip(scene: Scene, photos: Path, pipeline: FacePipeline) -> bytes:
    """The scene as MJPEG, which is JPEG pictures one after another."""
    return _jpeg(_painted(scene, photos, pipeline)) * FRAMES


def code_clip(code: bytes, face: bytes) -> bytes:
    """A phone that is held over a code (a PNG of it), then before the face of ``face``, a clip; again and again."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), WALL)
    with Image.open(io.BytesIO(code)) as shown:
        side = int(HEIGHT * 0.7)
        turned = shown.convert("RGB").resize((side, side)).rotate(6, fillcolor=WALL, expand=True)
    picture.paste(turned, ((WIDTH - turned.width) // 2, (HEIGHT - turned.height) // 2))
    return _jpeg(picture) * FRAMES + face * FACE_TIMES


def _painted(scene: Scene, photos: Path, pipeline: FacePipeline) -> Image.Image:
    picture = Image.new("RGB", (WIDTH, HEIGHT), WALL)
    for sitter in scene.sitters:
        _seat(picture, sitter, photos, pipeline)
    return ImageEnhance.Brightness(picture).enhance(scene.light)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


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
