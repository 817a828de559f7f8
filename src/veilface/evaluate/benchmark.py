"""One encrypted verification, stage by stage, beside a peer and a floor from the same run.

Rounds are interleaved – one of ours, one of TenSEAL's, one of NumPy's, and again – so that whatever else the
machine does meets all three alike. Warm-up rounds are not counted. See ``docs/bench.md``.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.evaluate.account import TemporaryAccount, temporary_account
from veilface.evaluate.errors import PathBroken
from veilface.evaluate.peers import PeerSizes, TenSeal, plain_dot_ms
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.evaluate.synthetic import at_cosine, unit_vectors
from veilface.match.masks import prepare
from veilface.match.verification import probe_evidence
from veilface.protect.calibration import cosine_threshold
from veilface.protect.homomorphic import SCALE, protect_probe, protect_template
from veilface.protect.ring import DATA
from veilface.protect.rlwe import (
    CIPHERTEXT_BYTES,
    NORM_BYTES,
    PUBLIC_KEY_BYTES,
    RANGE_BYTES,
    SCORE_BYTES,
    PublicKey,
    generate_key,
    open_blinded,
    parse_words,
)

WARM_UP_ROUNDS: Final = 3
ERROR_PAIRS: Final = 200
GENUINE_COSINE: Final = 0.75
Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class CosineError:
    """Difference between the encrypted score, opened for this measurement alone, and the plaintext cosine."""

    rms: float
    max: float
    pairs: int


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes of one verification. The server needs no evaluation keys at all."""

    probe: int = CIPHERTEXT_BYTES
    template: int = CIPHERTEXT_BYTES
    public_key: int = PUBLIC_KEY_BYTES
    evidence: int = SCORE_BYTES + NORM_BYTES + RANGE_BYTES
    evaluation_keys: int = 0


@dataclass(frozen=True, kw_only=True)
class VerificationBench:
    """Everything ``veilface bench verify`` measured; the stages are explained in ``docs/bench.md``."""

    rounds: int
    veilface: dict[str, Spread]
    tenseal: dict[str, Spread]
    numpy: dict[str, Spread]
    sizes: Sizes
    tenseal_sizes: PeerSizes
    cosine_error: CosineError

    def as_json(self) -> dict[str, object]:
        """The report as one JSON object."""
        return asdict(self)


def bench_verification(*, rounds: int, advance: Advance = lambda _done, _total: None) -> VerificationBench:
    """Measures ``rounds`` verifications; raises ``PeerMissing`` and, if a genuine one is refused, ``PathBroken``."""
    base, other = unit_vectors("veilface bench", 2)
    probe = at_cosine(GENUINE_COSINE, base, other)
    peer = TenSeal()
    peer_template = peer.encrypt(base)
    ours, theirs, floor = Stopwatch(), Stopwatch(), Stopwatch()
    with temporary_account(observe=lambda stage, s: ours.add(f"keyholder_{stage}", s)) as account:
        template = account.enrol(lambda key: protect_template(base, public_key=key))
        for done in range(WARM_UP_ROUNDS + rounds):
            if done == WARM_UP_ROUNDS:
                for stopwatch in (ours, theirs, floor):
                    stopwatch.clear()
            _our_round(account, template, probe, ours)
            _peer_round(peer, peer_template, probe, theirs)
            floor.add("dot", plain_dot_ms(base, probe) / 1000)
            advance(done + 1, WARM_UP_ROUNDS + rounds)
    return VerificationBench(
        rounds=rounds,
        veilface=ours.spreads(),
        tenseal=theirs.spreads(),
        numpy=floor.spreads(),
        sizes=Sizes(),
        tenseal_sizes=peer.sizes(base),
        cosine_error=measure_cosine_error(ERROR_PAIRS),
    )


def _our_round(account: TemporaryAccount, template: bytes, embedding: NDArray[np.float32], watch: Stopwatch) -> None:
    grant, public_key = account.challenge()
    with watch.stage("encrypt"):
        probe = protect_probe(embedding, public_key=public_key)
    header, signature = account.signed(grant, probe)
    with watch.stage("server_path"):
        with watch.stage("prepare"):
            masks = prepare(public_key, purpose="verify")
        with watch.stage("answer"):
            with watch.stage("match"):
                evidence = probe_evidence(template, probe, threshold=cosine_threshold(), masks=masks)
            with watch.stage("keyholder"):
                receipt = account.decide(header, signature, evidence)
    if not account.accepted(header, receipt):
        raise PathBroken(stage="verify")


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
