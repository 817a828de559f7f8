"""What every protection can do, and where to find it by name.

A scheme turns an embedding and its token into an artefact for storage (template) or for comparison (probe). The
token is what the scheme needs from outside: for ``homomorphic`` the public key of the account, for ``ranking`` and
``negative`` 32 secret bytes (:mod:`veilface.protect.token`). An *open* scheme can score on the spot; a *sealed* one
cannot – there the matcher computes on ciphertexts (:mod:`veilface.match.verification`) and the key holder alone
decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, runtime_checkable

import numpy as np

from veilface.contract import CONTRACT
from veilface.protect import homomorphic, negative, ranking, rlwe
from veilface.protect.errors import MalformedCiphertext, UnknownScheme
from veilface.protect.homomorphic import DIMENSION, Embedding


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The parameters, sizes and promises of a scheme, as shown to people and written into reports."""

    name: str
    parameters: dict[str, int | float | str]
    template_bytes: int
    probe_bytes: int
    promises: tuple[str, ...]
    does_not_promise: tuple[str, ...]


class Scheme(Protocol):
    """A protection of embeddings."""

    name: ClassVar[str]

    def enrol(self, embedding: Embedding, token: bytes) -> bytes:
        """Protect a unit embedding (128,) for storage."""

    def probe(self, embedding: Embedding, token: bytes) -> bytes:
        """Protect a unit embedding (128,) for one comparison."""

    def describe(self) -> Description:
        """Parameters, sizes, what it promises and what it does not."""


@runtime_checkable
class OpenScheme(Scheme, Protocol):
    """A scheme whose artefacts compare without a secret key."""

    def score(self, probe: bytes, template: bytes) -> float:
        """Similarity of a probe and a template; higher is more alike."""


class Homomorphic:
    """RLWE ciphertexts under one key an account; the score stays sealed."""

    name: ClassVar[str] = "homomorphic"

    def enrol(self, embedding: Embedding, token: bytes) -> bytes:
        """Encrypt a template; ``token`` is the account's public key (98,304 B)."""
        return homomorphic.protect_template(embedding, public_key=token)

    def probe(self, embedding: Embedding, token: bytes) -> bytes:
        """Encrypt a probe; ``token`` is the account's public key (98,304 B)."""
        return homomorphic.protect_probe(embedding, public_key=token)

    def describe(self) -> Description:
        """Suite 0x01 (protocol §2, §13, §14)."""
        return Description(
            name=self.name,
            parameters={
                "param_id": rlwe.PARAM_ID.hex(),
                "n": rlwe.N,
                "primes": len(rlwe.PRIMES),
                "log_q": 68,
                "log_q_with_special_prime": 88,
                "scale": homomorphic.SCALE,
                "security_bits": 129,
                "security_model": "core-SVP, ternary secret, sigma 3.2",
            },
            template_bytes=rlwe.CIPHERTEXT_BYTES,
            probe_bytes=rlwe.CIPHERTEXT_BYTES,
            promises=(
                "the stored template is useless without the account's key",
                "a new key makes old templates and probes undecryptable",
                "the key holder sees a blinded sign, not the score",
            ),
            does_not_promise=(
                "secrecy if matcher and key holder collude",
                "detection of a presented photograph or mask",
            ),
        )


class LocalRanking:
    """Ranks within groups of a keyed transform; 320 bytes that compare in the open."""

    name: ClassVar[str] = "ranking"

    def enrol(self, embedding: Embedding, token: bytes) -> bytes:
        """The packed ranks of an embedding (128,) under a token (32 B)."""
        transform = ranking.ranking_transform(token, salt=CONTRACT.contract_id)
        return ranking.pack_ranks(ranking.local_ranks(transform.apply(embedding)))

    def probe(self, embedding: Embedding, token: bytes) -> bytes:
        """The same as :meth:`enrol`: two artefacts of one token compare."""
        return self.enrol(embedding, token)

    def score(self, probe: bytes, template: bytes) -> float:
        """Spearman's inner product, a whole number; raises :class:`MalformedTemplate`."""
        return float(ranking.rank_score(ranking.parse_ranks(probe), ranking.parse_ranks(template)))

    def describe(self) -> Description:
        """A keyed, renewable template and its limits."""
        return Description(
            name=self.name,
            parameters={
                "transform": "KT-1",
                "outputs": ranking.DEFAULT.outputs,
                "group": ranking.DEFAULT.group,
                "highest_score": ranking.DEFAULT.highest_score,
            },
            template_bytes=ranking.DEFAULT.template_bytes,
            probe_bytes=ranking.DEFAULT.template_bytes,
            promises=(
                "without the person's token no useful reconstruction or linkage was found",
                "a new token makes old templates and probes worthless",
            ),
            does_not_promise=(
                "secrecy once database and token are stolen: the embedding is recovered almost exactly",
                "safety of a stolen template against replay at the same enrolment: probes must be signed by a device",
                "detection of a presented photograph or mask",
            ),
        )


