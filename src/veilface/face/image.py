"""Bytes of a file, or an array, to an upright RGB picture within limits; and its working copy.

The working copy is what detection and alignment see: a picture larger than 2048 pixels is averaged down by a whole
factor, in integers, so that the browser gets the very same bytes (``web/src/face/picture.ts``).
"""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from veilface.face.errors import BrokenPicture, PictureTooSmall, TooManyPixels, UnknownPictureType
from veilface.face.header import MAX_PIXELS, MIN_SIDE, read_header

WORKING_SIDE: Final = 2048
RGB = NDArray[np.uint8]
RGB_NDIM: Final = 3


@dataclass(frozen=True, kw_only=True)
class WorkingPicture:
    """The picture that detection and alignment see; ``factor`` original pixels make one of its pixels."""

    image: Image.Image
    factor: int


def decode(data: bytes) -> Image.Image:
    """An upright RGB image; transparency is laid on white. Raises a :class:`PictureError`."""
    header = read_header(data)
    try:
        with Image.open(io.BytesIO(data), formats=[header.type]) as image:
            image.load()
            return _to_rgb(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError:
        raise TooManyPixels(width=header.width, height=header.height, limit=MAX_PIXELS) from None
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, OverflowError) as damage:
        raise BrokenPicture from damage


def from_array(pixels: RGB) -> Image.Image:
    """An image from rows x columns x 3 unsigned bytes, RGB. Raises a :class:`PictureError`."""
    if pixels.dtype != np.uint8 or pixels.ndim != RGB_NDIM or pixels.shape[2] != RGB_NDIM:
        raise UnknownPictureType
    height, width, _ = pixels.shape
    if width * height > MAX_PIXELS:
        raise TooManyPixels(width=width, height=height, limit=MAX_PIXELS)
    if min(width, height) < MIN_SIDE:
        raise PictureTooSmall(width=width, height=height, least=MIN_SIDE)
    return Image.fromarray(np.ascontiguousarray(pixels))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # sixteen bits of grey: keep the upper eight
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def working_factor(width: int, height: int) -> int:
    """How many pixels a side become one, so that the longer side fits and the shorter one stays usable."""
    return max(1, min(-(-max(width, height) // WORKING_SIDE), min(width, height) // MIN_SIDE))


def working_picture(image: Image.Image) -> WorkingPicture:
    """The image averaged down by a whole factor; what does not fill a whole pixel on the right and below is dropped."""
    factor = working_factor(image.width, image.height)
    if factor == 1:
        return WorkingPicture(image=image, factor=1)
    box = (0, 0, image.width // factor * factor, image.height // factor * factor)
    return WorkingPicture(image=image.reduce(factor, box), factor=factor)
