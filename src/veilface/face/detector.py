"""YuNet: boxes, five landmarks and a score for every face in a picture.

W. Wu, H. Peng, S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023.
The decoding follows OpenCV's FaceDetectorYN. ``web/src/face/detector.ts`` mirrors this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from veilface.contract import CONTRACT
from veilface.face.runtime import open_session

STRIDES: Final = (8, 16, 32)
PADDING: Final = 32
LEAST_SCORE: Final = 0.6
MOST_OVERLAP: Final = 0.3
MOST_CANDIDATES: Final = 500
MOST_FACES: Final = 32
FIRST_SIDE: Final = 320
SMALL_FACES_SIDE: Final = 960
LARGE_FACES_SIDE: Final = 128
WINDOWS: Final = (1.6, 2.0)
SAME_FACE_OVERLAP: Final = 0.3
OUTPUTS: Final = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps")]

Floats = NDArray[np.float64]
Window = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One face, in pixels of the picture it was found in.

    ``box`` is x, y, width, height; ``landmarks`` is 5 x 2: right eye, left eye, nose, right and left corner of the
    mouth, where right is the person's right. ``score`` lies between 0.6 and 1.
    """

    box: Floats
    landmarks: Floats
    score: float

    def scaled(self, x: float, y: float) -> "Detection":
        """The same face in a picture ``x`` times as wide and ``y`` times as high."""
        return Detection(box=self.box * [x, y, x, y], landmarks=self.landmarks * [x, y], score=self.score)

    def moved(self, x: float, y: float) -> "Detection":
        """The same face ``x`` to the right and ``y`` down."""
        shift = np.array([x, y])
        return Detection(
            box=np.append(self.box[:2] + shift, self.box[2:]), landmarks=self.landmarks + shift, score=self.score
        )


class Detector:
    """Finds faces; the model is opened at the first use."""

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return open_session("yunet.onnx", sha256=CONTRACT.detector_sha256)

    def detect(self, image: Image.Image, *, thorough: bool = True) -> list[Detection]:
        """All faces in an RGB image, the surest first.

        The first look takes the picture at 320 pixels, ``thorough`` adds one at 960 for small faces, and where nobody
        is found a last one at 128 is for a face larger than the picture. Two closer looks at each face then confirm it
        and place its landmarks; their mean is steadier than one look at the whole picture.
        """
        sides = [FIRST_SIDE, SMALL_FACES_SIDE] if thorough and max(image.size) > FIRST_SIDE else [FIRST_SIDE]
        found = suppress([face for side in sides for face in self._look(image, side)])
        found = found or self._look(image, LARGE_FACES_SIDE)
        closer = [self.look_closer(image, face) for face in found[:MOST_FACES]]
        return suppress([face for face in closer if face is not None])

    def glance(self, image: Image.Image) -> list[Detection]:
        """All faces at one look, the surest first: good enough to follow them, not to measure them."""
        return self._look(image, FIRST_SIDE)[:MOST_FACES]

    def look_closer(self, image: Image.Image, face: Detection) -> Detection | None:
        """The mean of what is seen in two windows round the face; None when neither shows it."""
        seen = [self._look_through(image, window_around(face, size)) for size in WINDOWS]
        same = [
            max(matching, key=lambda other: overlap(other.box, face.box))
            for view in seen
            if (matching := [other for other in view if overlap(other.box, face.box) > SAME_FACE_OVERLAP])
        ]
        if not same:
            return None
        return Detection(
            box=np.mean([view.box for view in same], axis=0),
            landmarks=np.mean([view.landmarks for view in same], axis=0),
            score=float(np.mean([view.score for view in same])),
        )

    def _look_through(self, image: Image.Image, window: Window) -> list[Detection]:
        left, top, side = window
        cut = image.crop((left, top, left + side, top + side))
        return [face.moved(left, top) for face in self._look(cut, FIRST_SIDE)]

    def _look(self, image: Image.Image, side: int) -> list[Detection]:
        """Faces in the whole image, its longer side brought to ``side`` pixels."""
        width, height = detection_size(image.width, image.height, side)
        resized = image.resize((width, height), Image.Resampling.BILINEAR)
        rows, columns = (-(-height // PADDING) * PADDING, -(-width // PADDING) * PADDING)
        tensor = np.zeros((1, 3, rows, columns), np.float32)
        tensor[0, :, :height, :width] = np.asarray(resized)[:, :, ::-1].transpose(2, 0, 1)
        outputs = self._session.run(OUTPUTS, {"input": tensor})
        found = [
            face
            for index, stride in enumerate(STRIDES)
            for face in decode(outputs[4 * index : 4 * index + 4], stride=stride, columns=columns // stride)
        ]
        return [face.scaled(image.width / width, image.height / height) for face in suppress(found)]


def window_around(face: Detection, size: float) -> Window:
    """A square round the face, ``size`` times as large as its box, in whole pixels; it may reach beyond the picture."""
    x, y, width, height = face.box
    side = size * max(width, height)
    return int(np.floor(x + width / 2 - side / 2)), int(np.floor(y + height / 2 - side / 2)), int(np.ceil(side))


def detection_size(width: int, height: int, side: int) -> tuple[int, int]:
    """The size at which the detector looks: the longer side becomes ``side``."""
    longest = max(width, height)
    across, down = ((2 * length * side + longest) // (2 * longest) for length in (width, height))
    return max(1, across), max(1, down)


def decode(outputs: Sequence[NDArray[np.float32]], *, stride: int, columns: int) -> list[Detection]:
    """Faces from one stride's outputs: class and object scores (1 x n x 1), boxes (1 x n x 4), points (1 x n x 10)."""
    classes, objects, boxes, points = (output[0].astype(np.float64) for output in outputs)
    scores = np.sqrt(classes[:, 0].clip(0, 1) * objects[:, 0].clip(0, 1))
    found = []
    for index in np.flatnonzero(scores >= LEAST_SCORE):
        anchor = np.array([index % columns, index // columns], np.float64)
        size = np.exp(boxes[index, 2:]) * stride
        corner = (anchor + boxes[index, :2]) * stride - size / 2
        landmarks = (points[index].reshape(5, 2) + anchor) * stride
        found.append(Detection(box=np.concatenate([corner, size]), landmarks=landmarks, score=float(scores[index])))
    return found


def suppress(found: Sequence[Detection]) -> list[Detection]:
    """Non-maximum suppression: of boxes that overlap by more than 0.3, the surest stays. Ordered by score."""
    kept: list[Detection] = []
    for candidate in sorted(found, key=lambda face: -face.score)[:MOST_CANDIDATES]:
        if all(overlap(candidate.box, other.box) <= MOST_OVERLAP for other in kept):
            kept.append(candidate)
    return kept


def overlap(first: Floats, second: Floats) -> float:
    """Intersection over union of two boxes."""
    corner = np.maximum(first[:2], second[:2])
    sides = np.minimum(first[:2] + first[2:], second[:2] + second[2:]) - corner
    shared = float(np.prod(sides.clip(0)))
    return shared / (float(first[2] * first[3] + second[2] * second[3]) - shared) if shared else 0.0
