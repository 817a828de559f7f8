"""Attacks on local ranking and negative databases, default and published, for every leak."""

from collections.abc import Callable
from typing import Final, cast

import numpy as np

from veilface.evaluate.attacks.interface import probe_attacks
from veilface.evaluate.attacks.inversion import (
    bits_from_ranks,
    from_signs,
    linear,
    projections,
    undone,
    unit_matrix,
)
from veilface.evaluate.attacks.records import belief_propagation, eliminate, majority_vote, satisfy
from veilface.evaluate.attacks.stage import Outcome, Reals, Stage
from veilface.evaluate.protections import Matrix, Negative, PublishedRanking, Ranking
from veilface.protect import published
from veilface.protect.negative import Bits, RecordParameters, Records, k_hidden
from veilface.protect.ranking import DEFAULT
from veilface.protect.transform import Transform

DATABASES: Final = 8
AVERAGED: Final = 20
SOLVED: Final = 2
"""Victims of the attacks that are many times as much work."""
ODD: Final[tuple[float, float, float]] = (0.8, 0.0, 0.2)
"""Probabilities without two wrong values: refused by the scheme, made here to be solved."""

Invert = Callable[[Matrix, Matrix], Reals]
Transforms = Callable[[bytes], Transform]
Matrices = dict[str, list[Matrix]]
Results = dict[str, dict[str, Outcome]]


def attack_ranking(stage: Stage) -> Results:
    """Rank inversion, linear and by projections, with the true token and with a guessed one."""
    inversions: dict[str, Invert] = {
        "inversion_linear": linear,
        "inversion_projections": lambda ranks, matrix: projections(ranks, matrix, DEFAULT.group),
    }
    transforms = cast("Ranking", stage.protection).transform
    return _keyed(stage, transforms, _matrices(stage, transforms), inversions, replayed=stage.stored)


def attack_negative(stage: Stage) -> Results:
    """Majority vote on what is stored; belief propagation on the records that made it, had they been kept."""
    protection = cast("Negative", stage.protection)
    return _attack_negative(stage, protection, _matrices(stage, protection.transform))


def _attack_negative(stage: Stage, protection: Negative, matrices: Matrices) -> Results:
    inversions: dict[str, Invert] = {"inversion_linear": linear, "majority_vote": _vote}
    replayed = np.where(stage.stored > 0, 1, -1).astype(np.float32)
    found = _keyed(stage, protection.transform, matrices, inversions, replayed=replayed)
    bits = [protection.bits(stage.cast.enrolled[v : v + 1], stage.token(v))[0] for v in stage.victims]
    records = [protection.records(row, stage.generator) for row in bits]
    beliefs = [belief_propagation(kept, protection.parameters) for kept in records]
    for leak, known in matrices.items():
        faces = [from_signs(np.tanh(belief / 2), matrix) for belief, matrix in zip(beliefs, known, strict=True)]
        found[leak]["belief_propagation_records"] = stage.faces(
            faces,
            bits=[_agreement((belief > 0).astype(np.uint8), row) for belief, row in zip(beliefs, bits, strict=True)],
        )
    voted = [_agreement(majority_vote(row), true) for row, true in zip(stage.stored, bits, strict=True)]
    found["database"]["majority_vote"] = _with_bits(found["database"]["majority_vote"], voted)
    return found


def attack_published_negative(stage: Stage) -> Results:
    """The same for full records of the literature's parameters, and generators that hide nothing at all."""
    protection = cast("Negative", stage.protection)
    matrices = _matrices(stage, protection.transform)
    found = _attack_negative(stage, protection, matrices)
    bits = [protection.bits(stage.cast.enrolled[v : v + 1], stage.token(v))[0] for v in stage.victims[:SOLVED]]
    odd = RecordParameters(length=protection.parameters.length, probabilities=ODD)

    def eliminated(row: Bits) -> Bits:
        records: Records = k_hidden(row, parameters=odd, randomness=stage.generator.bytes)
        return eliminate(records, len(row))

    def from_prefix(row: Bits) -> Bits:
        return _as_bits(satisfy(published.prefix_database(row)), len(row))

    def from_complete(row: Bits) -> Bits:
        return _as_bits(satisfy(published.complete_database(row, randomness=stage.generator.bytes)), len(row))

    for name, attack in (
        ("gf2_elimination", eliminated),
        ("propagation_prefix", from_prefix),
        ("propagation_complete", from_complete),
    ):
        solved = [attack(row) for row in bits]
        read = [_agreement(one, row) for one, row in zip(solved, bits, strict=True)]
        for leak, known in matrices.items():
            faces = [from_signs(2.0 * one - 1, matrix) for one, matrix in zip(solved, known, strict=False)]
            found[leak][name] = stage.faces(faces, bits=read)
    return found


