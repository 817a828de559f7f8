"""How good a face is for recognition, and what the person can do about it.

The figures are simple measures on the aligned crop and the landmarks, not a trained model: good enough to say "face
the light" or "hold still". The hint of occlusion sees a covered mouth, as under a mask; it does not see sunglasses.
``web/src/face/quality.ts`` mirrors this file.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from veilface.face.detector import Detection

Floats = NDArray[np.float64]
Problem = Literal[
    "no_face",
    "several_faces",
    "too_small",
    "too_close",
    "off_centre",
    "too_dark",
    "too_bright",
    "blurred",
    "turned",
    "tilted",
    "occluded",
]

LUMA: Final = np.array([0.299, 0.587, 0.114])
BLUE: Final = np.array([-0.168736, -0.331264, 0.5])
RED: Final = np.array([0.5, -0.418688, -0.081312])
# rows and columns of the aligned crop
FACE: Final = np.s_[28:100, 26:86]
MOUTH: Final = np.s_[84:100, 36:76]
CHIN: Final = np.s_[84:108, 40:72]
CHEEKS_AND_BROW: Final = (np.s_[60:74, 30:46], np.s_[60:74, 66:82], np.s_[30:44, 46:66])
NOSE_DEPTH: Final = 0.6  # of the distance between the eyes
NOSE_HEIGHT: Final = 0.57  # between eyes (0) and mouth (1) in a level face, as YuNet places them
NOSE_LEVER: Final = 0.43
OPEN_MOUTH_DETAIL: Final = 0.3
SKIN_COLOUR_SPREAD: Final = 15.0
MASK_COLOUR_SPREAD: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Where a measure becomes a problem.

    ``size`` in pixels of the picture; ``closeness`` and ``distance`` (of the face's centre from the picture's) in
    shares of the picture's sides; ``visible`` is the least share of the box inside the picture, where all landmarks
    must be in any case; brightness is 0 to 255; angles are in degrees; sharpness and occlusion as in :class:`Quality`.
    """

    size: float
    closeness: float
    distance: float
    visible: float
    dark: float
    bright: float
    sharpness: float
    yaw: float
    pitch: float
    roll: float
    occlusion: float


ACCEPTABLE: Final = Limits(
    size=40, closeness=1.6, distance=1.0, visible=0.45, dark=40, bright=230, sharpness=0.3, yaw=55, pitch=35, roll=27,
    occlusion=0.7,
)  # fmt: skip
"""Beyond these a picture is refused; ordinary press photographs, also at 96 pixels, stay within."""

