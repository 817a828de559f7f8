"""The judgement whether the sealed evidence is that of a sound vector, and near enough to the template.

Everything is opened and tested every time, whatever failed before, so that neither the time taken nor the answer
tells which test failed. What was opened never leaves this module; only the verdict does (protocol §7, step 5).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from veilface.keyholder.audit import Cause
from veilface.keyholder.errors import Malformed
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.homomorphic import BLINDED_MAX, NORM_CENTRE, NORM_SLACK, RANGE_MAX, SCALE
from veilface.protect.ring import RANGE
from veilface.protect.rlwe import SecretKey, decrypt_blinded, decrypt_norm, decrypt_range, parse_words

NORM_MIN: Final = round((NORM_CENTRE - NORM_SLACK) * SCALE**2)
NORM_MAX: Final = round((NORM_CENTRE + NORM_SLACK) * SCALE**2)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Evaluated ciphertexts in wire form, already known to parse. ``score`` is None for an enrolment."""

    norm: bytes
    range_: bytes
    score: bytes | None = None

    def __post_init__(self) -> None:
        """Raises ``Malformed`` for a wrong length, a residue that is not below its prime, or no ciphertext at all."""
        try:
            parse_words(self.norm, components=4)
            parse_words(self.range_, components=2, basis=RANGE)
            if self.score is not None:
                parse_words(self.score, components=3)
        except MalformedCiphertext as error:
            raise Malformed(field="evidence", **error.details) from error


def prepare(secret: bytes) -> SecretKey:
    """Read a packed secret and compute once what every decision under it needs."""
    key = SecretKey.unpack(secret)
    _ = key.decryptor, key.norm_functional, key.score_functional
    return key


def judge(key: SecretKey, evidence: Evidence) -> Cause:
    """``Cause.NONE`` when range, norm and – for a verification – the blinded sign are all as they must be."""
    coefficients = decrypt_range(key, evidence.range_)
    norm = decrypt_norm(key, evidence.norm)
    blinded = 0 if evidence.score is None else decrypt_blinded(key, evidence.score)
    failures = (
        (Cause.RANGE, bool(np.abs(coefficients).max() > RANGE_MAX)),
        (Cause.NORM, not NORM_MIN <= norm <= NORM_MAX),
        (Cause.SCORE, not 0 <= blinded <= BLINDED_MAX),
    )
    return Cause(sum(int(cause) * failed for cause, failed in failures))
