"""Whom the matcher's tests need: an account with its keys, a sender who encrypts anything, and the real judge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from veilface.keyholder.audit import Cause
from veilface.keyholder.decide import Evidence, judge
from veilface.match.masks import MaskSet, prepare
from veilface.match.verification import ProbeEvidence, TemplateEvidence, probe_evidence, template_evidence
from veilface.protect.homomorphic import encode_probe, encode_template
from veilface.protect.ring import DATA, N
from veilface.protect.rlwe import PublicKey, SecretKey, generate_key, pack_words

Vector = NDArray[np.float64]
THRESHOLD = 0.4


def unit(seed: int) -> Vector:
    vector = np.random.default_rng(seed).standard_normal(128)
    return vector / np.linalg.norm(vector)


def at_cosine(template: Vector, cosine: float, seed: int) -> Vector:
    """A unit vector at exactly this cosine to ``template``."""
    other = unit(seed)
    other -= (other @ template) * template
    other /= np.linalg.norm(other)
    mixed: Vector = cosine * template + np.sqrt(1 - cosine**2) * other
    return mixed


@dataclass
class Account:
    secret: SecretKey = field(init=False)
    public: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.secret, self.public = generate_key()

    def encrypt(self, coefficients: Sequence[int]) -> bytes:
        """Any integers at all, of any size, as a malicious sender would."""
        residues = np.array([[(c + p // 2) % p - p // 2 for c in coefficients] for p in DATA.primes], dtype=np.int64)
        words = PublicKey(self.public).zero()
        words[0] = DATA.residues(words[0] + DATA.forward(residues))
        return pack_words(words)

    def template(self, embedding: Vector) -> bytes:
        return self.encrypt(encode_template(embedding).tolist())

    def probe(self, embedding: Vector, *, scale: float = 1, junk: Mapping[int, int] | None = None) -> bytes:
        """An honest probe, times ``scale``, with ``junk`` added at some coefficients."""
        coefficients = [round(scale * c) for c in encode_probe(embedding).tolist()]
        for index, value in (junk or {}).items():
            coefficients[index] += value
        assert len(coefficients) == N
        return self.encrypt(coefficients)

    def masks(self) -> MaskSet:
        return prepare(self.public, purpose="verify")

    def probe_evidence(self, template: bytes, probe: bytes, threshold: float = THRESHOLD) -> ProbeEvidence:
        return probe_evidence(template, probe, threshold=threshold, masks=self.masks())

    def template_evidence(self, template: bytes) -> TemplateEvidence:
        return template_evidence(template, masks=prepare(self.public, purpose="enrol"))

    def verdict(self, template: bytes, probe: bytes, threshold: float = THRESHOLD) -> Cause:
        evidence = self.probe_evidence(template, probe, threshold)
        return judge(self.secret, Evidence.parse(norm=evidence.norm, range_=evidence.range_, score=evidence.score))

    def enrolment_verdict(self, template: bytes) -> Cause:
        evidence = self.template_evidence(template)
        return judge(self.secret, Evidence.parse(norm=evidence.norm, range_=evidence.range_))
