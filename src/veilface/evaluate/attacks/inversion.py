"""From protected values and a token (true or guessed) back to an embedding.

Everywhere ``matrix`` is the transform's, float32 (k, 128) with orthonormal columns: see :func:`unit_matrix`. Results
are unit vectors, float64 (128,).
"""

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.protect.published import BLOCK_BITS, BLOCKS
from veilface.protect.transform import DIMENSION, ROUNDS, Transform, hadamard

_PROJECTIONS: Final = 60
_SIGN_ROUNDS: Final = 120
_VALUES: Final = 1 << BLOCK_BITS

Reals = NDArray[np.float64]
Matrix = NDArray[np.float32]


def unit_matrix(transform: Transform) -> Matrix:
    """The transform's matrix, scaled so that its columns are orthonormal."""
    matrix = transform.matrix()
    return np.asarray(matrix / np.linalg.norm(matrix[:, 0]), dtype=np.float32)


def linear(values: NDArray[np.floating], matrix: Matrix) -> Reals:
    """The nearest embedding to values (k,) taken as outputs: the rotation undone and blocks averaged."""
    return _unit(values.astype(np.float32) @ matrix)


def undone(values: NDArray[np.floating], transform: Transform) -> Reals:
    """What :func:`linear` gives, of whole numbers (k,), step by step and without a matrix."""
    state = values.astype(np.int64).reshape(-1, DIMENSION)
    for turn in reversed(range(ROUNDS)):
        mixed = hadamard(state)
        state = np.empty_like(mixed)
        np.put_along_axis(state, transform.orders[:, turn], mixed, axis=1)
        state *= transform.signs[:, turn]
    return _unit(state.sum(axis=0).astype(np.float64))


def projections(ranks: NDArray[np.floating], matrix: Matrix, group: int) -> Reals:
    """Alternate between embeddings and outputs in the order that the ranks (k,) name (projections onto cones)."""
    order = np.argsort(ranks.reshape(-1, group), axis=1)
    embedding = linear(ranks, matrix)
    for _ in range(_PROJECTIONS):
        outputs = (matrix @ embedding.astype(np.float32)).astype(np.float64).reshape(-1, group)
        rising = _isotonic(np.take_along_axis(outputs, order, axis=1))
        np.put_along_axis(outputs, order, rising, axis=1)
        embedding = linear(outputs.reshape(-1), matrix)
    return embedding


def from_signs(signs: NDArray[np.floating], matrix: Matrix) -> Reals:
    """Binary iterative hard thresholding (Jacques et al. 2013, without sparsity): an embedding with these signs (k,).

    ``signs`` are ±1; their size may say how sure they are.
    """
    embedding, sure = linear(signs, matrix), np.abs(signs)
    step = 1 / np.sqrt(len(signs))
    for _ in range(_SIGN_ROUNDS):
        wrong = signs - sure * np.sign(matrix @ embedding.astype(np.float32))
        embedding = _unit(embedding + step * (wrong.astype(np.float32) @ matrix))
    return embedding


def bits_from_ranks(ranks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Read the keyed bits (1024,) off published bit ranks (256,).

    Equal blocks share a rank, and 64 blocks of four bits hold nearly all sixteen values: the order of the distinct
    ranks gives them away. Where some are missing, the rising assignment nearest to evenly spread values is taken.
    """
    values = np.concatenate([_block_values(group) for group in ranks.reshape(-1, BLOCKS)])
    shifts = np.arange(BLOCK_BITS - 1, -1, -1)
    return ((values[:, None] >> shifts) & 1).astype(np.uint8).reshape(-1)


def _block_values(ranks: NDArray[np.floating]) -> NDArray[np.int64]:
    distinct, where = np.unique(ranks, return_inverse=True)
    spread = distinct * _VALUES / BLOCKS
    choices = np.array(list(combinations(range(_VALUES), len(distinct))))
    best = choices[((choices - spread) ** 2).sum(axis=1).argmin()]
    return np.asarray(best[where], dtype=np.int64)


def _isotonic(values: Reals) -> Reals:
    """The nearest rising rows: max over starts a ≤ i of min over ends b ≥ i of the mean of a…b."""
    length = values.shape[1]
    sums = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    start, end = np.arange(length)[:, None], np.arange(1, length + 1)[None, :]
    means = (sums[:, None, 1:] - sums[:, :-1, None]) / np.maximum(end - start, 1)
    least = np.minimum.accumulate(means[..., ::-1], axis=2)[..., ::-1]
    return np.asarray(np.where(start < end, least, -np.inf).max(axis=1))


def _unit(vector: NDArray[np.floating]) -> Reals:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float64)