class NegativeDatabase:
    """Counts over patterns that the keyed bit string does not match; 2 KiB that compare in the open."""

    name: ClassVar[str] = "negative"

    def enrol(self, embedding: Embedding, token: bytes) -> bytes:
        """The int8 counts of fresh records that hide the keyed bits of an embedding (128,)."""
        records = negative.k_hidden(self._bits(embedding, token), parameters=negative.refuse_weak(negative.DEFAULT))
        return records.counts(negative.DEFAULT.length).tobytes()

    def probe(self, embedding: Embedding, token: bytes) -> bytes:
        """The keyed bits of an embedding (128,), packed (256 B)."""
        return negative.pack_bits(self._bits(embedding, token))

    def score(self, probe: bytes, template: bytes) -> float:
        """Σ c·(2x − 1), a whole number; raises :class:`MalformedTemplate`."""
        return float(negative.negative_score(negative.parse_bits(probe), negative.parse_counts(template)))

    def describe(self) -> Description:
        """An alternative keyed encoding and its limits."""
        return Description(
            name=self.name,
            parameters={
                "transform": "KT-1",
                "bits": negative.DEFAULT.length,
                "records": negative.DEFAULT.records,
                "specified": negative.SPECIFIED,
                "probabilities": "/".join(map(str, negative.DEFAULT.probabilities)),
            },
            template_bytes=negative.DEFAULT.template_bytes,
            probe_bytes=negative.DEFAULT.probe_bytes,
            promises=(
                "without the person's token no useful reconstruction or linkage was found",
                "a new token makes old templates and probes worthless",
            ),
            does_not_promise=(
                "secrecy of the keyed bit string: the records reveal it; the protection is the token",
                "secrecy once database and token are stolen: the embedding is recovered almost exactly",
                "safety of a stolen template against replay at the same enrolment: probes must be signed by a device",
                "detection of a presented photograph or mask",
            ),
        )

    @staticmethod
    def _bits(embedding: Embedding, token: bytes) -> negative.Bits:
        transform = negative.negative_transform(token, salt=CONTRACT.contract_id)
        return negative.sign_bits(transform.apply(embedding))


class InsecurePlain:
    """No protection at all: the baseline of tests and evaluation, never offered to a user."""

    name: ClassVar[str] = "insecure_plain"
    _BYTES: Final = DIMENSION * 4

    def enrol(self, embedding: Embedding, token: bytes) -> bytes:  # noqa: ARG002 – nothing is keyed here
        """The embedding itself, as little-endian float32 (512 B)."""
        return embedding.astype("<f4").tobytes()

    def probe(self, embedding: Embedding, token: bytes) -> bytes:
        """The same as :meth:`enrol`."""
        return self.enrol(embedding, token)

    def score(self, probe: bytes, template: bytes) -> float:
        """The cosine; raises :class:`MalformedCiphertext` where a side is not 512 bytes."""
        for side in (probe, template):
            if len(side) != self._BYTES:
                raise MalformedCiphertext(got=f"{len(side)} B", expected=f"{self._BYTES} B")
        left, right = (np.frombuffer(side, "<f4").astype(np.float64) for side in (probe, template))
        return float(left @ right)

    def describe(self) -> Description:
        """A warning in the shape of a description."""
        return Description(
            name=self.name,
            parameters={"dimension": DIMENSION},
            template_bytes=self._BYTES,
            probe_bytes=self._BYTES,
            promises=(),
            does_not_promise=("anything: the embedding is stored as it is",),
        )


_REGISTRY: Final[dict[str, Callable[[], Scheme]]] = {
    Homomorphic.name: Homomorphic,
    LocalRanking.name: LocalRanking,
    NegativeDatabase.name: NegativeDatabase,
    InsecurePlain.name: InsecurePlain,
}


def names() -> tuple[str, ...]:
    """The registered schemes, the default first."""
    return tuple(_REGISTRY)


def scheme(name: str) -> Scheme:
    """The scheme of this name; raises :class:`UnknownScheme`."""
    if name not in _REGISTRY:
        raise UnknownScheme(got=name, expected=", ".join(_REGISTRY))
    return _REGISTRY[name]()


def open_scheme(name: str) -> OpenScheme:
    """The scheme of this name if it can score in the open; raises :class:`UnknownScheme` otherwise."""
    found = scheme(name)
    if not isinstance(found, OpenScheme):
        openly = (known for known in _REGISTRY if isinstance(scheme(known), OpenScheme))
        raise UnknownScheme(got=name, expected=", ".join(openly))
    return found
