"""1:1 verification on ciphertexts: what the matcher computes and the key holder may open (protocol §6).

Every product is word by word in NTT form. There is no relinearisation, no rotation and no evaluation key. What
leaves here is re-randomised and masked: the key holder can open one coefficient of the score, one of the norm, and
the rounding noise of the probe.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from veilface.match.masks import MaskSet
from veilface.protect.homomorphic import SCALE
from veilface.protect.ring import DATA, DROPPED, RANGE, Residues, conjugated, monomial
from veilface.protect.rlwe import SCORE_COEFFICIENT, pack_words, parse_words

_RANGE_PRIMES: Final = len(RANGE.primes)
_DROPPED_INVERSES: Final = np.array(
    [[float(pow(DROPPED.modulus, -1, prime))] for prime in RANGE.primes], dtype=np.float64
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEvidence:
    """What the key holder needs to accept a template: norm (147,456 B) and range (49,152 B)."""

    norm: bytes
    range_: bytes

    def to_bytes(self) -> bytes:
        """As the key holder reads it (196,608 B)."""
        return self.norm + self.range_


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeEvidence:
    """What the key holder needs to decide: blinded score (110,592 B), norm (147,456 B), range (49,152 B)."""

    score: bytes
    norm: bytes
    range_: bytes

    def to_bytes(self) -> bytes:
        """As the key holder reads it (307,200 B)."""
        return self.score + self.norm + self.range_


def template_evidence(template: bytes, *, masks: MaskSet) -> TemplateEvidence:
    """Evaluate an untrusted template (73,728 B) before it is stored.

    Raises :class:`~veilface.protect.errors.MalformedCiphertext` for anything but a ciphertext of suite 0x01, and
    :class:`~veilface.match.errors.MasksSpent` or ``MasksDoNotFit`` for masks not made for this.
    """
    ciphertext = parse_words(template, components=2)
    spent = masks.spend("enrol")
    fresh = DATA.residues(ciphertext + spent.refresh)
    return TemplateEvidence(norm=pack_words(_norm(fresh, spent.norm)), range_=pack_words(_range(fresh)))


def probe_evidence(template: bytes, probe: bytes, *, threshold: float, masks: MaskSet) -> ProbeEvidence:
    """Evaluate an untrusted probe (73,728 B) against a stored template (73,728 B); ``threshold`` is a cosine.

    Raises as :func:`template_evidence` does.
    """
    stored = parse_words(template, components=2)
    ciphertext = parse_words(probe, components=2)
    spent = masks.spend("verify")
    fresh = DATA.residues(ciphertext + spent.refresh)
    return ProbeEvidence(
        score=pack_words(_blinded_score(stored, fresh, threshold, spent.blinding, spent.score)),
        norm=pack_words(_norm(fresh, spent.norm)),
        range_=pack_words(_range(fresh)),
    )


def _blinded_score(template: Residues, probe: Residues, threshold: float, blinding: int, mask: Residues) -> Residues:
    """ρ·(T·P − θΔ²·X^127) + mask, (3, 3, 4096), in the basis 1, s, s²."""
    primes = np.array(DATA.primes)[:, None]
    limit = round(threshold * SCALE * SCALE) % primes
    score = np.empty((3, *probe.shape[1:]))
    np.multiply(template[0], probe[0], out=score[0])
    score[0] -= limit * monomial(DATA, SCORE_COEFFICIENT)
    np.multiply(template[0], probe[1], out=score[1])
    score[1] += template[1] * probe[0]
    np.multiply(template[1], probe[1], out=score[2])
    blinded = DATA.centre(score)
    blinded *= blinding % primes
    blinded += mask
    return DATA.residues(blinded)


def _norm(probe: Residues, mask: Residues) -> Residues:
    """P(X)·P(X⁻¹) + mask, (4, 3, 4096), in the basis 1, s, σs, s·σs."""
    conjugate = conjugated(probe)
    products = (probe * conjugate[:, None]).reshape(mask.shape)
    products += mask
    return DATA.residues(products)


def _range(probe: Residues) -> Residues:
    """round(p/q3) modulo (q1, q2), (2, 2, 4096): p less its residue modulo q3, divided exactly."""
    remainder = DROPPED.inverse(probe[:, _RANGE_PRIMES:])[:, 0]
    lifted = RANGE.forward(np.repeat(remainder[:, None], _RANGE_PRIMES, axis=1))
    return RANGE.residues((probe[:, :_RANGE_PRIMES] - lifted) * _DROPPED_INVERSES)
