"""What a picture's file says about itself, read before any decoder may touch it.

Only JPEG, PNG and WebP are known. ``web/src/face/header.ts`` reads the same bytes in the same way.
"""

from dataclasses import dataclass
from typing import Final, Literal

from veilface.face.errors import BrokenPicture, PictureTooHeavy, PictureTooSmall, TooManyPixels, UnknownPictureType

MAX_BYTES: Final = 6 * 1024 * 1024
MAX_PIXELS: Final = 40_000_000
MIN_SIDE: Final = 32

PictureType = Literal["jpeg", "png", "webp"]

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
JPEG_START_OF_SCAN: Final = 0xDA
JPEG_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, kw_only=True)
class Header:
    """Type and size in stored pixels, before any EXIF rotation."""

    type: PictureType
    width: int
    height: int


def read_header(data: bytes) -> Header:
    """Checks type, completeness and limits; raises a :class:`PictureError` where one does not hold."""
    if len(data) > MAX_BYTES:
        raise PictureTooHeavy(got=len(data), limit=MAX_BYTES)
    header = _parse(data)
    if header.width * header.height > MAX_PIXELS:
        raise TooManyPixels(width=header.width, height=header.height, limit=MAX_PIXELS)
    if min(header.width, header.height) < MIN_SIDE:
        raise PictureTooSmall(width=header.width, height=header.height, least=MIN_SIDE)
    return header


def _parse(data: bytes) -> Header:
    try:
        if data.startswith(PNG_SIGNATURE):
            return _parse_png(data)
        if data.startswith(b"\xff\xd8\xff"):
            return _parse_jpeg(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _parse_webp(data)
    except IndexError:
        raise BrokenPicture from None
    raise UnknownPictureType


def _big(data: bytes, at: int, length: int) -> int:
    if at + length > len(data):
        raise BrokenPicture
    return int.from_bytes(data[at : at + length], "big")


def _little(data: bytes, at: int, length: int) -> int:
    if at + length > len(data):
        raise BrokenPicture
    return int.from_bytes(data[at : at + length], "little")


def _parse_png(data: bytes) -> Header:
    if data[12:16] != b"IHDR":
        raise BrokenPicture
    at = len(PNG_SIGNATURE)
    while data[at + 4 : at + 8] != b"IEND":
        at += 12 + _big(data, at, 4)
    return Header(type="png", width=_big(data, 16, 4), height=_big(data, 20, 4))


def _parse_jpeg(data: bytes) -> Header:
    """Walks the segments up to the first scan; entropy-coded data holds ``FF D9`` only as the end of the image."""
    at, frame = 2, None
    while True:
        if data[at] != 0xFF:  # noqa: PLR2004 - every JPEG marker starts with it
            raise BrokenPicture
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a fill byte
            at += 1
            continue
        if marker == JPEG_START_OF_SCAN:
            break
        if marker in JPEG_FRAMES and frame is None:
            frame = Header(type="jpeg", width=_big(data, at + 7, 2), height=_big(data, at + 5, 2))
        at += 2 if marker in JPEG_WITHOUT_LENGTH else 2 + _big(data, at + 2, 2)
    if frame is None or data.find(b"\xff\xd9", at) < 0:
        raise BrokenPicture
    return frame


def _parse_webp(data: bytes) -> Header:
    if 8 + _little(data, 4, 4) > len(data):
        raise BrokenPicture
    match data[12:16]:
        case b"VP8X":
            return Header(type="webp", width=1 + _little(data, 24, 3), height=1 + _little(data, 27, 3))
        case b"VP8L":
            bits = _little(data, 21, 4)
            return Header(type="webp", width=1 + (bits & 0x3FFF), height=1 + (bits >> 14 & 0x3FFF))
        case b"VP8 ":
            return Header(type="webp", width=_little(data, 26, 2) & 0x3FFF, height=_little(data, 28, 2) & 0x3FFF)
        case _:
            raise BrokenPicture
