"""Attacks on homomorphic templates, on real ciphertexts under a real key for each victim."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from veilface.evaluate.attacks.interface import probe_attacks
from veilface.evaluate.attacks.stage import Outcome, Reals, Stage
from veilface.keyholder.audit import Cause
from veilface.keyholder.decide import Evidence, judge
from veilface.match.masks import prepare
from veilface.match.verification import probe_evidence
from veilface.protect.homomorphic import DIMENSION, protect_template
from veilface.protect.ring import DATA, KEY
from veilface.protect.rlwe import SecretKey, generate_key, open_by_seal, parse_words

VICTIMS: Final = 20
DATABASES: Final = 8


@dataclass(frozen=True)
class Enrolment:
    """One stored ciphertext, and the key that only the key holder has."""

    secret: SecretKey
    public_key: bytes
    template: bytes


def attack_homomorphic(stage: Stage) -> dict[str, dict[str, Outcome]]:
    """Read, average and replay ciphertexts, solve with the public key; then open with the key holder's keys."""
    victims = stage.victims[:VICTIMS]
    stolen = [_enrol(stage.cast.enrolled[victim]) for victim in victims]
    renewed = [_enrol(stage.cast.renewed[victim]) for victim in victims]
    several = [
        np.mean([_as_if_plain(_enrol(stage.cast.enrolled[victim]).template) for _ in range(DATABASES)], axis=0)
        for victim in victims
    ]
    return {
        "database": {
            "read_ciphertext": stage.faces([_as_if_plain(kept.template) for kept in stolen]),
            "replay": Outcome(
                cosine=None,
                accepted_same=_replayed(stage, stolen, stolen),
                accepted_new=_replayed(stage, stolen, renewed),
            ),
        },
        "database_token": {
            "linear_algebra": stage.faces([_unit(solved(kept.template, kept.public_key)) for kept in stolen])
        },
        "several_databases": {"averaging": stage.faces([_unit(mean) for mean in several])},
        "token_only": probe_attacks(stage),
        "database_keyholder": {"decryption": stage.faces([_decrypted(kept) for kept in stolen])},
    }


def _enrol(embedding: Reals) -> Enrolment:
    secret, public_key = generate_key()
    return Enrolment(secret, public_key, protect_template(embedding, public_key=public_key))


def _as_if_plain(template: bytes) -> Reals:
    """The first component's coefficients where the embedding would be, had nothing been added to it."""
    return _unit(DATA.inverse(parse_words(template, components=2)[0])[0][:DIMENSION])


def solved(template: bytes, public_key: bytes) -> Reals:
    """Solve c = (b·u + m, a·u) for the 128 numbers in m, with the public key (b, a): exact, if nothing were added.

    The errors that encryption adds are what hides m: divided by a, they spread over everything.
    """
    ciphertext = parse_words(template, components=2)
    key = parse_words(public_key, components=2, basis=KEY)[:, : len(DATA.primes)]
    inverses = [_inverses(row, prime) for row, prime in zip(key[1], DATA.primes, strict=True)]
    ephemeral = DATA.residues(ciphertext[1] * np.stack(inverses))
    message = DATA.residues(ciphertext[0] - DATA.residues(key[0] * ephemeral))
    return np.asarray(DATA.inverse(message)[0][:DIMENSION], dtype=np.float64)


def _inverses(words: Reals, prime: int) -> Reals:
    """Each word's inverse modulo ``prime``; a word of 0, one in millions, has none and stays."""
    return np.array([pow(int(word), -1, prime) if word else 0 for word in words], dtype=np.float64)


def _decrypted(kept: Enrolment) -> Reals:
    opened = open_by_seal(kept.secret, parse_words(kept.template, components=2))
    return _unit(DATA.inverse(opened)[0][:DIMENSION])


def _replayed(stage: Stage, stolen: list[Enrolment], current: list[Enrolment]) -> float:
    """The share of accounts that accept the stolen template, sent as a probe with its signature somehow made."""
    return float(np.mean([_accepts(stage, old.template, kept) for old, kept in zip(stolen, current, strict=True)]))


def _accepts(stage: Stage, probe: bytes, kept: Enrolment) -> bool:
    masks = prepare(kept.public_key, purpose="verify")
    found = probe_evidence(kept.template, probe, threshold=stage.threshold, masks=masks)
    evidence = Evidence.parse(norm=found.norm, range_=found.range_, score=found.score)
    return judge(kept.secret, evidence) is Cause.NONE


def _unit(vector: Reals) -> Reals:
    return np.asarray(vector / np.linalg.norm(vector))
