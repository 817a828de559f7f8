"""1:1 verification on ciphertexts: what the matcher computes and the key holder may open (protocol §6).

Every product is word by word in NTT form. There is no relinearisation, no rotation and no evaluation key. What
leaves here is re-randomised and masked: the key holder can open one coefficient of the score, one of the norm, and
the rounding noise of the probe.
"""

from dataclasses import dataclass
from typing import Final

from veilface.match import products
from veilface.match.masks import MaskSet
from veilface.protect.homomorphic import SCALE
from veilface.protect.rlwe import parse_residues

SAME_EMBEDDING: Final = 0.995
"""A cosine that one embedding, encrypted as template and as probe, has: 1, but for noise of about 0.001."""


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
    ciphertext = parse_residues(template, components=2)
    spent = masks.spend("enrol")
    fresh = products.refreshed(ciphertext, spent.refresh)
    return TemplateEvidence(norm=products.norm(fresh, spent.norm), range_=products.rounded(fresh))


def probe_evidence(template: bytes, probe: bytes, *, threshold: float, masks: MaskSet) -> ProbeEvidence:
    """Evaluate an untrusted probe (73,728 B) against a stored template (73,728 B); ``threshold`` is a cosine.

    Raises as :func:`template_evidence` does.
    """
    stored = parse_residues(template, components=2)
    ciphertext = parse_residues(probe, components=2)
    spent = masks.spend("verify")
    fresh = products.refreshed(ciphertext, spent.refresh)
    limit = round(threshold * SCALE * SCALE)
    return ProbeEvidence(
        score=products.blinded_score(stored, fresh, limit=limit, blinding=spent.blinding, mask=spent.score),
        norm=products.norm(fresh, spent.norm),
        range_=products.rounded(fresh),
    )


def registration_evidence(template: bytes, probe: bytes, *, masks: MaskSet, probe_masks: MaskSet) -> bytes:
    """What the key holder needs to register somebody whose probe nobody was found for (503,808 B).

    ``masks`` are made for an enrolment, ``probe_masks`` for a verification. Raises as :func:`template_evidence` does.
    """
    sound = template_evidence(template, masks=masks)
    same = probe_evidence(template, probe, threshold=SAME_EMBEDDING, masks=probe_masks)
    return sound.to_bytes() + same.to_bytes()
