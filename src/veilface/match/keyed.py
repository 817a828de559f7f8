"""1:1 verification of keyed templates: scored in the open, told to the key holder as a blinded sign (protocol §6).

The score itself stays in this process. The key holder, which counts attempts and signs the answer, gets one number
whose sign is right and whose size says next to nothing: ``F·(score − θ) + r`` with F drawn log-like between 2^13 and
2^45, and r even in [0, F). Without r the key holder could factor the product, and find the score among a few divisors.
"""

import math
import secrets
from typing import Final

from veilface.match.masks import blinding_exponent
from veilface.protect.calibration import threshold_units
from veilface.protect.scheme import BLINDED_BYTES, OpenProtection

FINEST: Final = 13
"""The factor has at least this many bits, so that it is never 1; with 32 more, and 18 of a score, 63 are full."""
SCORE_BITS: Final = 18


def probe_evidence(protection: OpenProtection, template: bytes, probe: bytes) -> bytes:
    """The blinded sign (8 B, big-endian two's complement): not negative iff the probe scores at least θ.

    Raises :class:`~veilface.protect.errors.MalformedTemplate` for bytes no honest device sends.
    """
    distance = protection.score(probe, template) - threshold_units(protection.name)
    return blinded(distance).to_bytes(BLINDED_BYTES, "big", signed=True)


def blinded(distance: int) -> int:
    """A number of the sign of ``distance`` (zero counts as positive); ``distance`` has at most 18 bits."""
    factor = math.floor(math.exp2(FINEST + blinding_exponent(secrets.randbits(53) / (1 << 53))))
    return factor * distance + secrets.randbelow(factor)
