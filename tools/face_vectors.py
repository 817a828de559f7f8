"""Writes vectors/face-*.json: what veilface.face makes of synthetic pictures, landmarks and network outputs.

``python tools/face_vectors.py`` writes them, ``--check`` only compares. The browser's mirror is held to the same
files. Reducing and resizing are Pillow's own; no face is in any of them, every picture is a formula.
"""

import argparse
import base64
import hashlib
import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from veilface.contract import CONTRACT
from veilface.face.aligner import TEMPLATE, align, fit
from veilface.face.detector import Detection, decode, detection_size, overlap, suppress, window_around
from veilface.face.embedder import average, centre
from veilface.face.errors import PictureError
from veilface.face.header import read_header
from veilface.face.image import working_factor
from veilface.face.pipeline import prominence
from veilface.face.quality import ACCEPTABLE, COMFORTABLE, Quality, measure, pose, problems
from veilface.protect.calibration import model_fp

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
GOLDEN = 2654435761
LANDMARKS = [[38.0, 52.0], [74.0, 51.0], [57.5, 71.0], [41.0, 92.0], [70.0, 93.0]]


def numbers(count: int, seed: int) -> NDArray[np.int64]:
    """``count`` whole numbers below 65,536 that look random: bits 8 to 23 of ``(i + seed) * 2654435761``."""
    return ((np.arange(count, dtype=np.uint64) + np.uint64(seed)) * np.uint64(GOLDEN) >> 8 & 0xFFFF).astype(np.int64)


def fractions(count: int, seed: int, low: float, high: float) -> NDArray[np.float64]:
    """The same numbers, spread from ``low`` to ``high``."""
    return low + (high - low) * numbers(count, seed) / 65536


def noise(width: int, height: int, seed: int) -> Image.Image:
    """A picture of bytes that look random."""
    return Image.fromarray((numbers(width * height * 3, seed) & 255).astype(np.uint8).reshape(height, width, 3))


