"""Hill climbing against an interface that answers yes or no.

First impostor faces, then blends of two, are tried until one is accepted. From there the attack walks: in the plane
of the accepted probe and a fresh direction the accepted angles are an arc around the template's projection, so the
arc's middle is the best point of the plane. Each end of the arc costs a few questions. The counters of the key holder
stop it long before: 50 rejections in 30 days (protocol §7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.protect.transform import hadamard

ALLOWED_REJECTIONS: Final = 50
MOST_QUESTIONS: Final = 3000
_BISECTIONS: Final = 4
_WIDEST: Final = 1.5

Reals = NDArray[np.float64]
Ask = Callable[[Reals], bool]


class _Stopped(Exception):
    """No more questions may be asked."""


@dataclass(frozen=True, kw_only=True)
class Climb:
    """Where the attack got to: the best probe (128,) or None, and how many questions it took to be accepted."""

    probe: Reals | None
    first_accepted: int | None
    questions: int


class _Interface:
    """Counts questions and rejections, and stops at either limit."""

    def __init__(self, ask: Ask, rejections: int | None) -> None:
        self._ask, self._rejections = ask, rejections
        self.questions = self.rejected = 0

    def accepts(self, probe: Reals) -> bool:
        if self.questions >= MOST_QUESTIONS or (self._rejections is not None and self.rejected >= self._rejections):
            raise _Stopped
        self.questions += 1
        accepted = self._ask(probe)
        self.rejected += not accepted
        return accepted


def climb(ask: Ask, faces: Reals, generator: np.random.Generator, *, rejections: int | None) -> Climb:
    """Attack one account with ``faces`` (n ≥ 2, 128) to begin with; ``rejections`` is the limit, None for no limit."""
    interface = _Interface(ask, rejections)
    probe: Reals | None = None
    first: int | None = None
    try:
        while probe is None:
            face = _next_face(faces, interface.questions, generator)
            if interface.accepts(face):
                probe, first = face, interface.questions
        while probe is not None:
            for direction in _directions(probe, generator):
                probe = _middle_of_arc(interface, probe, direction)
    except _Stopped:
        pass
    return Climb(probe=probe, first_accepted=first, questions=interface.questions)


def _next_face(faces: Reals, tried: int, generator: np.random.Generator) -> Reals:
    """Each face once, the first of them first; then blends of two."""
    if tried < len(faces):
        return np.asarray(faces[tried])
    blend = faces[generator.choice(len(faces), 2, replace=False)].sum(axis=0)
    return np.asarray(blend / np.linalg.norm(blend))


def _directions(probe: Reals, generator: np.random.Generator) -> Reals:
    """Orthonormal directions (128, 128) that have nothing to do with ``probe``, in a random order."""
    signs = generator.choice(np.array([-1.0, 1.0]), len(probe))
    mixed = hadamard(np.eye(len(probe), dtype=np.int64)) * signs
    return np.asarray(generator.permutation(mixed) / np.sqrt(len(probe)))


def _middle_of_arc(interface: _Interface, probe: Reals, direction: Reals) -> Reals:
    across = direction - (direction @ probe) * probe
    across /= np.linalg.norm(across)

    def end(sign: float) -> float:
        inside, outside = 0.0, _WIDEST
        for _ in range(_BISECTIONS):
            angle = (inside + outside) / 2
            if interface.accepts(np.cos(angle) * probe + sign * np.sin(angle) * across):
                inside = angle
            else:
                outside = angle
        return (inside + outside) / 2

    angle = (end(1.0) - end(-1.0)) / 2
    moved = np.cos(angle) * probe + np.sin(angle) * across
    return np.asarray(moved / np.linalg.norm(moved))
