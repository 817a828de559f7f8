"""Two pictures through the whole path, key holder included, in one process: ``veilface compare``."""

from dataclasses import dataclass

from veilface.evaluate.account import temporary_account
from veilface.evaluate.stopwatch import Stopwatch
from veilface.face.pipeline import FacePipeline
from veilface.match.masks import prepare
from veilface.match.verification import probe_evidence
from veilface.protect.calibration import cosine_threshold
from veilface.protect.errors import UnknownScheme
from veilface.protect.scheme import Homomorphic


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Yes or no, never how much. ``timings_ms`` follows the path: face, protect, prepare, match, decide."""

    scheme: str
    match: bool
    timings_ms: dict[str, float]


def compare_pictures(enrolled: bytes, probe: bytes, *, scheme: str) -> Comparison:
    """Enrols the face on one picture under a new account and verifies the face on the other.

    Raises what :meth:`FacePipeline.single` raises, and ``UnknownScheme``.
    """
    if scheme != Homomorphic.name:
        raise UnknownScheme(got=scheme, expected=Homomorphic.name)
    protection = Homomorphic()
    stopwatch, faces = Stopwatch(), FacePipeline()
    with stopwatch.stage("face"):
        template_embedding = faces.embedding(enrolled)
        probe_embedding = faces.embedding(probe)
    with temporary_account() as account:
        with stopwatch.stage("enrol"):
            template = account.enrol(lambda key: protection.enrol(template_embedding, key=key))
        grant, public_key = account.challenge()
        with stopwatch.stage("protect"):
            protected = protection.probe(probe_embedding, key=public_key)
            header, signature = account.signed(grant, protected)
        with stopwatch.stage("prepare"):
            masks = prepare(public_key, purpose="verify")
        with stopwatch.stage("match"):
            evidence = probe_evidence(template, protected, threshold=cosine_threshold(), masks=masks)
        with stopwatch.stage("decide"):
            receipt = account.decide(header, signature, evidence)
        match = account.accepted(header, receipt)
    return Comparison(scheme=scheme, match=match, timings_ms=stopwatch.total_ms())
