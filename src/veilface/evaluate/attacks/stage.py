"""The stage an attack plays on: enrolled people, their renewals, and what counts as success."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.datasets import Dataset, Embeddings
from veilface.evaluate.protections import Matrix, Protection, evaluation_token

MOST_VICTIMS: Final = 40

Reals = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an attack achieved, over all victims; None where a figure has no meaning.

    ``cosine``: mean cosine of the recovered to the enrolled embedding. ``accepted_same``: share of victims whose
    attacked enrolment accepts the result. ``accepted_new``: the same after a renewal with another picture; a
    recovered face is shown to the victim's own device, as a face cannot be renewed. ``bits``: share of the keyed bit
    string read. ``questions``: median number of questions to the first acceptance.
    """

    cosine: float | None
    accepted_same: float
    accepted_new: float
    bits: float | None = None
    questions: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Cast:
    """Who is attacked with what: rows of unit embeddings.

    ``enrolled`` and ``renewed`` (v, 128) are two pictures of each victim. ``population`` (n, 128) belongs to other
    people: the attacker's own faces. ``crowd`` (m, 128) is every picture of the half the victims are from.
    """

    enrolled: Embeddings
    renewed: Embeddings
    population: Embeddings
    crowd: Embeddings

    @classmethod
    def of(cls, dataset: Dataset) -> "Cast":
        """Even people are the attacker's population; of the odd ones, those with two pictures are victims."""
        odd = dataset.people % 2 == 1
        pairs = [rows[:2] for person in np.unique(dataset.people[odd]) if len(rows := _rows(dataset, person)) > 1]
        first, second = np.array(pairs[:MOST_VICTIMS], dtype=np.int64).reshape(-1, 2).T
        return cls(
            enrolled=dataset.embeddings[first],
            renewed=dataset.embeddings[second],
            population=dataset.embeddings[~odd],
            crowd=dataset.embeddings[odd],
        )


def _rows(dataset: Dataset, person: int) -> NDArray[np.int64]:
    return np.flatnonzero(dataset.people == person)


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """One protection, its threshold and the threshold of plain cosines, and the cast."""

    protection: Protection
    threshold: float
    plain_threshold: float
    cast: Cast
    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(11))

    def token(self, victim: int, renewal: int = 0) -> bytes:
        """The token of a victim's enrolment; 0 is the attacked one."""
        return evaluation_token(f"victim/{victim}/{renewal}")

    def guess(self, victim: int) -> bytes:
        """The token of a thief who has none."""
        return evaluation_token(f"guess/{victim}")

    def template(self, victim: int, renewal: int = 0) -> Matrix:
        """What is stored (k) of a victim's first picture at some enrolment."""
        picture = self.cast.enrolled[victim : victim + 1]
        stored: Matrix = self.protection.templates(picture, self.token(victim, renewal), self.generator)[0]
        return stored

    @cached_property
    def victims(self) -> range:
        """The numbers of the victims."""
        return range(len(self.cast.enrolled))

    @cached_property
    def stored(self) -> Matrix:
        """The stolen templates (v, k)."""
        return np.stack([self.template(victim) for victim in self.victims])

    @cached_property
    def restored(self) -> Matrix:
        """The templates (v, k) after a renewal, with another token and another picture."""
        return np.stack(
            [
                self.protection.templates(self.cast.renewed[v : v + 1], self.token(v, -1), self.generator)[0]
                for v in self.victims
            ]
        )

    def accepts(self, victim: int, face: Reals, *, renewed: bool = False) -> bool:
        """Whether the victim's device and server would accept this face (128,)."""
        token = self.token(victim, -1 if renewed else 0)
        probe = self.protection.probes(face[None].astype(np.float32), token, self.generator)
        stored = (self.restored if renewed else self.stored)[victim : victim + 1]
        return bool(self.protection.score(stored, probe)[0, 0] >= self.threshold)

    def faces(self, found: Sequence[Reals], *, bits: Sequence[float] | None = None) -> Outcome:
        """The outcome of an attack that recovered an embedding (128,) of each victim."""
        cosines = [float(face @ self.cast.enrolled[victim]) for victim, face in enumerate(found)]
        return Outcome(
            cosine=float(np.mean(cosines)),
            accepted_same=float(np.mean([self.accepts(victim, face) for victim, face in enumerate(found)])),
            accepted_new=float(
                np.mean([self.accepts(victim, face, renewed=True) for victim, face in enumerate(found)])
            ),
            bits=None if bits is None else float(np.mean(bits)),
        )

    def replay(self, probes: Matrix) -> Outcome:
        """The outcome of sending already protected probes (v, k), past the device's signature."""
        same, new = (
            [self.protection.score(kept[v : v + 1], probes[v : v + 1])[0, 0] >= self.threshold for v in self.victims]
            for kept in (self.stored, self.restored)
        )
        return Outcome(cosine=None, accepted_same=float(np.mean(same)), accepted_new=float(np.mean(new)))

    def for_everybody(self, faces: Reals) -> Outcome:
        """The outcome of trying the same faces (n, 128) on every picture of the crowd, until one is accepted."""
        same, new = (self._crowd_accepts(faces, token, stored) for token, stored in self._crowds)
        cosines = (self.cast.crowd @ faces.T).max(axis=1)
        return Outcome(cosine=float(cosines.mean()), accepted_same=same, accepted_new=new)

    @cached_property
    def _crowds(self) -> list[tuple[bytes, Matrix]]:
        """The crowd's templates at an enrolment and after a renewal.

        All share a token here: for a probe made under each one's own, acceptance is the same.
        """
        tokens = [evaluation_token(f"crowd/{enrolment}") for enrolment in range(2)]
        return [(token, self.protection.templates(self.cast.crowd, token, self.generator)) for token in tokens]

    def _crowd_accepts(self, faces: Reals, token: bytes, stored: Matrix) -> float:
        probes = self.protection.probes(faces.astype(np.float32), token, self.generator)
        return float(np.mean((self.protection.score(stored, probes) >= self.threshold).any(axis=1)))
