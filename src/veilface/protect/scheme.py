"""What every protection can do, and where to find it by its name or by its number on the wire.

A scheme turns an embedding into an artefact for storage (template) or for comparison (probe). It takes two things from
outside. The *key* is public, made by the key holder for each key epoch: so a new epoch makes a new transform, even of
an old token. The *token* is the device's own secret of one enrolment (:mod:`veilface.protect.token`), where the scheme
has one. An *open* scheme can score on the spot; a *sealed* one cannot – there the matcher computes on ciphertexts
(:mod:`veilface.match.verification`).

A :class:`Protection` is a scheme that people may choose. The unprotected baseline is none, and has no number.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Protocol, runtime_checkable

import numpy as np

from veilface.contract import CONTRACT
from veilface.protect import homomorphic, negative, ranking, rlwe
from veilface.protect.errors import MalformedCiphertext, UnknownScheme, UnusableKey
from veilface.protect.homomorphic import DIMENSION, Embedding
from veilface.protect.suites import Suite
from veilface.protect.token import TOKEN_BYTES

SALT_BYTES: Final = 32
"""The public key of a keyed protection: random bytes that enter its transform."""
BLINDED_BYTES: Final = 8
"""What the key holder is given to decide about a keyed probe: one blinded score (protocol §6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The parameters, sizes and promises of a scheme, as shown to people and written into reports."""

    name: str
    parameters: dict[str, int | float | str]
    template_bytes: int
    probe_bytes: int
    promises: tuple[str, ...]
    does_not_promise: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """The key of one epoch. ``secret`` stays with the key holder; keyed protections have none (0 B)."""

    secret: bytes
    public_key: bytes


class Scheme(Protocol):
    """A way to turn embeddings into artefacts. Sizes are in bytes; ``token_bytes`` is 0 where it takes no token."""

    name: ClassVar[str]
    key_bytes: ClassVar[int]
    token_bytes: ClassVar[int]
    template_bytes: ClassVar[int]
    probe_bytes: ClassVar[int]

    def enrol(self, embedding: Embedding, *, key: bytes, token: bytes) -> bytes:
        """Protect a unit embedding (128,) for storage."""

    def probe(self, embedding: Embedding, *, key: bytes, token: bytes) -> bytes:
        """Protect a unit embedding (128,) for one comparison."""

    def describe(self) -> Description:
        """Parameters, sizes, what it promises and what it does not."""


@runtime_checkable
class OpenScheme(Scheme, Protocol):
    """A scheme whose artefacts compare without a secret key."""

    def score(self, probe: bytes, template: bytes) -> float:
        """Similarity of a probe and a template; higher is more alike."""


@runtime_checkable
class Protection(Scheme, Protocol):
    """A scheme that people may choose: it has a number, keys, and artefacts that strangers may send.

    ``enrol_evidence_bytes`` and ``verify_evidence_bytes`` – what the key holder is given to decide.
    """

    suite: ClassVar[Suite]
    enrol_evidence_bytes: ClassVar[int]
    verify_evidence_bytes: ClassVar[int]

    def generate_key(self) -> KeyPair:
        """A fresh key for one epoch of one account."""

    def check_template(self, template: bytes) -> None:
        """Raise :class:`MalformedTemplate` or :class:`MalformedCiphertext` unless an honest device could send this."""

    def check_probe(self, probe: bytes) -> None:
        """Raise as :meth:`check_template` does."""


@runtime_checkable
class OpenProtection(Protection, Protocol):
    """A protection whose scores are whole numbers that anybody with both artefacts can compute."""

    def score(self, probe: bytes, template: bytes) -> int:
        """Similarity of a probe and a template; higher is more alike. Raises :class:`MalformedTemplate`."""


class Homomorphic:
    """RLWE ciphertexts under one key an account; the score stays sealed."""

    name: ClassVar[str] = "homomorphic"
    suite: ClassVar[Suite] = Suite.HOMOMORPHIC
    key_bytes: ClassVar[int] = rlwe.PUBLIC_KEY_BYTES
    token_bytes: ClassVar[int] = 0
    template_bytes: ClassVar[int] = rlwe.CIPHERTEXT_BYTES
    probe_bytes: ClassVar[int] = rlwe.CIPHERTEXT_BYTES
    enrol_evidence_bytes: ClassVar[int] = rlwe.NORM_BYTES + rlwe.RANGE_BYTES
    verify_evidence_bytes: ClassVar[int] = rlwe.SCORE_BYTES + rlwe.NORM_BYTES + rlwe.RANGE_BYTES

    def generate_key(self) -> KeyPair:
        """A ternary secret, packed (1,024 B), and its public key (98,304 B)."""
        secret, public_key = rlwe.generate_key()
        return KeyPair(secret=secret.pack(), public_key=public_key)

    def enrol(self, embedding: Embedding, *, key: bytes, token: bytes = b"") -> bytes:  # noqa: ARG002 – none is needed
        """Encrypt a template under the account's public key (98,304 B)."""
        return homomorphic.protect_template(embedding, public_key=key)

    def probe(self, embedding: Embedding, *, key: bytes, token: bytes = b"") -> bytes:  # noqa: ARG002 – none is needed
        """Encrypt a probe under the account's public key (98,304 B)."""
        return homomorphic.protect_probe(embedding, public_key=key)

    def check_template(self, template: bytes) -> None:
        """Raise :class:`MalformedCiphertext` for anything but a ciphertext of suite 0x01."""
        rlwe.parse_words(template, components=2)

    def check_probe(self, probe: bytes) -> None:
        """Raise :class:`MalformedCiphertext` for anything but a ciphertext of suite 0x01."""
        rlwe.parse_words(probe, components=2)

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
            template_bytes=self.template_bytes,
            probe_bytes=self.probe_bytes,
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
    suite: ClassVar[Suite] = Suite.RANKING
    key_bytes: ClassVar[int] = SALT_BYTES
    token_bytes: ClassVar[int] = TOKEN_BYTES
    template_bytes: ClassVar[int] = ranking.DEFAULT.template_bytes
    probe_bytes: ClassVar[int] = ranking.DEFAULT.template_bytes
    enrol_evidence_bytes: ClassVar[int] = 0
    verify_evidence_bytes: ClassVar[int] = BLINDED_BYTES

    def generate_key(self) -> KeyPair:
        """A fresh public salt."""
        return _salt_as_key()

    def enrol(self, embedding: Embedding, *, key: bytes, token: bytes) -> bytes:
        """The packed ranks of an embedding (128,) under a key (32 B) and a token (32 B)."""
        transform = ranking.ranking_transform(token, salt=_salt(key))
        return ranking.pack_ranks(ranking.local_ranks(transform.apply(embedding)))

    def probe(self, embedding: Embedding, *, key: bytes, token: bytes) -> bytes:
        """The same as :meth:`enrol`: two artefacts of one token compare."""
        return self.enrol(embedding, key=key, token=token)

    def check_template(self, template: bytes) -> None:
        """Raise :class:`MalformedTemplate` unless every group holds every rank once."""
        ranking.parse_ranks(template)

    def check_probe(self, probe: bytes) -> None:
        """Raise :class:`MalformedTemplate` unless every group holds every rank once."""
        ranking.parse_ranks(probe)

    def score(self, probe: bytes, template: bytes) -> int:
        """Spearman's inner product; raises :class:`MalformedTemplate`."""
        return ranking.rank_score(ranking.parse_ranks(probe), ranking.parse_ranks(template))

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
            template_bytes=self.template_bytes,
            probe_bytes=self.probe_bytes,
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
    suite: ClassVar[Suite] = Suite.NEGATIVE
    key_bytes: ClassVar[int] = SALT_BYTES
    token_bytes: ClassVar[int] = TOKEN_BYTES
    template_bytes: ClassVar[int] = negative.DEFAULT.template_bytes
    probe_bytes: ClassVar[int] = negative.DEFAULT.probe_bytes
    enrol_evidence_bytes: ClassVar[int] = 0
    verify_evidence_bytes: ClassVar[int] = BLINDED_BYTES

    def generate_key(self) -> KeyPair:
        """A fresh public salt."""
        return _salt_as_key()

    def enrol(self, embedding: Embedding, *, key: bytes, token: bytes) -> bytes:
        """The int8 counts of fresh records that hide the keyed bits of an embedding (128,)."""
        bits = self._bits(embedding, key=key, token=token)
        records = negative.k_hidden(bits, parameters=negative.refuse_weak(negative.DEFAULT))
        return records.counts(negative.DEFAULT.length).tobytes()

    def probe(self, embedding: Embedding, *, key: bytes, token: bytes) -> bytes:
        """The keyed bits of an embedding (128,), packed (256 B)."""
        return negative.pack_bits(self._bits(embedding, key=key, token=token))

    def check_template(self, template: bytes) -> None:
        """Raise :class:`MalformedTemplate` for counts that no records of the default size have."""
        negative.parse_counts(template)

    def check_probe(self, probe: bytes) -> None:
        """Raise :class:`MalformedTemplate` for another length: any bits may be somebody's."""
        negative.parse_bits(probe)

    def score(self, probe: bytes, template: bytes) -> int:
        """Σ c·(2x − 1); raises :class:`MalformedTemplate`."""
        return negative.negative_score(negative.parse_bits(probe), negative.parse_counts(template))

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
            template_bytes=self.template_bytes,
            probe_bytes=self.probe_bytes,
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
    def _bits(embedding: Embedding, *, key: bytes, token: bytes) -> negative.Bits:
        transform = negative.negative_transform(token, salt=_salt(key))
        return negative.sign_bits(transform.apply(embedding))


class InsecurePlain:
    """No protection at all: the baseline of tests and evaluation, never offered to a user."""

    name: ClassVar[str] = "insecure_plain"
    key_bytes: ClassVar[int] = 0
    token_bytes: ClassVar[int] = 0
    template_bytes: ClassVar[int] = DIMENSION * 4
    probe_bytes: ClassVar[int] = DIMENSION * 4

    def enrol(self, embedding: Embedding, *, key: bytes = b"", token: bytes = b"") -> bytes:  # noqa: ARG002 – unkeyed
        """The embedding itself, as little-endian float32 (512 B)."""
        return embedding.astype("<f4").tobytes()

    def probe(self, embedding: Embedding, *, key: bytes = b"", token: bytes = b"") -> bytes:
        """The same as :meth:`enrol`."""
        return self.enrol(embedding, key=key, token=token)

    def score(self, probe: bytes, template: bytes) -> float:
        """The cosine; raises :class:`MalformedCiphertext` where a side is not 512 bytes."""
        for side in (probe, template):
            if len(side) != self.template_bytes:
                raise MalformedCiphertext(got=f"{len(side)} B", expected=f"{self.template_bytes} B")
        left, right = (np.frombuffer(side, "<f4").astype(np.float64) for side in (probe, template))
        return float(left @ right)

    def describe(self) -> Description:
        """A warning in the shape of a description."""
        return Description(
            name=self.name,
            parameters={"dimension": DIMENSION},
            template_bytes=self.template_bytes,
            probe_bytes=self.probe_bytes,
            promises=(),
            does_not_promise=("anything: the embedding is stored as it is",),
        )


_REGISTRY: Final[Mapping[str, Callable[[], Scheme]]] = MappingProxyType(
    {
        Homomorphic.name: Homomorphic,
        LocalRanking.name: LocalRanking,
        NegativeDatabase.name: NegativeDatabase,
        InsecurePlain.name: InsecurePlain,
    }
)


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


def protections() -> tuple[Protection, ...]:
    """What a person may choose from, the default first."""
    return tuple(found for name in _REGISTRY if isinstance(found := scheme(name), Protection))


def protection(name: str) -> Protection:
    """The protection of this name; raises :class:`UnknownScheme` for the baseline as for any other."""
    for found in protections():
        if found.name == name:
            return found
    raise UnknownScheme(got=name, expected=", ".join(found.name for found in protections()))


def protection_of(suite: Suite) -> Protection:
    """The protection with this number."""
    return _BY_SUITE[suite]


_BY_SUITE: Final[Mapping[Suite, Protection]] = MappingProxyType({found.suite: found for found in protections()})

TEMPLATE_BYTES: Final[Mapping[Suite, int]] = MappingProxyType(
    {suite: found.template_bytes for suite, found in _BY_SUITE.items()}
)
"""The length of a template of every suite."""

PROBE_BYTES: Final[Mapping[Suite, int]] = MappingProxyType(
    {suite: found.probe_bytes for suite, found in _BY_SUITE.items()}
)
"""The length of a probe of every suite."""


def _salt_as_key() -> KeyPair:
    return KeyPair(secret=b"", public_key=secrets.token_bytes(SALT_BYTES))


def _salt(key: bytes) -> bytes:
    """The salt of the keyed transform: the embedding contract, then the public key of the epoch; 64 B."""
    if len(key) != SALT_BYTES:
        raise UnusableKey(got=f"{len(key)} B", expected=f"{SALT_BYTES} B")
    return CONTRACT.contract_id + key
