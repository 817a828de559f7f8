"""A folder of people through the whole path: whether decisions under encryption are those of the plaintext.

Every picture is enrolled once under a key of its own. For every pair the other picture is encrypted as a probe
under that key, evaluated with fresh masks, and judged as the key holder judges. Only counters, signatures and
storage are left out: they would rightly forbid thousands of decisions.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from veilface.evaluate.people import Failure, Pair, Sample, measure, pairs
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.face.pipeline import FacePipeline
from veilface.keyholder.audit import Cause
from veilface.keyholder.decide import Evidence, judge
from veilface.keyholder.decide import prepare as prepare_secret
from veilface.match.masks import prepare
from veilface.match.verification import probe_evidence
from veilface.protect.calibration import cosine_threshold
from veilface.protect.homomorphic import protect_probe, protect_template
from veilface.protect.rlwe import SecretKey, generate_key

Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """A pair on which encrypted and plaintext decisions differ, and how far its cosine is from the threshold."""

    template: str
    probe: str
    distance: float


@dataclass(frozen=True, kw_only=True)
class PipelineBench:
    """What ``veilface bench pipeline`` found. FNMR and FMR are of the decisions under encryption, at ``threshold``."""

    people: int
    pictures: int
    failures_to_enrol: list[Failure]
    genuine_pairs: int
    impostor_pairs: int
    threshold: float
    disagreements: list[Disagreement]
    fnmr: float
    fmr: float
    plain_fnmr: float
    plain_fmr: float
    stages: dict[str, Spread]

    @property
    def farthest_disagreement(self) -> float:
        """The largest distance from the threshold at which a decision differed; 0 where none did."""
        return max((one.distance for one in self.disagreements), default=0.0)

    def as_json(self) -> dict[str, object]:
        """The report as one JSON object."""
        return asdict(self) | {"farthest_disagreement": self.farthest_disagreement}


@dataclass(frozen=True)
class Account:
    """A template under a key of its own, and what the key holder would have."""

    secret: SecretKey
    public_key: bytes
    template: bytes


def bench_pipeline(
    folder: Path, *, impostor_pairs: int, advance: Advance = lambda _done, _total: None
) -> PipelineBench:
    """Compares decisions over all genuine and ``impostor_pairs`` impostor pairs (0: all); raises ``NoPeople``."""
    watch = Stopwatch()
    samples, failures = measure(folder, FacePipeline(), watch=watch, advance=advance)
    chosen = pairs(samples, impostors=impostor_pairs)
    accounts = {id(sample): _enrol(sample, watch) for sample in samples}
    outcomes = []
    for done, pair in enumerate(chosen, start=1):
        outcomes.append((pair, _decide(accounts[id(pair.template)], pair, watch), pair.cosine >= cosine_threshold()))
        advance(done, len(chosen))
    return PipelineBench(
        people=len({sample.person for sample in samples}),
        pictures=len(samples) + len(failures),
        failures_to_enrol=failures,
        genuine_pairs=sum(pair.genuine for pair in chosen),
        impostor_pairs=sum(not pair.genuine for pair in chosen),
        threshold=cosine_threshold(),
        disagreements=[_disagreement(pair) for pair, sealed, plain in outcomes if sealed != plain],
        fnmr=_rate(not sealed for pair, sealed, _ in outcomes if pair.genuine),
        fmr=_rate(sealed for pair, sealed, _ in outcomes if not pair.genuine),
        plain_fnmr=_rate(not plain for pair, _, plain in outcomes if pair.genuine),
        plain_fmr=_rate(plain for pair, _, plain in outcomes if not pair.genuine),
        stages=watch.spreads(),
    )


def _enrol(sample: Sample, watch: Stopwatch) -> Account:
    secret, public_key = generate_key()
    with watch.stage("protect"):
        template = protect_template(sample.embedding, public_key=public_key)
    return Account(secret=prepare_secret(secret.pack()), public_key=public_key, template=template)


def _decide(account: Account, pair: Pair, watch: Stopwatch) -> bool:
    with watch.stage("protect"):
        probe = protect_probe(pair.probe.embedding, public_key=account.public_key)
    with watch.stage("prepare"):
        masks = prepare(account.public_key, purpose="verify")
    with watch.stage("match"):
        found = probe_evidence(account.template, probe, threshold=cosine_threshold(), masks=masks)
    with watch.stage("decide"):
        cause = judge(account.secret, Evidence.parse(score=found.score, norm=found.norm, range_=found.range_))
    return cause is Cause.NONE


def _disagreement(pair: Pair) -> Disagreement:
    return Disagreement(
        template=pair.template.picture,
        probe=pair.probe.picture,
        distance=abs(pair.cosine - cosine_threshold()),
    )


def _rate(events: Iterable[bool]) -> float:
    """The share of true among ``events``; 0 where there are none."""
    counted = list(events)
    return sum(counted) / len(counted) if counted else 0.0