def attack_published_ranking(stage: Stage) -> Results:
    """Read the keyed string off the ranks; with the token, undo key and transform."""
    protection = cast("PublishedRanking", stage.protection)

    def read(ranks: Matrix, tokens: Callable[[int], bytes], victim: int) -> Reals:
        signs = 2.0 * (bits_from_ranks(ranks) ^ protection.key(tokens(victim))) - 1
        return from_signs(signs, unit_matrix(protection.transform(tokens(victim))))

    keyed = [
        protection.bits(stage.cast.enrolled[v : v + 1], stage.token(v))[0] ^ protection.key(stage.token(v))
        for v in stage.victims
    ]
    bits = [_agreement(bits_from_ranks(row), true) for row, true in zip(stage.stored, keyed, strict=True)]
    found: Results = {"database": {"replay": stage.replay(stage.stored)}, "database_token": {}}
    for leak, tokens in (("database", stage.guess), ("database_token", stage.token)):
        faces = [read(stage.stored[victim], tokens, victim) for victim in stage.victims]
        found[leak]["rank_equality"] = stage.faces(faces, bits=bits)
    return found | {"token_only": probe_attacks(stage)}


def _matrices(stage: Stage, transforms: Transforms) -> Matrices:
    """Each victim's transform as the thief has it, by leak: guessed, or the true one."""
    return {
        leak: [unit_matrix(transforms(tokens(victim))) for victim in stage.victims]
        for leak, tokens in (("database", stage.guess), ("database_token", stage.token))
    }


def _keyed(
    stage: Stage, transforms: Transforms, matrices: Matrices, inversions: dict[str, Invert], *, replayed: Matrix
) -> Results:
    """What all keyed protections share: inversion with either token, averaging over renewals, replay, probes."""

    def inverted(invert: Invert, leak: str) -> Outcome:
        return stage.faces([invert(row, matrix) for row, matrix in zip(stage.stored, matrices[leak], strict=True)])

    blind, open_eyed = _averaged(stage, transforms, matrices["database"])
    return {
        "database": {"replay": stage.replay(replayed)}
        | {name: inverted(invert, "database") for name, invert in inversions.items()},
        "database_token": {name: inverted(invert, "database_token") for name, invert in inversions.items()},
        "several_databases": {"averaging": blind},
        "several_databases_tokens": {"averaging": open_eyed},
        "token_only": probe_attacks(stage),
    }


def _averaged(stage: Stage, transforms: Transforms, guessed: list[Matrix]) -> tuple[Outcome, Outcome]:
    """Several renewals: their sum inverted with one guessed token; and each inverted with its own, then averaged."""
    blind, open_eyed = [], []
    for victim in stage.victims[:AVERAGED]:
        templates = [stage.template(victim, renewal) for renewal in range(DATABASES)]
        blind.append(linear(np.sum(templates, axis=0), guessed[victim]))
        found = [
            undone(template, transforms(stage.token(victim, renewal))) for renewal, template in enumerate(templates)
        ]
        total = np.sum(found, axis=0)
        open_eyed.append(total / np.linalg.norm(total))
    return stage.faces(blind), stage.faces(open_eyed)


def _vote(counts: Matrix, matrix: Matrix) -> Reals:
    return from_signs(2.0 * majority_vote(counts.astype(np.int8)) - 1, matrix)


def _with_bits(outcome: Outcome, bits: list[float]) -> Outcome:
    return Outcome(
        cosine=outcome.cosine,
        accepted_same=outcome.accepted_same,
        accepted_new=outcome.accepted_new,
        bits=float(np.mean(bits)),
    )


def _as_bits(found: str | None, length: int) -> Bits:
    return np.array([int(bit) for bit in found or "0" * length], dtype=np.uint8)


def _agreement(found: Bits, true: Bits) -> float:
    return float(np.mean(found == true))
