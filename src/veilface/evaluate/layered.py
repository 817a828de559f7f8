"""Layered protection: a keyed template inside the homomorphic scheme, compared without being opened.

Ranks and counts are compared by inner products, and so is what suite 0x01 encrypts: scaled to length one, they are
unit vectors of 512 or 2,048 numbers where an embedding is one of 128. They fit among the 4,096 coefficients, and no
product of two wraps around. So ring, keys, scale, masks, range and norm checks stay as they are, and only the place
of the score moves, to coefficient length − 1. Measured here, not offered: ``docs/adr/0007-layered.md``.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.accuracy import Accuracy, PairScores, accuracy, compare_all
from veilface.evaluate.datasets import People
from veilface.evaluate.protections import Matrix, ciphertext_noise
from veilface.evaluate.runs import Protected
from veilface.evaluate.stopwatch import Stopwatch
from veilface.keyholder.audit import Cause
from veilface.keyholder.decide import Evidence, judge
from veilface.keyholder.decide import prepare as prepare_secret
from veilface.match.masks import blinding_factor, prepare, uniform_without
from veilface.match.verification import template_evidence
from veilface.protect.homomorphic import BLINDED_MAX, SCALE
from veilface.protect.ring import DATA, Integers, N, Residues, functional, monomial
from veilface.protect.rlwe import (
    PublicKey,
    SecretKey,
    encrypt,
    generate_key,
    open_by_seal,
    pack_words,
    parse_words,
)

_PAIRS: Final = 24

Unit = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class LayeredEvidence:
    """What the key holder would get: blinded score (110,592 B), norm (147,456 B) and range (49,152 B)."""

    score: bytes
    norm: bytes
    range_: bytes


@dataclass(frozen=True, kw_only=True)
class Layered:
    """What the second layer costs.

    ``accuracy`` of stolen-token runs under the noise of real ciphertexts. ``error`` is the largest difference that
    real encryption made to a cosine, over ``pairs``; ``differing`` counts decisions of the whole path that were not
    those of the open score. Median milliseconds.
    """

    accuracy: Accuracy
    pairs: int
    error: float
    differing: int
    protect_ms: float
    match_ms: float
    decide_ms: float


def layered(runs: list[PairScores], sample: Protected, people: People) -> Layered:
    """From the runs of :func:`sealed_scores`, and real ciphertexts of the first pictures of ``sample``."""
    measured = accuracy(runs, people, resamples=0)
    threshold = measured.thresholds["1e-3"] or measured.thresholds["1e-2"] or 0.0
    secret, public_key = generate_key()
    secret, watch = prepare_secret(secret.pack()), Stopwatch()
    templates, probes = unit(sample.templates[:_PAIRS]), unit(sample.probes[1 : _PAIRS + 1])
    errors, differing = [], 0
    for enrolled, shown in zip(templates, probes, strict=False):
        template = seal_template(enrolled, public_key=public_key)
        with watch.stage("protect"):
            probe = seal_probe(shown, public_key=public_key)
        with watch.stage("match"):
            evidence = evaluate_sealed(template, probe, length=len(shown), threshold=threshold, public_key=public_key)
        with watch.stage("decide"):
            accepted = decide_sealed(secret, evidence, length=len(shown)) is Cause.NONE
        errors.append(sealed_cosine(secret, template, probe, length=len(shown)) - float(enrolled @ shown))
        differing += accepted != bool(enrolled @ shown >= threshold)
    spent = {stage: spread.median_ms for stage, spread in watch.spreads().items()}
    return Layered(
        accuracy=measured,
        pairs=len(errors),
        error=float(np.abs(errors).max()),
        differing=differing,
        protect_ms=spent["protect"],
        match_ms=spent["match"],
        decide_ms=spent["decide"],
    )


def sealed_scores(kept: Protected, people: People, generator: np.random.Generator) -> PairScores:
    """All pairs with the quantisation of suite 0x01 and the noise of real ciphertexts, as cosines.

    A probe is re-randomised once more by the matcher. Ranks are all equally long; counts of negative databases differ
    by about one part in a hundred, which a cosine leaves out.
    """
    templates = _noisy(unit(kept.templates), generator, encryptions=1)
    probes = _noisy(unit(kept.probes), generator, encryptions=2)
    return compare_all(lambda rows, columns: templates[rows] @ probes[columns].T, people)


def seal_template(vector: Unit, *, public_key: bytes) -> bytes:
    """Encrypt a keyed unit vector (n,), n ≤ 2,048, for storage: coefficient i is round(Δ·v_i); 73,728 B."""
    return pack_words(encrypt(PublicKey(public_key), _coefficients(vector)))


def seal_probe(vector: Unit, *, public_key: bytes) -> bytes:
    """The same in reverse order, so that coefficient n − 1 of the product is Δ² times the cosine; 73,728 B."""
    return pack_words(encrypt(PublicKey(public_key), _coefficients(vector[::-1])))


def evaluate_sealed(
    template: bytes, probe: bytes, *, length: int, threshold: float, public_key: bytes
) -> LayeredEvidence:
    """The matcher's work (protocol §6) with the score at coefficient ``length`` − 1; ``threshold`` is a cosine.

    Raises :class:`~veilface.protect.errors.MalformedCiphertext` for anything but ciphertexts of suite 0x01.
    """
    checks = template_evidence(probe, masks=prepare(public_key, purpose="enrol"))
    key, power, primes = PublicKey(public_key), length - 1, np.array(DATA.primes)[:, None]
    score = _product(template, DATA.residues(parse_words(probe, components=2) + key.zero()))
    score[0] -= round(threshold * SCALE**2) % primes * monomial(DATA, power)
    zero, lifted = key.rough_zero(), key.rough_zero()
    mask = np.stack([zero[0] + uniform_without(power), zero[1] + lifted[0], lifted[1]])
    blinded = DATA.residues(DATA.centre(score) * (blinding_factor() % primes) + mask)
    return LayeredEvidence(score=pack_words(blinded), norm=checks.norm, range_=checks.range_)


def decide_sealed(secret: SecretKey, evidence: LayeredEvidence, *, length: int) -> Cause:
    """The key holder's work: range and norm as ever, and the blinded sign at coefficient ``length`` − 1."""
    cause = judge(secret, Evidence.parse(norm=evidence.norm, range_=evidence.range_))
    value = _coefficient(secret, parse_words(evidence.score, components=3), length - 1)
    return cause if 0 <= value <= BLINDED_MAX else Cause(cause | Cause.SCORE)


