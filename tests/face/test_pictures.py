"""What may be decoded, and what is refused before a decoder sees it."""

import struct
import warnings
import zlib
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tests.face.pictures import REFUSED, VARIANTS, encode, portrait, small, with_alpha
from veilface.face.errors import PictureError, PictureTooSmall, TooManyPixels, UnknownPictureType
from veilface.face.header import MAX_PIXELS, read_header
from veilface.face.image import decode, from_array


def sample_picture() -> Image.Image:
    picture = Image.new("RGB", (60, 40), (30, 90, 150))
    ImageDraw.Draw(picture).rectangle((5, 5, 20, 30), fill=(200, 40, 10))
    return picture


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_every_type_becomes_rgb(form: str) -> None:
    decoded = decode(encode(sample_picture(), form))
    assert decoded.mode == "RGB"
    assert decoded.size == (60, 40)
    assert np.abs(np.asarray(decoded, int) - np.asarray(sample_picture(), int)).mean() < 6


@pytest.mark.parametrize("name", [name for name in VARIANTS if name.startswith("exif")])
def test_exif_orientation_is_honoured(photos: Path, name: str) -> None:
    decoded = decode(VARIANTS[name](photos))
    upright = portrait(photos)
    assert decoded.size == upright.size
    assert np.abs(np.asarray(decoded, int) - np.asarray(upright, int)).mean() < 3


@pytest.mark.parametrize("name", ["grey.jpg", "grey16.png", "cmyk.jpg", "palette.png"])
def test_every_colour_model_looks_the_same(photos: Path, name: str) -> None:
    decoded = np.asarray(decode(VARIANTS[name](photos)).convert("L"), int)
    assert np.abs(decoded - np.asarray(portrait(photos).convert("L"), int)).mean() < 12


def test_transparency_is_laid_on_white() -> None:
    decoded = np.asarray(decode(encode(with_alpha(sample_picture()), "PNG")), int)
    assert (decoded[:, -3:] == 255).all()
    assert (decoded[0, 0] == [142, 172, 202]).all()
    assert (decoded[0, 30] == [30, 90, 150]).all()


@pytest.mark.parametrize("name", REFUSED)
def test_bad_files_are_refused_with_their_reason(photos: Path, name: str) -> None:
    make, code = REFUSED[name]
    data = make(photos)
    with mock.patch.object(Image, "open", side_effect=AssertionError("no decoder may see this")):
        with pytest.raises(PictureError) as refusal:
            decode(data)
        assert refusal.value.code == code


def test_a_bomb_behind_an_honest_header_takes_only_the_room_of_the_header() -> None:
    """A hundred thousand rows in the compressed data, forty in the header."""
    rows = zlib.compress(bytes(61) * 100_000)
    honest = encode(Image.new("L", (60, 40)), "PNG")
    start, end = honest.index(b"IDAT") - 4, honest.index(b"IEND") - 4
    chunk = struct.pack(">I", len(rows)) + b"IDAT" + rows + struct.pack(">I", zlib.crc32(b"IDAT" + rows))
    assert decode(honest[:start] + chunk + honest[end:]).size == (60, 40)


def test_the_pixel_limit_counts_both_sides() -> None:
    png = bytearray(encode(Image.new("1", (64, 64)), "PNG"))
    png[16:24] = (8000).to_bytes(4, "big") + (MAX_PIXELS // 8000).to_bytes(4, "big")
    assert read_header(bytes(png)).width == 8000
    png[16:24] = (8000).to_bytes(4, "big") + (MAX_PIXELS // 8000 + 1).to_bytes(4, "big")
    with pytest.raises(TooManyPixels) as refusal:
        read_header(bytes(png))
    assert refusal.value.details == {"width": 8000, "height": 5001, "limit": MAX_PIXELS}


STARTS = (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x20\x00\x00\x00WEBPVP8X")


@given(st.binary(max_size=64), st.sampled_from(STARTS))
def test_any_bytes_are_refused_politely(noise: bytes, start: bytes) -> None:
    with pytest.raises(PictureError):
        decode(start + noise)


@given(st.data())
def test_a_flipped_byte_never_escapes_the_tree(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))
    content = bytearray(encode(sample_picture(), form))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decode(bytes(content))
        except PictureError:
            return


def test_arrays_are_held_to_the_same_limits(photos: Path) -> None:
    pixels = np.asarray(small(photos))
    assert from_array(pixels).size == (96, 96)
    for wrong in (pixels.astype(float), pixels[..., 0], np.zeros((96, 96, 4), np.uint8)):
        with pytest.raises(UnknownPictureType):
            from_array(wrong)
    with pytest.raises(PictureTooSmall):
        from_array(pixels[:10])
    with pytest.raises(TooManyPixels):
        from_array(np.broadcast_to(pixels[:1, :1], (8000, 8000, 3)))
