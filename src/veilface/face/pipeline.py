"""A photo becomes faces: decode, detect, align, judge, embed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.face.aligner import SIDE, align
from veilface.face.detector import Detection, Detector
from veilface.face.embedder import Embedder, Embedding, average
from veilface.face.errors import NoFace, PoorQuality, SeveralFaces
from veilface.face.image import RGB, WorkingPicture, decode, from_array, working_picture
from veilface.face.quality import ACCEPTABLE, Limits, Quality, measure, problems, visible_share

__all__ = ["Face", "FacePipeline", "average", "dominant"]

RIVAL_SHARE: Final = 0.45
"""A second face at least this prominent, compared with the first, leaves open who is meant."""


@dataclass(frozen=True, kw_only=True)
class Face:
    """One face in a picture; coordinates are pixels of the upright original.

    ``box``: x, y, width, height. ``landmarks``: 5 x 2 in YuNet's order: right eye, left eye, nose, right and left
    corner of the mouth, where right is the person's right. ``crop``: 112 x 112 x 3 RGB bytes. ``embedding``: 128
    float32 of unit length, centred; None where none was asked for. ``prominence``: size in pixels, less towards the
    edge; see :func:`dominant`.
    """

    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]
    score: float
    prominence: float
    quality: Quality
    crop: RGB
    embedding: Embedding | None


class FacePipeline:
    """Finds and embeds faces. Models are opened at the first use; one object may serve several threads."""

    def __init__(self) -> None:
        self._detector = Detector()
        self._embedder = Embedder()

    def open(self) -> None:
        """Opens the models and runs each once, so that the first frame of a camera need not wait for it."""
        self.glance(np.zeros((SIDE, SIDE, 3), np.uint8))
        self._embedder.embed(np.zeros((SIDE, SIDE, 3), np.uint8))

    def faces(
        self, data: bytes | RGB, *, embed: bool = True, thorough: bool = True, limits: Limits = ACCEPTABLE
    ) -> list[Face]:
        """Every face in a file's bytes or an RGB array, the most prominent first.

        ``thorough`` also looks for small faces; ``limits`` say what counts as a problem. Raises a
        :class:`~veilface.face.errors.PictureError`.
        """
        image = decode(data) if isinstance(data, bytes) else from_array(data)
        working = working_picture(image)
        found = [
            self._describe(working, detection, size=image.size, limits=limits)
            for detection in self._detector.detect(working.image, thorough=thorough)
        ]
        found.sort(key=lambda face: -face.prominence)
        return [replace(face, embedding=self._embedder.embed(face.crop)) for face in found] if embed else found

    def single(self, data: bytes | RGB, *, require_quality: bool = False) -> Face:
        """The one face that is meant, embedded.

        Raises :class:`NoFace`, :class:`SeveralFaces` when :func:`dominant` finds nobody, and with
        ``require_quality`` :class:`PoorQuality` when the face has problems.
        """
        face = self._meant(data, require_quality=require_quality)
        return replace(face, embedding=self._embedder.embed(face.crop))

    def embedding(self, data: bytes | RGB, *, require_quality: bool = False) -> Embedding:
        """The embedding of the face that :meth:`single` finds; raises as it does."""
        return self._embedder.embed(self._meant(data, require_quality=require_quality).crop)

    def glance(self, frame: RGB) -> list[Detection]:
        """The faces of a camera's frame, quickly: where they are, the surest first, in pixels of the frame."""
        working = working_picture(from_array(frame))
        return [face.scaled(working.factor, working.factor) for face in self._detector.glance(working.image)]

    def look_closer(self, frame: RGB, seen: Detection) -> Face | None:
        """A face that a glance at this frame has found, as :meth:`faces` would describe it.

        Embedded only where it has no problem; None where a closer look shows no face.
        """
        image = from_array(frame)
        working = working_picture(image)
        found = self._detector.look_closer(working.image, seen.scaled(1 / working.factor, 1 / working.factor))
        if found is None:
            return None
        face = self._describe(working, found, size=image.size, limits=ACCEPTABLE)
        return face if face.quality.problems else replace(face, embedding=self._embedder.embed(face.crop))

    def embed(self, face: Face) -> Embedding:
        """The embedding of a face that was described without."""
        return self._embedder.embed(face.crop)

    def _meant(self, data: bytes | RGB, *, require_quality: bool) -> Face:
        face = dominant(self.faces(data, embed=False))
        if require_quality and face.quality.problems:
            raise PoorQuality(problems=",".join(face.quality.problems))
        return face

    def _describe(self, working: WorkingPicture, found: Detection, *, size: tuple[int, int], limits: Limits) -> Face:
        crop = align(working.image, found.landmarks)
        detection = found.scaled(working.factor, working.factor)
        quality = measure(crop, detection)
        x, y, width, height = (float(value) for value in detection.box)
        return Face(
            box=(x, y, width, height),
            landmarks=tuple((float(across), float(down)) for across, down in detection.landmarks),
            score=detection.score,
            prominence=prominence(detection.box, *size),
            quality=replace(quality, problems=problems(quality, detection, *size, limits)),
            crop=crop,
            embedding=None,
        )


def prominence(box: NDArray[np.float64], width: float, height: float) -> float:
    """The side of the box's visible part, weighted from 1 in the middle of the picture to 0 in its corners."""
    side = float(np.sqrt(box[2] * box[3] * visible_share(box, width, height)))
    away = np.hypot(box[0] + box[2] / 2 - width / 2, box[1] + box[3] / 2 - height / 2)
    return side * max(0.0, 1 - float(away / np.hypot(width / 2, height / 2)))


def dominant(faces: Sequence[Face]) -> Face:
    """The face that is meant: the most prominent one, if it stands out.

    People in the background of a press photograph are smaller, cut by the edge or far from the middle, and are
    ignored. A second face of 0.45 of the first one's prominence is a rival: :class:`SeveralFaces`.
    """
    if not faces:
        raise NoFace
    first, *others = sorted(faces, key=lambda face: -face.prominence)
    rivals = [face for face in others if face.prominence >= RIVAL_SHARE * first.prominence]
    if rivals:
        raise SeveralFaces(count=1 + len(rivals))
    return first
