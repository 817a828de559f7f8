"""Keyed templates are scored in the open, and only a blinded sign goes on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.match.parties import at_cosine, unit
from veilface.match import evidence, keyed
from veilface.match.masks import MaskSet
from veilface.protect.calibration import threshold_units
from veilface.protect.errors import MalformedTemplate
from veilface.protect.scheme import OpenProtection, protections

KEYED = [known for known in protections() if isinstance(known, OpenProtection)]
FARTHEST = 2**keyed.SCORE_BITS - 1
TOKEN = bytes(range(32))


def no_masks() -> MaskSet:
    raise AssertionError("a keyed protection needs no masks")


@given(st.integers(-FARTHEST - 1, FARTHEST))
def test_the_sign_survives_and_the_number_fits(distance: int) -> None:
    found = keyed.blinded(distance)
    assert (found >= 0) == (distance >= 0)
    assert -(2**63) <= found < 2**63


def test_the_number_says_next_to_nothing_about_the_score() -> None:
    """Logarithms of what two scores far apart become scatter more than they differ; no divisor is common."""
    near, far = (np.array([math.log2(-keyed.blinded(-distance)) for _ in range(600)]) for distance in (1_000, 64_000))
    assert near.std() > 5
    assert abs(np.median(far) - np.median(near)) < 8  # log2 64 = 6, and some chance
    blinded = [keyed.blinded(-60_481) for _ in range(50)]
    assert sum(value % 60_481 == 0 for value in blinded) < 5


@pytest.mark.parametrize("protection", KEYED, ids=lambda known: known.name)
def test_who_is_alike_enough_gets_the_right_sign(protection: OpenProtection) -> None:
    key = protection.generate_key().public_key
    template = protection.enrol(unit(0), key=key, token=TOKEN)
    assert evidence.enrol_evidence(protection, template, masks=no_masks) == b""
    for cosine in (0.95, 0.7, 0.45, 0.2, 0.0, -0.4):
        probe = protection.probe(at_cosine(unit(0), cosine, seed=1), key=key, token=TOKEN)
        found = evidence.verify_evidence(protection, template, probe, masks=no_masks)
        enough = protection.score(probe, template) >= threshold_units(protection.name)
        assert (int.from_bytes(found, "big", signed=True) >= 0) == enough
        assert len(found) == protection.verify_evidence_bytes


@pytest.mark.parametrize("protection", KEYED, ids=lambda known: known.name)
def test_what_no_device_makes_is_not_scored(protection: OpenProtection) -> None:
    """All the highest ranks, or counts as large as a byte can say: they would score high against everybody."""
    key = protection.generate_key().public_key
    template, probe = (make(unit(0), key=key, token=TOKEN) for make in (protection.enrol, protection.probe))
    forged = b"\x7f" * protection.template_bytes
    for stored, sent in ((forged, probe), (template, probe[:-1]), (template, probe + b"\0"), (b"", probe)):
        with pytest.raises(MalformedTemplate):
            evidence.verify_evidence(protection, stored, sent, masks=no_masks)
    for sent in (forged, template[1:], b""):
        with pytest.raises(MalformedTemplate):
            evidence.enrol_evidence(protection, sent, masks=no_masks)


def test_no_protection_scores_beyond_what_the_blinding_allows() -> None:
    for protection in KEYED:
        key = protection.generate_key().public_key
        template = protection.enrol(unit(0), key=key, token=TOKEN)
        best = protection.score(protection.probe(unit(0), key=key, token=TOKEN), template)
        assert best + threshold_units(protection.name) < FARTHEST
