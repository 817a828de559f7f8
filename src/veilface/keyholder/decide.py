"""The judgement whether the evidence is that of a sound vector, and near enough to the template.

Of a homomorphic template everything is opened and tested every time, whatever failed before, so that neither the time
taken nor the answer tells which test failed. What was opened never leaves this module; only the verdict does (protocol
§7, step 5). Of a keyed template there is nothing to open: the matcher says whether the score is high enough.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from veilface.keyholder.audit import Cause
from veilface.keyholder.errors import Malformed
from veilface.keyholder.messages import exactly
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.homomorphic import BLINDED_MAX, NORM_CENTRE, NORM_SLACK, RANGE_MAX, SCALE
from veilface.protect.ring import RANGE
from veilface.protect.rlwe import (
    NORM_BYTES,
    RANGE_BYTES,
    Parsed,
    SecretKey,
    open_blinded,
    open_norm,
    open_range,
    parse_residues,
)
from veilface.protect.scheme import OpenProtection, Protection

NORM_MIN: Final = round((NORM_CENTRE - NORM_SLACK) * SCALE**2)
NORM_MAX: Final = round((NORM_CENTRE + NORM_SLACK) * SCALE**2)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Evaluated ciphertexts as words, (4, 3, 4096), (2, 2, 4096), (3, 3, 4096); an enrolment has no score."""

    norm: Parsed
    range_: Parsed
    score: Parsed | None

    @classmethod
    def split(cls, data: bytes) -> Self:
        """Read ``norm‖range`` (196,608 B) or ``score‖norm‖range`` (307,200 B); raises as :meth:`parse` does."""
        score = data[: -NORM_BYTES - RANGE_BYTES]
        return cls.parse(norm=data[len(score) : -RANGE_BYTES], range_=data[-RANGE_BYTES:], score=score or None)

    @classmethod
    def parse(cls, *, norm: bytes, range_: bytes, score: bytes | None = None) -> Self:
        """Raises ``Malformed`` for a wrong length, a residue that is not below its prime, or no ciphertext at all."""
        try:
            return cls(
                norm=parse_residues(norm, components=4),
                range_=parse_residues(range_, components=2, basis=RANGE),
                score=None if score is None else parse_residues(score, components=3),
            )
        except MalformedCiphertext as error:
            raise Malformed(field="evidence", **error.details) from error


@dataclass(frozen=True, kw_only=True)
class BlindedSign:
    """What the matcher says of a keyed probe, 8 B big-endian two's complement; of an enrolment nothing, which is 0."""

    value: int

    @property
    def cause(self) -> Cause:
        """``Cause.NONE`` when the sign is right."""
        return Cause.NONE if 0 <= self.value <= BLINDED_MAX else Cause.SCORE


def read_evidence(protection: Protection, data: bytes, *, length: int) -> Evidence | BlindedSign:
    """The evidence about a template or probe of this protection, which has ``length`` bytes; raises ``Malformed``."""
    exactly(data, length, "evidence")
    if isinstance(protection, OpenProtection):
        return BlindedSign(value=int.from_bytes(data, "big", signed=True))
    return Evidence.split(data)


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
