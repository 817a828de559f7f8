"""The judgement whether the sealed evidence is that of a sound vector, and near enough to the template.

Everything is opened and tested every time, whatever failed before, so that neither the time taken nor the answer
tells which test failed. What was opened never leaves this module; only the verdict does (protocol §7, step 5).
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from veilface.keyholder.audit import Cause
from veilface.keyholder.errors import Malformed
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.homomorphic import BLINDED_MAX, NORM_CENTRE, NORM_SLACK, RANGE_MAX, SCALE
from veilface.protect.ring import RANGE, Words
from veilface.protect.rlwe import SecretKey, open_blinded, open_norm, open_range, parse_integers

NORM_MIN: Final = round((NORM_CENTRE - NORM_SLACK) * SCALE**2)
NORM_MAX: Final = round((NORM_CENTRE + NORM_SLACK) * SCALE**2)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Evaluated ciphertexts as words, (4, 3, 4096), (2, 2, 4096), (3, 3, 4096); an enrolment has no score."""

    norm: Words
    range_: Words
    score: Words | None

    @classmethod
    def parse(cls, *, norm: bytes, range_: bytes, score: bytes | None = None) -> Self:
        """Raises ``Malformed`` for a wrong length, a residue that is not below its prime, or no ciphertext at all."""
        try:
            return cls(
                norm=parse_integers(norm, components=4),
                range_=parse_integers(range_, components=2, basis=RANGE),
                score=None if score is None else parse_integers(score, components=3),
            )
        except MalformedCiphertext as error:
            raise Malformed(field="evidence", **error.details) from error


def prepare(secret: bytes) -> SecretKey:
    """Read a packed secret and compute once what every decision under it needs."""
    key = SecretKey.unpack(secret)
    _ = key.decryptor, key.norm_functional, key.score_functional
    return key


def judge(key: SecretKey, evidence: Evidence) -> Cause:
    """``Cause.NONE`` when range, norm and – for a verification – the blinded sign are all as they must be."""
    first, second = open_range(key, evidence.range_)
    largest, inconsistent = np.abs(first).max(), (first != second).any()
    norm = open_norm(key, evidence.norm)
    blinded = 0 if evidence.score is None else open_blinded(key, evidence.score)
    failures = (
        (Cause.RANGE, bool(largest > RANGE_MAX) | bool(inconsistent)),
        (Cause.NORM, not NORM_MIN <= norm <= NORM_MAX),
        (Cause.SCORE, not 0 <= blinded <= BLINDED_MAX),
    )
    return Cause(sum(int(cause) * failed for cause, failed in failures))
