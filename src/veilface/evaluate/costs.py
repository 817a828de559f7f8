"""What one protection and one comparison cost, by the calls that the product makes."""

from dataclasses import dataclass
from typing import Final

from veilface.evaluate.datasets import Embeddings
from veilface.evaluate.protections import KEY, PROTECTIONS, evaluation_token
from veilface.evaluate.stopwatch import Stopwatch
from veilface.match.masks import prepare
from veilface.match.verification import probe_evidence
from veilface.protect.rlwe import generate_key
from veilface.protect.scheme import names, open_scheme, scheme

_ROUNDS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Bytes of a template and a probe, and median milliseconds; None for published forms, which nobody calls singly."""

    template_bytes: int
    probe_bytes: int
    enrol_ms: float | None
    probe_ms: float | None
    match_ms: float | None


def costs(name: str, embeddings: Embeddings) -> Costs:
    """Median of twenty single calls; a homomorphic match is the matcher's work with its masks prepared."""
    protection = PROTECTIONS[name]()
    sizes = {"template_bytes": protection.template_bytes, "probe_bytes": protection.probe_bytes}
    if name not in names():
        return Costs(**sizes, enrol_ms=None, probe_ms=None, match_ms=None)
    watch, single = Stopwatch(), scheme(name)
    key = generate_key()[1] if name == "homomorphic" else KEY
    token = evaluation_token("costs")
    for round_ in range(_ROUNDS):
        embedding = embeddings[round_ % len(embeddings)]
        with watch.stage("enrol"):
            template = single.enrol(embedding, key=key, token=token)
        with watch.stage("probe"):
            probe = single.probe(embedding, key=key, token=token)
        if name == "homomorphic":
            masks = prepare(key, purpose="verify")
            with watch.stage("match"):
                probe_evidence(template, probe, threshold=0.0, masks=masks)
        else:
            scoring = open_scheme(name)
            with watch.stage("match"):
                scoring.score(probe, template)
    spent = {stage: spread.median_ms for stage, spread in watch.spreads().items()}
    return Costs(**sizes, enrol_ms=spent["enrol"], probe_ms=spent["probe"], match_ms=spent["match"])
