"""A camera before which somebody moves as asked: a photograph's face, turned as an egg with a nose would be.

Real photographs, no real movement: what the liveness check sees of it are landmarks that move as a head's would.
"""

import base64
import io
import json
from collections.abc import Callable
from math import pi, sin
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from veilface.face.pipeline import FacePipeline

FRAMES: Final = 14
MOVES: Final = {
    "turn_left": (34.0, 0.0, 1.0),
    "turn_right": (-34.0, 0.0, 1.0),
    "nod": (0.0, -42.0, 1.0),
    "come_closer": (0.0, 0.0, 1.4),
}
"""Yaw and pitch in degrees, and size, at the height of the movement."""

Pixels = NDArray[np.uint8]
Reals = NDArray[np.float64]

CAMERA: Final = """
(() => {
  const moves = MOVES
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 })
  const pen = canvas.getContext('2d')
  const pictures = Object.fromEntries(Object.entries(moves).map(([name, frames]) => [name, frames.map((data) => {
    const image = new Image()
    image.src = 'data:image/jpeg;base64,' + data
    return image
  })]))
  let frames = null, at = 0, looked = 0, asked = ''
  const look = window.createImageBitmap.bind(window)
  window.createImageBitmap = (source, ...rest) => {
    if (source instanceof HTMLVideoElement && frames) {
      const now = performance.now()
      at += Math.max(1, Math.min(2, Math.floor((now - looked) / 110)))
      looked = now
    }
    return look(source, ...rest)
  }
  setInterval(() => {
    const action = document.querySelector('[data-action]')?.dataset.action ?? ''
    if (action !== asked) {
      asked = action
      if (pictures[action]) [frames, at, looked] = [pictures[action], 0, performance.now()]
    }
    const frame = frames?.[at] ?? Object.values(pictures)[0][0]
    if (frame.complete) pen.drawImage(frame, 0, 0)
  }, 40)
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(25)
})()
"""


def camera(picture: bytes, pipeline: FacePipeline, *, answer: Callable[[str], str] = lambda asked: asked) -> str:
    """A script that makes the page's camera show ``picture`` (640 x 480) moving as asked, or as ``answer`` says.

    The head is a step further whenever it was looked at, two where the page looks seldom: a person takes their time.
    """
    face = pipeline.faces(picture, embed=False)[0]
    with Image.open(io.BytesIO(picture)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    frames = {
        name: [_jpeg(one) for one in _movement(pixels, np.array(face.landmarks), *move)] for name, move in MOVES.items()
    }
    moves = json.dumps({asked: frames[answer(asked)] for asked in MOVES})
    return CAMERA.replace("MOVES", moves, 1)


def _movement(pixels: Pixels, landmarks: Reals, yaw: float, pitch: float, size: float) -> list[Pixels]:
    shares = [sin(pi * frame / FRAMES) ** 2 for frame in range(FRAMES)]
    return [moved(pixels, landmarks, yaw * share, pitch * share, 1 + (size - 1) * share) for share in shares]


def moved(pixels: Pixels, landmarks: Reals, yaw: float, pitch: float, size: float) -> Pixels:
    """The picture with its face turned by so many degrees, and ``size`` times as large."""
    height, width = pixels.shape[:2]
    centre, nose = landmarks.mean(axis=0), landmarks[2]
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    down, across = np.mgrid[0:height, 0:width].astype(np.float64)
    across, down = (across - centre[0]) / size + centre[0], (down - centre[1]) / size + centre[1]
    x, y = across, down
    for _ in range(6):  # where each pixel came from, found by trying
        u, v = (x - centre[0]) / (1.15 * eyes), (y - centre[1]) / (1.7 * eyes)
        depth = np.sqrt(np.clip(1 - u**2 - 0.6 * v**2, 0, 1))
        depth += 0.35 * np.exp(-(((x - nose[0]) / (0.28 * eyes)) ** 2) - ((y - nose[1]) / (0.33 * eyes)) ** 2)
        of_head = np.clip(1.3 - np.hypot(u, v), 0, 0.3) / 0.3
        x = across - _shift(yaw, depth, u) * 1.15 * eyes * of_head
        y = down - _shift(-pitch, depth, v) * 1.15 * eyes * of_head
    return _sampled(pixels, x, y)


def _shift(degrees: float, depth: Reals, place: Reals) -> Reals:
    angle = np.radians(degrees)
    shift: Reals = np.sin(angle) * depth + (np.cos(angle) - 1) * place
    return shift


def _sampled(pixels: Pixels, x: Reals, y: Reals) -> Pixels:
    height, width = pixels.shape[:2]
    x, y = np.clip(x, 0, width - 1.001), np.clip(y, 0, height - 1.001)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, below = (x - left)[..., None], (y - top)[..., None]
    upper = pixels[top, left] * (1 - right) + pixels[top, left + 1] * right
    lower = pixels[top + 1, left] * (1 - right) + pixels[top + 1, left + 1] * right
    return (upper * (1 - below) + lower * below).astype(np.uint8)


def _jpeg(pixels: Pixels) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88)
    return base64.b64encode(buffer.getvalue()).decode()