def digest(image: Image.Image | NDArray[np.uint8]) -> str:
    """SHA-256 of the picture's bytes, row by row."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()


def resample_vectors() -> dict[str, Any]:
    """Reducing, resizing, cutting and the sizes of things."""
    reductions, resizes, cuts = [], [], []
    for factor in (1, 2, 3, 4, 5, 7, 12):
        width, height = 9 * factor, 7 * factor
        made = noise(width, height, factor).reduce(factor)
        reductions.append({"width": width, "height": height, "seed": factor, "factor": factor, "sha256": digest(made)})
    for width, height, to_width, to_height in ((40, 30, 20, 15), (40, 30, 17, 13), (31, 47, 96, 64), (50, 50, 50, 9)):
        made = noise(width, height, 1).resize((to_width, to_height), Image.Resampling.BILINEAR)
        size = {"width": width, "height": height, "seed": 1, "to_width": to_width, "to_height": to_height}
        resizes.append(size | {"sha256": digest(made)})
    for left, top, width, height in ((0, 0, 20, 10), (-5, -3, 20, 10), (12, 6, 30, 30), (40, 40, 6, 6), (3, 2, 5, 4)):
        made = noise(20, 10, 2).crop((left, top, left + width, top + height))
        cuts.append({"left": left, "top": top, "width": width, "height": height, "sha256": digest(made)})
    sizes = [(640, 480), (96, 96), (4032, 3024), (65_500, 610), (2048, 2048), (2049, 33), (5000, 40)]
    return {
        "reduce": reductions,
        "resize": resizes,
        "cut": cuts,
        "working_factor": [{"size": size, "factor": working_factor(*size)} for size in sizes],
        "detection_size": [{"size": size, "detection_size": detection_size(*size, 320)} for size in sizes],
    }


def aligner_vectors() -> dict[str, Any]:
    """Similarities, and crops of a noise picture; the last ones reach beyond it or miss it."""
    cases = []
    for scale, angle, dx, dy in ((1, 0, 0, 0), (2.6, 12, 20, 9), (0.4, -30, 60, 40), (1.7, 5, -70, 30), (1, 0, 900, 0)):
        turn = scale * np.exp(1j * np.radians(angle))
        moved = np.array([turn * complex(*point) + complex(dx, dy) for point in LANDMARKS])
        landmarks = np.stack([moved.real, moved.imag], axis=-1)
        crop = align(noise(320, 280, 3), landmarks)
        cases.append({"landmarks": landmarks.tolist(), "fit": asdict(fit(TEMPLATE, landmarks)), "sha256": digest(crop)})
    return {"picture": {"width": 320, "height": 280, "seed": 3}, "cases": cases}


def plain(face: Detection) -> dict[str, Any]:
    """A detection as JSON."""
    return {"box": face.box.tolist(), "landmarks": face.landmarks.tolist(), "score": face.score}


def detector_vectors() -> dict[str, Any]:
    """Network outputs to faces, suppression, overlaps and windows."""
    rows, columns, stride = 6, 8, 16
    count = rows * columns
    outputs = {
        "cls": fractions(count, 11, -0.1, 1.1),
        "obj": fractions(count, 12, 0.2, 1.1),
        "bbox": fractions(4 * count, 13, -0.5, 1.5),
        "kps": fractions(10 * count, 14, -1, 2),
    }
    shaped = [outputs[kind].reshape(1, count, -1).astype(np.float32) for kind in ("cls", "obj", "bbox", "kps")]
    found = decode(shaped, stride=stride, columns=columns)
    boxes = [np.array(box, np.float64) for box in ([0, 0, 10, 10], [5, 5, 10, 10], [10, 0, 4, 4], [2, 2, 3, 3])]
    return {
        "stride": stride,
        "columns": columns,
        "outputs": {kind: values.astype(np.float32).tolist() for kind, values in outputs.items()},
        "decoded": [plain(face) for face in found],
        "kept": [plain(face) for face in suppress(found)],
        "overlaps": [
            {"first": box.tolist(), "second": other.tolist(), "overlap": overlap(box, other)}
            for box in boxes
            for other in boxes
        ],
        "windows": [window_around(found[0], size) for size in (1.6, 2.0)],
    }


def quality_vectors() -> dict[str, Any]:
    """Measures of smooth and rough crops, poses, and problems at the limits."""
    crops, y, x = [], *np.mgrid[0:112, 0:112]
    for seed, contrast in ((21, 0.0), (22, 12.0), (23, 60.0)):
        grain = (numbers(112 * 112 * 3, seed).reshape(112, 112, 3) & 255) / 255
        shape = np.stack([y + 60, x + 40, 200 - y], axis=-1)
        crop = np.floor(np.clip(shape + contrast * grain, 0, 255)).astype(np.uint8)
        face = Detection(box=np.array([5.0, 6, 80, 100]), landmarks=np.array(LANDMARKS), score=0.9)
        crops.append({"seed": seed, "contrast": contrast, "measures": measures_of(measure(crop, face))})
    turned = [TEMPLATE + fractions(10, seed, -9, 9).reshape(5, 2) for seed in range(31, 37)]
    judged = []
    for index in range(12):
        spread = fractions(7, 41 + 7 * index, 0, 1)
        values = spread * [200, 1, 255, 140, 100, 100, 1] - [0, 0, 0, 70, 50, 50, 0]
        quality = Quality(**dict(zip(MEASURES, values.tolist(), strict=True)))
        box = fractions(4, 200 + index, 0, 1) * [300, 200, 500, 400] + [-60, -60, 30, 30]
        landmarks = box[:2] + fractions(10, 300 + index, 0.05, 1).reshape(5, 2) * box[2:]
        face = Detection(box=box, landmarks=landmarks, score=0.9)
        limits = {"acceptable": ACCEPTABLE, "comfortable": COMFORTABLE}
        codes = {name: problems(quality, face, 400, 300, limit) for name, limit in limits.items()}
        case = {"measures": measures_of(quality), "box": box.tolist(), "landmarks": landmarks.tolist()}
        judged.append(case | {"prominence": prominence(box, 400, 300)} | codes)
    return {
        "landmarks": LANDMARKS,
        "crops": crops,
        "poses": [{"landmarks": points.tolist(), "pose": asdict(pose(points))} for points in turned],
        "problems": judged,
    }


MEASURES = ("size", "sharpness", "brightness", "yaw", "pitch", "roll", "occlusion")


def measures_of(quality: Quality) -> dict[str, float]:
    """The figures without the problems."""
    return {name: getattr(quality, name) for name in MEASURES}


def embedder_vectors() -> dict[str, Any]:
    """Centring, averaging and the contract's fingerprints."""
    raw = [fractions(128, seed, -3, 3).astype(np.float32) for seed in (51, 52, 53)]
    embeddings = [centre(vector) for vector in raw]
    return {
        "contract_id": CONTRACT.contract_id.hex(),
        "model_fp": model_fp("homomorphic").hex(),
        "raw": [vector.tolist() for vector in raw],
        "embeddings": [vector.tolist() for vector in embeddings],
        "average": average(embeddings).tolist(),
    }


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    """The file a picture becomes."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def header_vectors() -> dict[str, Any]:
    """Small files of every type, whole and damaged, and what their headers say."""
    picture = noise(40, 33, 61)
    jpeg, png = encode(picture, "JPEG", quality=20), encode(picture.quantize(4), "PNG")
    lossy, lossless = encode(picture, "WEBP", quality=5), encode(picture.quantize(2), "WEBP", lossless=True)
    layered = picture.convert("RGBA")
    layered.putalpha(100)
    extended = encode(layered, "WEBP", quality=5)
    large = png[:16] + (30_000).to_bytes(4, "big") * 2 + png[24:]
    files = {
        "baseline.jpg": jpeg,
        "progressive.jpg": encode(picture, "JPEG", quality=20, progressive=True),
        "fill-bytes.jpg": jpeg[:2] + b"\xff\xff" + jpeg[2:],
        "palette.png": png,
        "lossy.webp": lossy,
        "lossless.webp": lossless,
        "extended.webp": extended,
        "no-end.jpg": jpeg[:-2],
        "no-frame.jpg": jpeg[:4],
        "bad-marker.jpg": jpeg[:2] + b"\xff\xe0\x00\x03\x00\x00" + jpeg[2:],
        "no-end.png": png[:-12],
        "no-header.png": png[:12] + b"XXXX" + png[16:],
        "short.webp": lossy[:-1],
        "strange.webp": lossy[:12] + b"VP9 " + lossy[16:],
        "empty": b"",
        "text": b"GIF89a is not read",
        "thirty-thousand-squared.png": large,
        "thin.png": encode(noise(64, 31, 1).quantize(2), "PNG"),
    }
    return {
        "files": [
            {"name": name, "base64": base64.b64encode(data).decode()} | read(data) for name, data in files.items()
        ]
    }


def read(data: bytes) -> dict[str, Any]:
    """What the header says, or the code of the refusal."""
    try:
        return {"header": asdict(read_header(data))}
    except PictureError as refusal:
        return {"code": refusal.code}


WRITERS: dict[str, Callable[[], dict[str, Any]]] = {
    "face-resample.json": resample_vectors,
    "face-aligner.json": aligner_vectors,
    "face-detector.json": detector_vectors,
    "face-quality.json": quality_vectors,
    "face-embedder.json": embedder_vectors,
    "face-header.json": header_vectors,
}


def agrees(made: Any, committed: Any) -> bool:
    """Equal but for the last digits of fractions, and for how an encoder packs a picture."""
    if isinstance(made, dict):
        shared = made.keys() - {"base64"}
        return made.keys() == committed.keys() and all(agrees(made[key], committed[key]) for key in shared)
    if isinstance(made, list | tuple):
        return len(made) == len(committed) and all(map(agrees, made, committed))
    if isinstance(made, float):
        return math.isclose(made, committed, rel_tol=1e-6, abs_tol=1e-9)
    return bool(made == committed)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Write the vectors of the face package.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    check = parser.parse_args().check
    for name, make in WRITERS.items():
        if not check:
            (VECTORS / name).write_text(json.dumps(make(), separators=(",", ":")) + "\n", "ascii")
        elif not agrees(make(), json.loads((VECTORS / name).read_text("ascii"))):
            raise SystemExit(f"{name} is not what veilface.face makes")


if __name__ == "__main__":
    main()
