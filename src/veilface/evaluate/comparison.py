"""Two pictures through the whole path, key holder included, in one process: ``veilface compare``."""

from dataclasses import dataclass

from veilface.evaluate.account import prepared, temporary_account
from veilface.evaluate.stopwatch import Stopwatch
from veilface.face.pipeline import FacePipeline
from veilface.match.evidence import verify_evidence
from veilface.protect.scheme import protection


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Yes or no, never how much.

    ``timings_ms`` follows the path: face, enrol, protect, prepare (ciphertexts only), match, decide.
    """

    scheme: str
    match: bool
    timings_ms: dict[str, float]


def compare_pictures(enrolled: bytes, probe: bytes, *, scheme: str) -> Comparison:
    """Enrols the face on one picture under a new account and verifies the face on the other.

    Raises what :meth:`FacePipeline.single` raises, and ``UnknownScheme``.
    """
    chosen, stopwatch, faces = protection(scheme), Stopwatch(), FacePipeline()
    with stopwatch.stage("face"):
        template_embedding = faces.embedding(enrolled)
        probe_embedding = faces.embedding(probe)
    with temporary_account(chosen) as account:
        with stopwatch.stage("enrol"):
            template = account.enrol(template_embedding)
        grant, key = account.challenge()
        with stopwatch.stage("protect"):
            protected = account.probe(probe_embedding, key=key)
            header, signature = account.signed(grant, protected)
        masks = prepared(chosen, key, purpose="verify", watch=stopwatch)
        with stopwatch.stage("match"):
            evidence = verify_evidence(chosen, template, protected, masks=masks)
        with stopwatch.stage("decide"):
            receipt = account.decide(header, signature, evidence)
        match = account.accepted(header, receipt)
    return Comparison(scheme=scheme, match=match, timings_ms=stopwatch.total_ms())
