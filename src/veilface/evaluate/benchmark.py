"""One verification by every protection, stage by stage, beside a peer and a floor from the same run.

Rounds are interleaved – one of each protection, one of TenSEAL's, one of NumPy's, and again – so that whatever else the
machine does meets all of them alike. Warm-up rounds are not counted. See ``docs/bench.md``.
"""

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.errors import PathBroken
from veilface.evaluate.peers import PeerSizes, TenSeal, plain_dot_ms
from veilface.evaluate.rounds import FACE, SAME_FACE, ProtectionBench, trial
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.evaluate.synthetic import at_cosine, unit_vectors
from veilface.protect.calibration import cosine_threshold
from veilface.protect.homomorphic import SCALE, protect_probe, protect_template
from veilface.protect.ring import DATA
from veilface.protect.rlwe import PublicKey, generate_key, open_blinded, parse_words
from veilface.protect.scheme import Homomorphic, protections

WARM_UP_ROUNDS: Final = 3
ERROR_PAIRS: Final = 200
Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class CosineError:
    """Difference between the encrypted score, opened for this measurement alone, and the plaintext cosine."""

    rms: float
    max: float
    pairs: int


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes of one verification under encryption. The server needs no evaluation keys at all."""

    probe: int
    template: int
    public_key: int
    evidence: int
    evaluation_keys: int = 0


@dataclass(frozen=True, kw_only=True)
class VerificationBench:
    """Everything ``veilface bench verify`` measured; the stages are explained in ``docs/bench.md``.

    ``veilface`` and ``sizes`` are about homomorphic encryption, which the peer does, too; ``protections`` about all.
    """

    rounds: int
    veilface: dict[str, Spread]
    tenseal: dict[str, Spread]
    numpy: dict[str, Spread]
    sizes: Sizes
    tenseal_sizes: PeerSizes
    cosine_error: CosineError
    protections: dict[str, ProtectionBench]

    def as_json(self) -> dict[str, object]:
        """The report as one JSON object."""
        return asdict(self)


def bench_verification(*, rounds: int, advance: Advance = lambda _done, _total: None) -> VerificationBench:
    """Measures ``rounds`` verifications; raises ``PeerMissing`` and, if a genuine one is refused, ``PathBroken``."""
    peer = TenSeal()
    peer_template = peer.encrypt(FACE)
    theirs, floor = Stopwatch(), Stopwatch()
    with ExitStack() as accounts:
        trials = {found.name: accounts.enter_context(trial(found)) for found in protections()}
        for done in range(WARM_UP_ROUNDS + rounds):
            if done == WARM_UP_ROUNDS:
                for stopwatch in (theirs, floor, *(one.watch for one in trials.values())):
                    stopwatch.clear()
            for one in trials.values():
                one.round()
            _peer_round(peer, peer_template, SAME_FACE, theirs)
            floor.add("dot", plain_dot_ms(FACE, SAME_FACE) / 1000)
            advance(done + 1, WARM_UP_ROUNDS + rounds)
        reports = {name: one.report() for name, one in trials.items()}
    ours = reports[Homomorphic.name]
    return VerificationBench(
        rounds=rounds,
        veilface=_beside_the_peer(ours.stages),
        tenseal=theirs.spreads(),
        numpy=floor.spreads(),
        sizes=Sizes(template=ours.template, probe=ours.probe, public_key=ours.public_key, evidence=ours.evidence),
        tenseal_sizes=peer.sizes(FACE),
        cosine_error=measure_cosine_error(ERROR_PAIRS),
        protections=reports,
    )


def _beside_the_peer(stages: dict[str, Spread]) -> dict[str, Spread]:
    """The stages of a verification, the first by the name it has there."""
    rest = {name: spread for name, spread in stages.items() if name not in {"protect_template", "enrol", "protect"}}
    return {"encrypt": stages["protect"], **rest}


def _peer_round(peer: TenSeal, template: object, embedding: NDArray[np.float32], watch: Stopwatch) -> None:
    with watch.stage("encrypt"):
        probe = peer.encrypt(embedding)
    with watch.stage("dot"):
        score = peer.dot(template, probe)
    with watch.stage("decide"):
        accepted = peer.decide(score, cosine_threshold())
    if not accepted:
        raise PathBroken(stage="tenseal")


def measure_cosine_error(pairs: int) -> CosineError:
    """Encrypts ``pairs`` pairs of every cosine and opens each score without blinding, under a key made for this."""
    secret, public_bytes = generate_key()
    public_key = PublicKey(public_bytes)
    base, *others = unit_vectors("veilface cosine error", pairs + 1)
    errors = []
    for index, other in enumerate(others):
        probe = at_cosine(2 * index / pairs - 1, base, other)
        template_words = parse_words(protect_template(base, public_key=public_bytes), components=2)
        probe_words = parse_words(protect_probe(probe, public_key=public_bytes), components=2)
        t, p = template_words, DATA.residues(probe_words + public_key.zero())
        product = DATA.residues(np.stack([t[0] * p[0], t[0] * p[1] + t[1] * p[0], t[1] * p[1]]))
        score = open_blinded(secret, product) / SCALE**2
        errors.append(score - float(np.dot(base.astype(np.float64), probe.astype(np.float64))))
    return CosineError(
        rms=math.sqrt(sum(error * error for error in errors) / pairs),
        max=max(abs(error) for error in errors),
        pairs=pairs,
    )
