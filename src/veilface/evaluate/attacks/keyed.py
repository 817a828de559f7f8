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
"""Victims of the attacks that are many times as much work."""
ODD: Final[tuple[float, float, float]] = (0.8, 0.0, 0.2)
"""Probabilities without two wrong values: refused by the scheme, made here to be solved."""

Invert = Callable[[Matrix, Reals], Reals]
Transforms = Callable[[bytes], Transform]
Results = dict[str, dict[str, Outcome]]


def attack_ranking(stage: Stage) -> Results:
    """Rank inversion, linear and by projections, with the true token and with a guessed one."""
    inversions: dict[str, Invert] = {
        "inversion_linear": linear,
        "inversion_projections": lambda ranks, matrix: projections(ranks, matrix, DEFAULT.group),
    }
    transforms = cast("Ranking", stage.protection).transform
    return _keyed(stage, transforms, inversions, replayed=stage.stored)


def attack_negative(stage: Stage) -> Results:
    """Majority vote on what is stored; belief propagation on the records that made it, had they been kept."""
    protection = cast("Negative", stage.protection)
    replayed = np.where(stage.stored > 0, 1, -1).astype(np.float32)
    found = _keyed(stage, protection.transform, {"inversion_linear": linear, "majority_vote": _vote}, replayed=replayed)
    bits = [protection.bits(stage.cast.enrolled[v : v + 1], stage.token(v))[0] for v in stage.victims]
    records = [protection.records(row, stage.generator) for row in bits]
    beliefs = [belief_propagation(kept, protection.parameters) for kept in records]
    for leak, tokens in (("database", stage.guess), ("database_token", stage.token)):
        matrices = [unit_matrix(protection.transform(tokens(victim))) for victim in stage.victims]
        faces = [from_signs(np.tanh(belief / 2), matrix) for belief, matrix in zip(beliefs, matrices, strict=True)]
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
    found = attack_negative(stage)
    bits = [protection.bits(stage.cast.enrolled[v : v + 1], stage.token(v))[0] for v in stage.victims[:DATABASES]]
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
        for leak, tokens in (("database", stage.guess), ("database_token", stage.token)):
            matrices = [unit_matrix(protection.transform(tokens(v))) for v in stage.victims[:DATABASES]]
            faces = [from_signs(2.0 * one - 1, matrix) for one, matrix in zip(solved, matrices, strict=True)]
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
    return found | {"token": probe_attacks(stage)}


def _keyed(stage: Stage, transforms: Transforms, inversions: dict[str, Invert], *, replayed: Matrix) -> Results:
    """What all keyed protections share: inversion with either token, averaging over renewals, replay, probes."""
    true = [unit_matrix(transforms(stage.token(victim))) for victim in stage.victims]
    guessed = [unit_matrix(transforms(stage.guess(victim))) for victim in stage.victims]

    def inverted(invert: Invert, matrices: list[Reals]) -> Outcome:
        return stage.faces([invert(row, matrix) for row, matrix in zip(stage.stored, matrices, strict=True)])

    return {
        "database": {"replay": stage.replay(replayed)}
        | {name: inverted(invert, guessed) for name, invert in inversions.items()},
        "database_token": {name: inverted(invert, true) for name, invert in inversions.items()},
        "several_databases": {"averaging": _averaged_blindly(stage, guessed)},
        "several_databases_tokens": {"averaging": _averaged(stage, transforms)},
        "token": probe_attacks(stage),
    }


def _averaged_blindly(stage: Stage, guessed: list[Reals]) -> Outcome:
    """Add up the templates of several renewals, and invert the sum with a guessed token."""
    sums = [sum(stage.template(victim, renewal) for renewal in range(DATABASES)) for victim in stage.victims[:AVERAGED]]
    return stage.faces([linear(np.asarray(total), matrix) for total, matrix in zip(sums, guessed, strict=False)])


def _averaged(stage: Stage, transforms: Transforms) -> Outcome:
    """Invert each renewal with its token, and average what comes out."""
    faces = []
    for victim in stage.victims[:AVERAGED]:
        found = [
            undone(stage.template(victim, renewal), transforms(stage.token(victim, renewal)))
            for renewal in range(DATABASES)
        ]
        total = np.sum(found, axis=0)
        faces.append(total / np.linalg.norm(total))
    return stage.faces(faces)


def _vote(counts: Matrix, matrix: Reals) -> Reals:
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
