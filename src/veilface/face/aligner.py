"""Five landmarks to the upright 112 x 112 crop that the embedder was trained on.

The similarity (scale, rotation, shift) is the least-squares one: S. Umeyama, "Least-squares estimation of
transformation parameters between two point patterns", IEEE TPAMI 13(4), 1991; in the plane it is a complex
regression, so no singular value decomposition is needed. ``web/src/face/aligner.ts`` mirrors this file.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE: Final = 112
Floats = NDArray[np.float64]
Crop = NDArray[np.uint8]

TEMPLATE: Final[Floats] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where the landmarks belong in the crop: right eye, left eye, nose, right and left corner of the mouth."""


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """``(x, y)`` becomes ``(a x - b y + dx, b x + a y + dy)``."""

    a: float
    b: float
    dx: float
    dy: float

    @property
    def scale(self) -> float:
        """How many times longer a distance becomes."""
        return float(np.hypot(self.a, self.b))

    def apply(self, points: Floats) -> Floats:
        """Points (… x 2), moved."""
        x, y = points[..., 0], points[..., 1]
        return np.stack([self.a * x - self.b * y + self.dx, self.b * x + self.a * y + self.dy], axis=-1)


def fit(source: Floats, target: Floats) -> Similarity:
    """The similarity that brings ``source`` (n x 2) closest to ``target``; points must not all coincide."""
    from_centre, to_centre = source.mean(axis=0), target.mean(axis=0)
    (x, y), (u, v) = (source - from_centre).T, (target - to_centre).T
    spread = float(np.sum(x * x + y * y))
    a, b = float(np.sum(x * u + y * v)) / spread, float(np.sum(x * v - y * u)) / spread
    dx = float(to_centre[0] - (a * from_centre[0] - b * from_centre[1]))
    dy = float(to_centre[1] - (b * from_centre[0] + a * from_centre[1]))
    return Similarity(a=a, b=b, dx=dx, dy=dy)


def align(image: Image.Image, landmarks: Floats) -> Crop:
    """The face, 112 x 112 x 3 RGB bytes; black where it reaches beyond the picture.

    A face more than twice as large as the crop is averaged down by a whole factor first, so that no detail folds into
    false patterns.
    """
    to_picture = fit(TEMPLATE, landmarks)
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).astype(np.float64)
    points = to_picture.apply(grid)
    factor = max(1, int(to_picture.scale))
    box = _covering_box(points, image.size, factor)
    if box is None:
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels = np.asarray(image.reduce(factor, box))
    inside = (points - [box[0], box[1]] + 0.5) / factor - 0.5
    return sample(pixels, inside)


def _covering_box(points: Floats, size: tuple[int, int], factor: int) -> tuple[int, int, int, int] | None:
    """The part of the picture that the points touch, in whole multiples of ``factor``; None when they miss it."""
    low = np.floor(points.min(axis=(0, 1)) / factor).astype(int) - 1
    high = np.floor(points.max(axis=(0, 1)) / factor).astype(int) + 2
    left, top = (max(0, int(value)) for value in low)
    right, bottom = (min(limit // factor, int(value)) for value, limit in zip(high, size, strict=True))
    if left >= right or top >= bottom:
        return None
    return left * factor, top * factor, right * factor, bottom * factor


def sample(pixels: NDArray[np.uint8], points: Floats) -> Crop:
    """Bilinear values of ``pixels`` (rows x columns x 3) at ``points`` (… x 2), rounded half up; black outside."""
    framed = np.pad(pixels, ((2, 2), (2, 2), (0, 0)))
    rows, columns = pixels.shape[:2]
    corner = np.floor(points)
    (fx, fy) = np.moveaxis(points - corner, -1, 0)[..., None]
    x = corner[..., 0].astype(int).clip(-2, columns) + 2
    y = corner[..., 1].astype(int).clip(-2, rows) + 2
    above = framed[y, x] * (1 - fx) + framed[y, x + 1] * fx
    below = framed[y + 1, x] * (1 - fx) + framed[y + 1, x + 1] * fx
    crop: Crop = np.floor(above * (1 - fy) + below * fy + 0.5).astype(np.uint8)
    return crop
