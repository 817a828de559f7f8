"""Vectors that look like embeddings and belong to nobody, the same in every run."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from veilface.contract import DIMENSION

_SUMMANDS = 4


def unit_vectors(label: str, count: int) -> NDArray[np.float32]:
    """``count`` unit vectors, float32 (count, 128), nearly normal in every coordinate (sums of four uniforms)."""
    stream = hashlib.shake_128(label.encode()).digest(count * DIMENSION * _SUMMANDS)
    uniform = np.frombuffer(stream, np.uint8).reshape(count, DIMENSION, _SUMMANDS).astype(np.float64)
    vectors: NDArray[np.float64] = uniform.sum(axis=2) - _SUMMANDS * 127.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def at_cosine(cosine: float, base: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """The unit vector at exactly ``cosine`` to ``base`` in the direction of ``other``; float32 (128,)."""
    across: NDArray[np.float64] = other.astype(np.float64) - base * np.dot(other, base)
    across /= np.linalg.norm(across)
    mixed: NDArray[np.float64] = cosine * base + np.sqrt(1 - cosine**2) * across
    return mixed.astype(np.float32)
