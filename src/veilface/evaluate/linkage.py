"""Tries to join databases: scores between renewed templates of everybody, for D_sys."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from veilface.evaluate.attacks.inversion import bits_from_ranks, undone
from veilface.evaluate.datasets import Dataset
from veilface.evaluate.protections import Matrix, Negative, Protection, PublishedRanking, Ranking, evaluation_token
from veilface.evaluate.unlinkability import Scores, Unlinkability, between_renewals, unlinkability
from veilface.protect.homomorphic import protect_template
from veilface.protect.rlwe import generate_key, parse_words

MOST_PEOPLE: Final = 250
RENEWALS: Final = 8
SEALED_PEOPLE: Final = 48
SEALED_RENEWALS: Final = 16
"""5,760 mated scores: with 200, D_sys of nothing at all is half as high again as its floor once in eight times."""
_SEED: Final = 23


@dataclass(frozen=True, kw_only=True)
class Linkage:
    """``unknown``: tokens unknown to the thief, the figure that counts. ``known``: with all tokens, where there are."""

    unknown: Unlinkability
    known: Unlinkability | None


def linkage(protection: Protection, dataset: Dataset) -> Linkage:
    """Link every renewal of every person with every other, by the protection's own inner product of templates."""
    generator = np.random.default_rng(_SEED)
    pictures = [
        np.flatnonzero(dataset.people == person) for person in range(min(MOST_PEOPLE, dataset.people.max() + 1))
    ]
    if protection.name == "homomorphic":
        return Linkage(unknown=unlinkability(*_ciphertexts(dataset, pictures), generator=generator), known=None)
    stored, recovered = [], []
    for renewal in range(RENEWALS):
        rows = [(person, chosen[renewal % len(chosen)]) for person, chosen in enumerate(pictures)]
        templates, opened = [], []
        for person, row in rows:
            token = evaluation_token(f"link/{person}/{renewal}")
            templates.append(protection.templates(dataset.embeddings[row : row + 1], token, generator)[0])
            opened.append(_recover(protection, templates[-1], token))
        stored.append(_unit(np.stack(templates)))
        recovered.append(_unit(np.stack(opened)))
    unknown = unlinkability(*between_renewals(np.stack(stored)), generator=generator)
    if protection.name == "insecure_plain":
        return Linkage(unknown=unknown, known=None)
    known = unlinkability(*between_renewals(np.stack(recovered)), generator=generator)
    return Linkage(unknown=unknown, known=known)


def _recover(protection: Protection, template: Matrix, token: bytes) -> Matrix:
    """What linear inversion with the token gives."""
    match protection:
        case PublishedRanking():
            signs = 2.0 * (bits_from_ranks(template) ^ protection.key(token)) - 1
            return undone(signs, protection.transform(token)).astype(np.float32)
        case Ranking() | Negative():
            return undone(template, protection.transform(token)).astype(np.float32)
        case _:
            return template


def _ciphertexts(dataset: Dataset, pictures: list[np.ndarray]) -> tuple[Scores, Scores]:
    """Correlations of real ciphertexts' words, each under a key of its own."""
    people = pictures[:SEALED_PEOPLE]
    words = [
        np.stack([_words(dataset.embeddings[chosen[renewal % len(chosen)]]) for chosen in people])
        for renewal in range(SEALED_RENEWALS)
    ]
    return between_renewals(np.stack(words))


def _words(embedding: Matrix) -> Matrix:
    """The words of a fresh ciphertext, evenly about zero."""
    _, public_key = generate_key()
    words = parse_words(protect_template(embedding, public_key=public_key), components=2)
    centred = words - words.mean(axis=-1, keepdims=True)
    return np.asarray(centred.reshape(-1) / np.linalg.norm(centred), dtype=np.float32)


def _unit(rows: Matrix) -> Matrix:
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True), dtype=np.float32)
