"""A data set under stolen tokens, under own tokens and under wrong ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.accuracy import Accuracy, PairScores, accuracy, compare_all
from veilface.evaluate.datasets import Dataset, People
from veilface.evaluate.protections import BASELINE, Matrix, Protection, evaluation_token

_ROWS: Final = 256


@dataclass(frozen=True, eq=False)
class Protected:
    """Every picture as a template and as a probe, (n, k) each."""

    templates: Matrix
    probes: Matrix

    def chosen(self, mask: NDArray[np.bool_]) -> Self:
        """The pictures where ``mask`` is true."""
        return self if mask.all() else type(self)(self.templates[mask], self.probes[mask])


@dataclass(frozen=True, kw_only=True)
class WrongToken:
    """Probes under another token than the template's, everybody against everybody, at the stolen-token thresholds."""

    pairs: int
    accepted: dict[str, int]


def stolen_tokens(
    protection: Protection, dataset: Dataset, tokens: int, generator: np.random.Generator
) -> Iterator[Protected]:
    """One token after another, the same for everybody: what is left when the token is stolen."""
    for number in range(tokens):
        token = evaluation_token(f"stolen/{number}")
        yield Protected(
            protection.templates(dataset.embeddings, token, generator),
            protection.probes(dataset.embeddings, token, generator),
        )


def compared(protection: Protection, kept: Protected, people: People) -> PairScores:
    """The scores of all pairs."""
    return compare_all(lambda rows, columns: protection.score(kept.templates[rows], kept.probes[columns]), people)


def stolen_runs(
    protection: Protection, dataset: Dataset, tokens: int, generator: np.random.Generator
) -> list[PairScores]:
    """The scores of all pairs, one run a stolen token."""
    kept = stolen_tokens(protection, dataset, tokens, generator)
    return [compared(protection, one, dataset.people) for one in kept]


def own_tokens(
    protection: Protection, dataset: Dataset, stolen: Accuracy, generator: np.random.Generator
) -> tuple[Accuracy, WrongToken]:
    """A token for each person; then everybody's probes under yet another one against all templates, own included.

    Plain embeddings have no token. A probe under another homomorphic key decrypts to noise and fails the range
    check (the attacks try it on real ciphertexts), so wrong keys accept nothing here.
    """
    templates, probes, others = _each_with_own(protection, dataset, generator)
    own = accuracy([compared(protection, Protected(templates, probes), dataset.people)], dataset.people, resamples=0)
    if protection.name in {BASELINE, "homomorphic"}:
        return own, WrongToken(pairs=0, accepted={})
    accepted = dict.fromkeys(stolen.thresholds, 0)
    for start in range(0, len(templates), _ROWS):
        scores = protection.score(templates[start : start + _ROWS], others)
        for fmr, threshold in stolen.thresholds.items():
            accepted[fmr] += 0 if threshold is None else int((scores >= threshold).sum())
    return own, WrongToken(pairs=len(templates) * len(others), accepted=accepted)


def _each_with_own(
    protection: Protection, dataset: Dataset, generator: np.random.Generator
) -> tuple[Matrix, Matrix, Matrix]:
    """Templates and probes under each person's token, and probes under a wrong one."""
    parts = []
    for person in range(dataset.people.max() + 1):
        embeddings = dataset.embeddings[dataset.people == person]
        own, other = (evaluation_token(f"{label}/{person}") for label in ("own", "other"))
        templates, probes = (make(embeddings, own, generator) for make in (protection.templates, protection.probes))
        parts.append((templates, probes, protection.probes(embeddings, other, generator)))
    back = np.argsort(np.argsort(dataset.people, kind="stable"))
    templates, probes, others = (np.concatenate(side)[back] for side in zip(*parts, strict=True))
    return templates, probes, others
