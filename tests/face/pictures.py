"""Pictures made from the public-domain portraits: every kind of file and situation that must be read alike."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image

ORIENTATION = 0x0112
UPRIGHT_TO_STORED = {
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def encode(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def portrait(photos: Path, name: str = "obama.jpg") -> Image.Image:
    with Image.open(photos / name) as image:
        return image.convert("RGB")


def portrait_by_exif(orientation: int, photos: Path) -> bytes:
    """Stored sideways, with the tag that sets it upright again."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encode(portrait(photos).transpose(UPRIGHT_TO_STORED[orientation]), quality=92, exif=exif)


def with_alpha(image: Image.Image) -> Image.Image:
    """Opaque in the middle, half transparent at the left edge, transparent at the right."""
    alpha = Image.new("L", image.size, 255)
    alpha.paste(128, (0, 0, image.width // 8, image.height))
    alpha.paste(0, (image.width * 7 // 8, 0, image.width, image.height))
    layered = image.copy()
    layered.putalpha(alpha)
    return layered


def side_by_side(photos: Path) -> Image.Image:
    """Two people, equally large."""
    left, right = portrait(photos).resize((450, 562)), portrait(photos, "biden.jpg").crop((290, 60, 730, 610))
    pair = Image.new("RGB", (900, 562), (90, 100, 110))
    pair.paste(left, (0, 0))
    pair.paste(right.resize((450, 562)), (450, 0))
    return pair


def small(photos: Path) -> Image.Image:
    """96 x 96, the face filling most of it."""
    return portrait(photos).crop((288, 56, 688, 456)).resize((96, 96), Image.Resampling.LANCZOS)


Variant = Callable[[Path], bytes]

VARIANTS: dict[str, Variant] = {
    "obama.jpg": lambda photos: (photos / "obama.jpg").read_bytes(),
    "obama2.jpg": lambda photos: (photos / "obama2.jpg").read_bytes(),
    "biden.jpg": lambda photos: (photos / "biden.jpg").read_bytes(),
    "astronaut.png": lambda photos: (photos / "astronaut.png").read_bytes(),
    "small.jpg": lambda photos: encode(small(photos), quality=92),
    "twelve-megapixels.jpg": lambda photos: encode(portrait(photos).resize((3200, 3998)), quality=85),
    "grey.jpg": lambda photos: encode(portrait(photos).convert("L"), quality=90),
    "grey16.png": lambda photos: encode(portrait(photos).convert("L").convert("I;16").point(lambda v: v * 257), "PNG"),
    "cmyk.jpg": lambda photos: encode(portrait(photos).convert("CMYK"), quality=92),
    "palette.png": lambda photos: encode(portrait(photos).quantize(256), "PNG"),
    "alpha.png": lambda photos: encode(with_alpha(portrait(photos)), "PNG"),
    "lossless.webp": lambda photos: encode(portrait(photos, "astronaut.png"), "WEBP", lossless=True),
    "lossy.webp": lambda photos: encode(portrait(photos), "WEBP", quality=80),
    "progressive.jpg": lambda photos: encode(portrait(photos), quality=70, progressive=True),
    **{f"exif{orientation}.jpg": partial(portrait_by_exif, orientation) for orientation in UPRIGHT_TO_STORED},
    "leaning.jpg": lambda photos: encode(portrait(photos).rotate(28, expand=True), quality=90),
    "pair.jpg": lambda photos: encode(side_by_side(photos), quality=92),
}


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it has 900 million pixels."""
    honest = bytearray(encode(Image.new("1", (64, 64)), "PNG"))
    honest[16:24] = (30_000).to_bytes(4, "big") * 2
    return bytes(honest)


REFUSED: dict[str, tuple[Variant, str]] = {
    "truncated.jpg": (lambda photos: (photos / "obama.jpg").read_bytes()[:60_000], "face.broken_picture"),
    "truncated.png": (lambda photos: (photos / "astronaut.png").read_bytes()[:60_000], "face.broken_picture"),
    "truncated.webp": (lambda photos: VARIANTS["lossy.webp"](photos)[:20_000], "face.broken_picture"),
    "header-only.jpg": (lambda photos: (photos / "obama.jpg").read_bytes()[:3], "face.broken_picture"),
    "text.jpg": (lambda _: b"not a picture, whatever its name says", "face.unknown_picture_type"),
    "empty.jpg": (lambda _: b"", "face.unknown_picture_type"),
    "animation.gif": (lambda photos: encode(small(photos), "GIF"), "face.unknown_picture_type"),
    "bomb.png": (lambda _: bomb(), "face.too_many_pixels"),
    "heavy.jpg": (lambda photos: (photos / "obama.jpg").read_bytes() + bytes(6 << 20), "face.picture_too_heavy"),
    "tiny.png": (lambda _: encode(Image.new("RGB", (200, 20)), "PNG"), "face.picture_too_small"),
}
