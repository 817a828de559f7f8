"""A folder of pictures of people, one sub-folder a person, and what the detector makes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.errors import VeilfaceError
from veilface.evaluate.errors import NoPeople
from veilface.evaluate.stopwatch import Stopwatch
from veilface.face.pipeline import FacePipeline

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")
FEWEST_PICTURES: Final = 2
Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One face that could be measured: whose it is, from which picture, and its embedding, float32 (128,)."""

    person: str
    picture: str
    embedding: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failure to enrol: a picture without a usable face, and the code of the reason."""

    picture: str
    code: str


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two samples; ``genuine`` if they are said to be of one person."""

    template: Sample
    probe: Sample

    @property
    def genuine(self) -> bool:
        """Whether both pictures are in the same person's folder."""
        return self.template.person == self.probe.person

    @property
    def cosine(self) -> float:
        """The plaintext score in float64."""
        return float(np.dot(self.template.embedding.astype(np.float64), self.probe.embedding.astype(np.float64)))


def measure(
    folder: Path, faces: FacePipeline, *, watch: Stopwatch, advance: Advance
) -> tuple[list[Sample], list[Failure]]:
    """Measures the one face that is meant on every picture, as enrolment would; raises :class:`NoPeople`."""
    pictures = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)
    samples, failures = [], []
    for done, picture in enumerate(pictures, start=1):
        try:
            with watch.stage("face"):
                embedding = faces.embedding(picture.read_bytes())
            samples.append(Sample(person=picture.parent.name, picture=_name(picture), embedding=embedding))
        except VeilfaceError as error:
            failures.append(Failure(picture=_name(picture), code=error.code))
        advance(done, len(pictures))
    if len(samples) < FEWEST_PICTURES:
        raise NoPeople(path=str(folder), expected=FEWEST_PICTURES)
    return samples, failures


def pairs(samples: list[Sample], *, impostors: int) -> list[Pair]:
    """All genuine pairs and ``impostors`` impostor pairs, taken evenly over all of them; 0 takes them all."""
    every = [Pair(template=one, probe=other) for one, other in combinations(samples, 2)]
    genuine = [pair for pair in every if pair.genuine]
    others = [pair for pair in every if not pair.genuine]
    wanted = min(impostors or len(others), len(others))
    return genuine + [others[index * len(others) // wanted] for index in range(wanted)]


def _name(picture: Path) -> str:
    return f"{picture.parent.name}/{picture.name}"
