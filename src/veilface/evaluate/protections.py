"""Every protection over whole arrays of embeddings, with the numbers that the single calls give.

The registry's schemes protect one embedding at a time; a million pairs need matrices. Each class here does in bulk
what :mod:`veilface.protect.scheme` does singly – the tests compare the two – and adds the published forms.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from veilface.contract import CONTRACT
from veilface.evaluate.datasets import Embeddings
from veilface.protect import negative, published, ranking
from veilface.protect.errors import UnknownScheme
from veilface.protect.homomorphic import SCALE
from veilface.protect.ring import DATA
from veilface.protect.rlwe import CIPHERTEXT_BYTES, PublicKey, encrypt_zero, generate_key, open_by_seal
from veilface.protect.token import expand
from veilface.protect.transform import Transform, keyed_transform, quantise

KEY: Final = bytes(32)
"""The public key of every evaluation: figures repeat, and nothing depends on what it is."""
SALT: Final = CONTRACT.contract_id + KEY
_NOISE_CIPHERTEXTS: Final = 12
_TOKENS_AT_HAND: Final = 16
_WORTH_A_MATRIX: Final = 100
_ROWS: Final = 128

Matrix = NDArray[np.float32]
Reals = NDArray[np.float64]


class Protection(Protocol):
    """A protection in bulk: float32 rows, whole numbers where the protection gives whole numbers.

    ``generator`` stands in for the system's randomness, so that figures repeat.
    """

    name: str
    published: bool
    template_bytes: int
    probe_bytes: int

    def templates(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:
        """What is stored for embeddings (n, 128) under one token."""

    def probes(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:
        """What is compared with it."""

    def score(self, templates: Matrix, probes: Matrix) -> Matrix:
        """Scores (templates, probes); higher is more alike."""


def evaluation_token(label: str) -> bytes:
    """A token that every evaluation makes alike: figures repeat. Never use one to protect anybody."""
    return hashlib.sha256(f"veilface evaluate/{label}".encode()).digest()


class _InnerProduct:
    """Scores that are inner products, exact in float32 below 2^24."""

    published = False

    def score(self, templates: Matrix, probes: Matrix) -> Matrix:
        return templates @ probes.T


class Plain(_InnerProduct):
    """The baseline: cosines of the embeddings themselves."""

    name = "insecure_plain"
    template_bytes = probe_bytes = 512

    def templates(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:  # noqa: ARG002
        return embeddings

    probes = templates


class Homomorphic(_InnerProduct):
    """Cosines with the quantisation of suite 0x01 and the noise of real ciphertexts.

    Encrypting and opening millions of pairs is out of reach: the noise added to each coefficient is drawn from the
    noise that this process's own SEAL put into real encryptions. What is left out – the product of two noises and
    the masks' own – is below 2e-5 of the score. The account's key stands where others have a token.
    """

    name = "homomorphic"
    template_bytes = probe_bytes = CIPHERTEXT_BYTES

    def templates(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:  # noqa: ARG002
        return self._noisy(embeddings, generator, encryptions=1)

    def probes(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:  # noqa: ARG002
        # The matcher re-randomises a probe with one more encryption of zero.
        return self._noisy(embeddings, generator, encryptions=2)

    def _noisy(self, embeddings: Embeddings, generator: np.random.Generator, *, encryptions: int) -> Matrix:
        scaled = np.floor(embeddings.astype(np.float64) * SCALE + 0.5)
        for _ in range(encryptions):
            scaled += generator.choice(ciphertext_noise(), scaled.shape)
        return (scaled / SCALE).astype(np.float32)


class Ranking(_InnerProduct):
    """Local ranking at its default."""

    name = "ranking"
    template_bytes = probe_bytes = ranking.DEFAULT.template_bytes

    def transform(self, token: bytes) -> Transform:
        """The secret transform of a token."""
        return _ranking_transform(token)

    def templates(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:  # noqa: ARG002
        ranks = ranking.local_ranks(_outputs(self.transform(token), embeddings))
        return ranking.centred_ranks(ranks).astype(np.float32)

    probes = templates


class Negative(_InnerProduct):
    """The negative database; by default of the strengthened parameters."""

    def __init__(
        self,
        name: str = "negative",
        parameters: negative.RecordParameters = negative.DEFAULT,
        *,
        published: bool = False,
    ) -> None:
        self.name, self.parameters, self.published = name, parameters, published
        self.template_bytes, self.probe_bytes = parameters.template_bytes, parameters.probe_bytes

    def transform(self, token: bytes) -> Transform:
        """The secret transform of a token."""
        return _negative_transform(token, self.parameters)

    def bits(self, embeddings: Embeddings, token: bytes) -> negative.Bits:
        """The keyed bit strings, uint8 (n, length)."""
        return negative.sign_bits(_outputs(self.transform(token), embeddings))

    def records(self, bits: negative.Bits, generator: np.random.Generator) -> negative.Records:
        """Records that hide one bit string."""
        return negative.k_hidden(bits, parameters=self.parameters, randomness=generator.bytes)

    def templates(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:
        # Records name positions and wrong values without a look at the bits: a count is a signed weight.
        weights = np.stack([record_weights(self.parameters, generator) for _ in embeddings])
        return self.probes(embeddings, token, generator) * weights

    def probes(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:  # noqa: ARG002
        return 2 * self.bits(embeddings, token).astype(np.float32) - 1


class PublishedRanking:
    """Bit local ranking with b = 4 and d = 64 on 1,024 sign bits, by L1 distance; six bits a rank."""

    name = "ranking_published"
    published = True
    length: Final = 1024
    template_bytes = probe_bytes = 192

    def transform(self, token: bytes) -> Transform:
        """The keyed transform before the sign."""
        return _published_transform(token)

    def bits(self, embeddings: Embeddings, token: bytes) -> negative.Bits:
        """Sign bits, uint8 (n, 1024)."""
        return negative.sign_bits(_outputs(self.transform(token), embeddings))

    def key(self, token: bytes) -> negative.Bits:
        """The string that the bits are combined with by XOR, uint8 (1024)."""
        drawn = expand(token, salt=SALT, info=b"veilface published ranking key", length=self.length // 8)
        return np.unpackbits(np.frombuffer(drawn, np.uint8))

    def templates(self, embeddings: Embeddings, token: bytes, generator: np.random.Generator) -> Matrix:  # noqa: ARG002
        key = self.key(token)
        bits = self.bits(embeddings, token)
        chunks = [published.bit_ranks(bits[start : start + _ROWS], key) for start in range(0, len(bits), _ROWS)]
        return np.concatenate(chunks).astype(np.float32)

    probes = templates

    def score(self, templates: Matrix, probes: Matrix) -> Matrix:
        distances = np.empty((len(templates), len(probes)), dtype=np.float32)
        small = probes.astype(np.int8)  # ranks below 64; 256 differences stay below 2^15
        for row, template in enumerate(templates.astype(np.int8)):
            distances[row] = np.abs(small - template).sum(axis=1, dtype=np.int16)
        return -distances


BASELINE: Final = "insecure_plain"
LITERATURE: Final = negative.RecordParameters(length=1024, probabilities=(0.7, 0.24, 0.06))
"""The parameters argued hard to invert; they match badly and still fall to belief propagation."""

PROTECTIONS: Final[dict[str, Callable[[], Protection]]] = {
    "insecure_plain": Plain,
    "homomorphic": Homomorphic,
    "ranking": Ranking,
    "negative": Negative,
    "ranking_published": PublishedRanking,
    "negative_published": lambda: Negative("negative_published", LITERATURE, published=True),
}


def known(names: Sequence[str]) -> tuple[str, ...]:
    """Give the names back; raises :class:`UnknownScheme` where one is no protection."""
    for name in names:
        if name not in PROTECTIONS:
            raise UnknownScheme(got=name, expected=", ".join(PROTECTIONS))
    return tuple(names)


def record_weights(parameters: negative.RecordParameters, generator: np.random.Generator) -> Matrix:
    """How much more often each position (length,) is specified rightly than wrongly by one K-hidden database.

    The same draw as :func:`veilface.protect.negative.k_hidden`, without records and their order: counts are all that
    is stored of them.
    """
    one, two, _ = parameters.probabilities
    length, wanted = parameters.length, parameters.records
    first, second, third = generator.integers(0, length, (negative.SPECIFIED, wanted + wanted // 16 + 64))
    kept = np.flatnonzero((first != second) & (first != third) & (second != third))[:wanted]
    chance = generator.random(wanted)
    specified = np.concatenate([first[kept], second[kept], third[kept]])
    wrong = np.concatenate([first[kept], second[kept[chance >= one]], third[kept[chance >= one + two]]])
    counts = np.bincount(specified, minlength=length) - 2 * np.bincount(wrong, minlength=length)
    return counts.astype(np.float32)


@cache
def ciphertext_noise() -> Reals:
    """What real encryptions of zero open to: whole numbers, float64 (49,152)."""
    secret, public = generate_key()
    key = PublicKey(public)
    opened = [DATA.inverse(open_by_seal(secret, encrypt_zero(key)))[0] for _ in range(_NOISE_CIPHERTEXTS)]
    return np.concatenate(opened).astype(np.float64)


@lru_cache(maxsize=_TOKENS_AT_HAND)
def _ranking_transform(token: bytes) -> Transform:
    return ranking.ranking_transform(token, salt=SALT)


@lru_cache(maxsize=_TOKENS_AT_HAND)
def _negative_transform(token: bytes, parameters: negative.RecordParameters) -> Transform:
    return negative.negative_transform(token, salt=SALT, parameters=parameters)


@lru_cache(maxsize=_TOKENS_AT_HAND)
def _published_transform(token: bytes) -> Transform:
    return keyed_transform(token, salt=SALT, info=b"veilface published ranking", blocks=PublishedRanking.length // 128)


@lru_cache(maxsize=_TOKENS_AT_HAND)
def _rows_protected(secret: Transform) -> list[int]:  # noqa: ARG001 – the key of the cache
    """How many rows a transform has seen: one number, counted up in place."""
    return [0]


@lru_cache(maxsize=_TOKENS_AT_HAND)
def _matrix(secret: Transform) -> Reals:
    return secret.matrix().T


def _outputs(secret: Transform, embeddings: Embeddings) -> NDArray[np.int32]:
    """``secret.apply``; once it pays, as a product of matrices, which is exact too."""
    worn = _rows_protected(secret)
    worn[0] += len(embeddings)
    if worn[0] < _WORTH_A_MATRIX:
        return secret.apply(embeddings)
    return (quantise(embeddings).astype(np.float64) @ _matrix(secret)).astype(np.int32)
