"""Homomorphic protection: an embedding becomes the coefficients of an RLWE plaintext (protocol §2).

Template coefficient i is round(Δ·t_i); probe coefficient 127−i is round(Δ·x_i), so that coefficient 127 of the
product is Δ² times the cosine, and coefficient 0 of P(X)·P(X⁻¹) is Δ² times the squared length.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.protect.errors import UnusableEmbedding
from veilface.protect.ring import DATA, Integers, N, Residues
from veilface.protect.rlwe import PublicKey, encrypt, pack_words

DIMENSION: Final = 128
SCALE: Final = 1 << 15
RANGE_MAX: Final = 128
NORM_CENTRE: Final = 1.0017
NORM_SLACK: Final = 0.01
BLINDED_MAX: Final = 1 << 63
LENGTH_SLACK: Final = 1e-3

Embedding = NDArray[np.floating]


def encode_template(embedding: Embedding) -> Integers:
    """The int64 coefficients (4096,) of a template; raises :class:`UnusableEmbedding`."""
    coefficients = np.zeros(N, dtype=np.int64)
    coefficients[:DIMENSION] = _scaled(embedding)
    return coefficients


def encode_probe(embedding: Embedding) -> Integers:
    """The int64 coefficients (4096,) of a probe, in reverse order; raises :class:`UnusableEmbedding`."""
    coefficients = np.zeros(N, dtype=np.int64)
    coefficients[:DIMENSION] = _scaled(embedding)[::-1]
    return coefficients


def protect_template(embedding: Embedding, *, public_key: bytes) -> bytes:
    """Encrypt a unit embedding (128,) as a template under an account's key (98,304 B): 73,728 B."""
    return pack_words(encrypt(PublicKey(public_key), encode_template(embedding)))


def protect_probe(embedding: Embedding, *, public_key: bytes) -> bytes:
    """Encrypt a unit embedding (128,) as a probe under an account's key (98,304 B): 73,728 B."""
    return pack_words(encrypt(PublicKey(public_key), encode_probe(embedding)))


def coordinate_residues(coordinates: Integers) -> Residues:
    """NTT residues (3, 4096) of whole numbers (128,) below q/2 in size, such as masks, at the first coefficients."""
    residues = np.zeros((len(DATA.primes), N), np.int64)
    for row, prime in zip(residues, DATA.primes, strict=True):
        row[:DIMENSION] = (coordinates + prime // 2) % prime - prime // 2
    return DATA.forward(residues)


def _scaled(embedding: Embedding) -> Integers:
    """⌊Δ·x + ½⌋, the rounding that JavaScript shares."""
    if embedding.shape != (DIMENSION,):
        raise UnusableEmbedding(got=str(embedding.shape), expected=f"({DIMENSION},)")
    values = embedding.astype(np.float64)
    length = float(np.sqrt(np.sum(values * values)))
    if not abs(length - 1) <= LENGTH_SLACK:  # also true where a number is not finite
        raise UnusableEmbedding(got="length != 1", expected="length 1")
    return np.floor(values * SCALE + 0.5).astype(np.int64)