COMFORTABLE: Final = Limits(
    size=80, closeness=0.85, distance=0.25, visible=0.99, dark=60, bright=215, sharpness=0.4, yaw=20, pitch=18, roll=12,
    occlusion=0.6,
)  # fmt: skip
"""What a camera waits for before it takes a picture by itself."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Measures of one face.

    ``size``: shorter side of the box in pixels of the picture. ``sharpness``: energy of the Laplacian over energy of
    the gradient in the crop; about 1 is sharp, under 0.3 blurred. ``brightness``: mean luma, 0 to 255. ``yaw``:
    degrees, positive when the nose points to the right of the picture; ``pitch``: positive when it points up;
    ``roll``: positive when the head is turned clockwise in the picture. All three are rough, and beyond 15 degrees the
    detector understates roll by about a third. ``occlusion``: 0 to 1.
    ``problems``: codes beyond :data:`ACCEPTABLE`, the most urgent first.
    """

    size: float
    sharpness: float
    brightness: float
    yaw: float
    pitch: float
    roll: float
    occlusion: float
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Degrees; signs as in :class:`Quality`."""

    yaw: float
    pitch: float
    roll: float


def measure(crop: NDArray[np.uint8], face: Detection) -> Quality:
    """The measures of ``face`` (in pixels of the original picture) with its aligned crop; no problems yet."""
    pixels = crop.astype(np.float64)
    luma = pixels @ LUMA
    across, down = _gradients(luma)
    detail = float(np.mean(across[FACE] ** 2 + down[FACE] ** 2))
    angles = pose(face.landmarks)
    return Quality(
        size=float(min(face.box[2], face.box[3])),
        sharpness=float(np.var(_laplacian(luma)[FACE])) / max(detail, 1.0),
        brightness=float(np.mean(luma[FACE])),
        yaw=angles.yaw,
        pitch=angles.pitch,
        roll=angles.roll,
        occlusion=_occlusion(pixels, float(np.mean(down[MOUTH] ** 2)) / max(detail, 1.0)),
    )


def _gradients(luma: Floats) -> tuple[Floats, Floats]:
    """Central differences across and down; zero on the border."""
    across, down = np.zeros_like(luma), np.zeros_like(luma)
    across[1:-1, 1:-1] = (luma[1:-1, 2:] - luma[1:-1, :-2]) / 2
    down[1:-1, 1:-1] = (luma[2:, 1:-1] - luma[:-2, 1:-1]) / 2
    return across, down


def _laplacian(luma: Floats) -> Floats:
    out = np.zeros_like(luma)
    neighbours = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
    out[1:-1, 1:-1] = neighbours - 4 * luma[1:-1, 1:-1]
    return out


def _occlusion(pixels: Floats, mouth_detail: float) -> float:
    """A mouth without lips, or a chin of another colour than cheeks and brow, hints at a mask."""
    smooth = 1 - mouth_detail / OPEN_MOUTH_DETAIL
    apart = np.hypot(_colour_gap(pixels @ BLUE), _colour_gap(pixels @ RED))
    strange = (float(apart) - SKIN_COLOUR_SPREAD) / MASK_COLOUR_SPREAD
    return min(1.0, max(0.0, smooth, strange))


def _colour_gap(channel: Floats) -> float:
    skin = np.median([np.median(channel[part]) for part in CHEEKS_AND_BROW])
    return float(np.median(channel[CHIN]) - skin)


def pose(landmarks: Floats) -> Pose:
    """Angles from where the nose sits between eyes and mouth; rough, and blind to a face's own proportions."""
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
    eyes, mouth, across = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2, left_eye - right_eye
    distance = max(float(np.hypot(across[0], across[1])), 1e-6)
    ahead = across / distance
    down = np.array([-ahead[1], ahead[0]])
    length = max(float((mouth - eyes) @ down), 0.1 * distance)
    aside = float((nose - (eyes + mouth) / 2) @ ahead) / distance
    height = float((nose - eyes) @ down) / length
    return Pose(
        yaw=float(np.degrees(np.arctan(aside / NOSE_DEPTH))),
        pitch=float(np.degrees(np.arctan((NOSE_HEIGHT - height) / NOSE_LEVER))),
        roll=float(np.degrees(np.arctan2(across[1], across[0]))),
    )


def visible_share(box: Floats, width: float, height: float) -> float:
    """The share of ``box`` (x, y, width, height) that lies inside a picture."""
    x = max(0.0, min(box[0] + box[2], width) - max(box[0], 0.0))
    y = max(0.0, min(box[1] + box[3], height) - max(box[1], 0.0))
    return float(x * y / (box[2] * box[3]))


def problems(quality: Quality, face: Detection, width: float, height: float, limits: Limits) -> tuple[Problem, ...]:
    """What lies beyond ``limits``, the most urgent first; ``face`` and the picture's sides in the same pixels."""
    box = face.box
    complete = bool(np.all((face.landmarks >= 0) & (face.landmarks <= [width, height])))
    cut = not complete or visible_share(box, width, height) < limits.visible
    closeness = max(box[2] / width, box[3] / height)
    distance = max(abs(box[0] + box[2] / 2 - width / 2) / width, abs(box[1] + box[3] / 2 - height / 2) / height)
    beyond: tuple[tuple[Problem, bool], ...] = (
        ("too_small", quality.size < limits.size),
        ("too_close", closeness > limits.closeness),
        ("off_centre", distance > limits.distance or cut),
        ("too_dark", quality.brightness < limits.dark),
        ("too_bright", quality.brightness > limits.bright),
        ("turned", abs(quality.yaw) > limits.yaw or abs(quality.pitch) > limits.pitch),
        ("tilted", abs(quality.roll) > limits.roll),
        ("occluded", quality.occlusion > limits.occlusion),
        ("blurred", quality.sharpness < limits.sharpness),
    )
    return tuple(code for code, holds in beyond if holds)
