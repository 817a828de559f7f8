"""The matcher's two legs, by every instruction set of this machine and in NumPy, against plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.ways import FEW, NAMES, SEEDS, WAYS, go, words
from veilface.kernel.roots import Words
from veilface.match import legs, plain_legs
from veilface.protect.gallery import RESULT, SCAN

N = RESULT[0].n


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return go(monkeypatch, legs, request.param, plain_legs)


def residues(rng: np.random.Generator, *shape: int) -> Words:
    """Uniform words (…, 3, 4096)."""
    return np.stack([words(rng, *shape, N, prime=ring.prime) for ring in RESULT], axis=-2)


def turned(words: Words, power: int) -> Words:
    """The coefficients of X^power·p: moved up, with a change of sign for each time round."""
    coefficients = SCAN.inverse(words)
    there_and_back = np.concatenate([coefficients, (SCAN.prime - coefficients) % SCAN.prime], axis=-1)
    return np.roll(there_and_back, power, axis=-1)[..., : SCAN.n].astype(np.uint32)


@FEW
@given(SEEDS, st.integers(1, 5), st.sampled_from([0, 1, 2047, 2048, 4095]))
def test_scores_are_turned_and_masked_in_the_shuffled_order(seed: int, blocks: int, rotation: int) -> None:
    rng = np.random.default_rng(seed)
    places = blocks + blocks % 2
    scores, masks = words(rng, blocks, 3, SCAN.n, prime=SCAN.prime), words(rng, places, 3, SCAN.n, prime=SCAN.prime)
    order, rotations = rng.permutation(places), rng.integers(0, 4096, places)
    rotations[0] = rotation
    found = legs.hidden(scores, order, rotations, masks)
    for place, block in enumerate(order):
        less = (found[place].astype(np.int64) - masks[place]) % SCAN.prime
        expected = turned(scores[block], rotations[place]) if block < blocks else np.zeros((3, SCAN.n))
        assert (SCAN.inverse(less.astype(np.uint32)) == expected).all()


def test_the_largest_words_overflow_nothing() -> None:
    largest = np.full((1, 3, SCAN.n), SCAN.prime - 1, np.uint32)
    assert set(legs.hidden(largest, np.zeros(1, np.int64), np.zeros(1, np.int64), largest).flat) == {SCAN.prime - 2}
    results = np.broadcast_to(np.array([[ring.prime - 1] for ring in RESULT], np.uint32), (1, 4, 3, N)).copy()
    first, second = results[:, :2].copy(), np.moveaxis(results[:, :2], 2, 0).copy()
    for component, sum_ in enumerate(legs.blinded(first, second, results, results[:, :3].copy())[0]):
        assert (sum_ == (3 if component == 0 else 1)).all(), "four products of 1, or two, less one"


@FEW
@given(SEEDS, st.integers(1, 3))
def test_blinding_multiplies_both_parts(seed: int, pairs: int) -> None:
    rng = np.random.default_rng(seed)
    first, drawn, factors, sums = (residues(rng, pairs, count) for count in (2, 2, 4, 3))
    found = legs.blinded(first, np.ascontiguousarray(np.moveaxis(drawn, 2, 0)), factors, sums)
    assert found.shape == (pairs, 3, 3, N)
    for pair, row, word in zip(rng.integers(0, pairs, 40), rng.integers(0, 3, 40), rng.integers(0, N, 40), strict=True):
        mirrored = N - 1 - word
        alpha, beta, of_wraps, of_turned_wraps = (int(factor) for factor in factors[pair, :, row, word])
        (u, k), (turned_u, turned_k) = (first[pair, :, row, at].tolist() for at in (word, mirrored))
        (v, w), (turned_v, turned_w) = (drawn[pair, :, row, at].tolist() for at in (word, mirrored))
        expected = (
            alpha * u + of_wraps * k + beta * turned_u + of_turned_wraps * turned_k,
            alpha * v + of_wraps * w,
            beta * turned_v + of_turned_wraps * turned_w,
        )
        for component, total in enumerate(expected):
            whole = (total + int(sums[pair, component, row, word])) % RESULT[row].prime
            assert found[pair, component, row, word] == whole


@pytest.mark.parametrize("way", WAYS[1:], ids=NAMES[1:], indirect=True)
def test_shapes_are_checked(way: str) -> None:
    assert way != "numpy"  # which checks its own
    rng = np.random.default_rng(1)
    scores, places = words(rng, 1, 3, SCAN.n, prime=SCAN.prime), np.zeros(2, np.int64)
    with pytest.raises(ValueError, match="masks"):
        legs.hidden(scores, places, places, scores)
    with pytest.raises(ValueError, match="scores"):
        legs.hidden(scores[:, :2].copy(), places, places, scores)
    with pytest.raises(ValueError, match="second"):
        legs.blinded(residues(rng, 1, 2), residues(rng, 1, 2), residues(rng, 1, 4), residues(rng, 1, 3))