def sealed_cosine(secret: SecretKey, template: bytes, probe: bytes, *, length: int) -> float:
    """The cosine that the product of two ciphertexts opens to, without blinding: for measuring, nobody's work."""
    product = DATA.residues(_product(template, parse_words(probe, components=2)))
    return _coefficient(secret, product, length - 1) / SCALE**2


def unit(rows: Matrix) -> Unit:
    """Rows (n, k) at length one."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def _product(template: bytes, probe: Residues) -> Residues:
    """T·P in the basis 1, s, s², (3, 3, 4096), not yet reduced: below 2^50."""
    stored = parse_words(template, components=2)
    return np.stack([stored[0] * probe[0], stored[0] * probe[1] + stored[1] * probe[0], stored[1] * probe[1]])


def _coefficient(secret: SecretKey, residues: Residues, power: int) -> int:
    words = open_by_seal(secret, residues).astype(np.uint64)
    return DATA.crt(np.einsum("pi,pi->p", words, functional(DATA, power)).tolist())


def _coefficients(vector: Unit) -> Integers:
    coefficients = np.zeros(N, dtype=np.int64)
    coefficients[: len(vector)] = np.floor(vector.astype(np.float64) * SCALE + 0.5)
    return coefficients


def _noisy(rows: Unit, generator: np.random.Generator, *, encryptions: int) -> Matrix:
    scaled = np.floor(rows.astype(np.float64) * SCALE + 0.5)
    for _ in range(encryptions):
        scaled += generator.choice(ciphertext_noise(), scaled.shape)
    return (scaled / SCALE).astype(np.float32)
