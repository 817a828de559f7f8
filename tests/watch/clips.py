"""Short clips of public-domain portraits that move, made when they are wanted."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from veilface.face.pipeline import FacePipeline

SIZE = (640, 480)
RATE = 10
WALL = (120, 124, 128)
FACE_HEIGHT = 110
SPACING = 210


def film(photos: Path, names: tuple[str, ...], out: Path, *, frames: int, faces: FacePipeline) -> Path:
    """The people of the photographs beside one another, moving slowly to the right."""
    busts = [_bust(photos / name, faces) for name in names]
    with av.open(str(out), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *SIZE, "yuv420p", 4_000_000
        for number in range(frames):
            picture = Image.new("RGB", SIZE, WALL)
            for place, bust in enumerate(busts):
                picture.paste(bust, (10 + SPACING * place + number, 130))
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out


def _bust(photo: Path, faces: FacePipeline) -> Image.Image:
    x, y, width, height = faces.faces(photo.read_bytes(), embed=False)[0].box
    with Image.open(photo) as opened:
        body = (int(x - 0.3 * width), int(y - 0.4 * height), int(x + 1.3 * width), int(y + 1.4 * height))
        cut = opened.convert("RGB").crop(body)
    scale = FACE_HEIGHT / height
    return cut.resize((int(cut.width * scale), int(cut.height * scale)))
