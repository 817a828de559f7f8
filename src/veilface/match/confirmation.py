"""Comparing a search's probe with the template of somebody it found, 1:1 (protocol §9).

A search's scores carry the noise of a conversion and of shares; where it names several people, or where money moves,
the one template is compared as in a verification. Template and probe must be under one key for that, and a probe is
under the gallery's ingest key. So the template is handed over as for packing: under masks, which only the key holder
may open, and which come back under the ingest key; here they are taken away again.
"""

from hashlib import sha256
from typing import Protocol

from veilface.match.conversion import SubjectKey, masked
from veilface.match.gallery_truth import Enrolment
from veilface.match.masks import MaskSet
from veilface.match.verification import probe_evidence
from veilface.protect.calibration import cosine_threshold
from veilface.protect.gallery import Masked
from veilface.protect.homomorphic import coordinate_residues
from veilface.protect.ring import DATA
from veilface.protect.rlwe import pack_words, parse_words
from veilface.protect.stream import Stream


class Confirmer(Protocol):
    """What a key holder does for the hits of one search; a few times only."""

    def transfer(self, template: Masked) -> bytes:
        """The masked integers of a template, encrypted under the ingest key (73,728 B)."""

    def confirm(self, evidence: bytes) -> bool:
        """Whether ``score‖norm‖range`` under the ingest key hold."""


def confirmed(enrolment: Enrolment, probe: bytes, *, ingest_key: bytes, masks: MaskSet, holder: Confirmer) -> bool:
    """Whether somebody found is the one whose probe (73,728 B under ``ingest_key``) was searched for.

    ``masks`` – made for a verification under the ingest key. Raises
    :class:`~veilface.protect.errors.MalformedCiphertext`, :class:`~veilface.match.errors.MasksSpent`, and whatever the
    key holder refuses with.
    """
    template = enrolment.template
    if enrolment.key_fp != sha256(ingest_key).digest():
        template = transferred(enrolment, holder)
    evidence = probe_evidence(template, probe, threshold=cosine_threshold(), masks=masks)
    return holder.confirm(evidence.to_bytes())


def transferred(enrolment: Enrolment, holder: Confirmer) -> bytes:
    """The template under the ingest key (73,728 B), seen by nobody; raises as :func:`confirmed` does."""
    key = SubjectKey(enrolment.public_key, enrolment.key_fp)
    hidden, masks = masked(enrolment.template, key, Stream())
    words = parse_words(holder.transfer(hidden), components=2)
    words[0] = DATA.residues(words[0] - coordinate_residues(masks))
    return pack_words(words)
