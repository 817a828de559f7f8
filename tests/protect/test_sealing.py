"""Encryptions under the scan key, by every instruction set of this machine and in NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.ways import FEW, NAMES, SEEDS, WAYS, go, words
from veilface.protect import plain_sealing, sealing
from veilface.protect.word_ring import SCAN


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return go(monkeypatch, sealing, request.param, plain_sealing)


@FEW
@given(SEEDS, st.integers(1, 5))
def test_first_and_second_component_open_to_message_and_noise(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    messages = rng.integers(-(2**30) + 1, 2**30, (rows, SCAN.n))
    messages[0, :4] = 2**30 - 1, -(2**30) + 1, SCAN.prime - 1, 0
    noise = rng.integers(-21, 22, messages.shape, np.int8)
    second, secret = words(rng, rows, SCAN.n, prime=SCAN.prime), words(rng, SCAN.n, prime=SCAN.prime)
    first = sealing.sealed(messages, noise, second, secret)
    phase = (first + second.astype(object) * secret) % SCAN.prime
    assert (SCAN.inverse(phase.astype(np.uint32)) == (messages + noise) % SCAN.prime).all()


@pytest.mark.parametrize("way", WAYS[1:], ids=NAMES[1:], indirect=True)
def test_shapes_are_checked(way: str) -> None:
    assert way != "numpy"  # which checks its own
    rows = np.zeros((2, SCAN.n), np.uint32)
    with pytest.raises(ValueError, match="messages"):
        sealing.sealed(np.zeros((2, 2048), np.int64), np.zeros((1, 2048), np.int8), rows, rows[0])
    with pytest.raises(ValueError, match="second"):
        sealing.sealed(np.zeros((1, 2048), np.int64), np.zeros((1, 2048), np.int8), rows, rows[0])
