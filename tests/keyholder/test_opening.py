"""What the key holder opens, by every instruction set of this machine: what it should be, and NumPy's own words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.ways import FEW, NAMES, SEEDS, WAYS, go, words
from veilface.kernel import slots
from veilface.kernel.roots import Words
from veilface.keyholder import opening, plain_opening
from veilface.protect.gallery import (
    RESULT,
    SCAN,
    SHARE_MODULUS,
    SLOT_SCALE,
    SLOTS,
    WRAP,
    GallerySecretKey,
    open_results,
    seeded_results,
)
from veilface.protect.stream import Stream

N = RESULT[0].n
KEY = GallerySecretKey(GallerySecretKey.generate())


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return go(monkeypatch, opening, request.param, plain_opening)


def trivially(coefficients: Words) -> Words:
    """Ciphertexts (…, 3, 2048) that anybody can open: those of the coefficients themselves, and zeros."""
    zeros = np.zeros_like(coefficients)
    return np.stack([SCAN.forward(coefficients.astype(np.int64)), zeros, zeros], axis=-2)


def test_shares_are_rounded_and_encrypted_with_their_wrap_bits() -> None:
    """Every edge of the rounding, and of the wrap, by Python's integers."""
    edges = [
        (2 * step + 1) * SCAN.prime // (2 * SHARE_MODULUS) + off for step in range(SHARE_MODULUS) for off in (0, 1)
    ]
    coefficients = np.zeros((4, SLOTS), np.uint32)
    coefficients.reshape(-1)[:] = edges
    second, noise = seeded_results(bytes(32), 2), np.zeros((2, 2, N), np.int8)
    first = opening.reshared(KEY, trivially(coefficients), second, noise)
    drawn = np.moveaxis(second, 0, 2)
    polynomials = open_results(np.stack([first, drawn, np.zeros_like(drawn)], axis=2).reshape(4, 3, 3, N), KEY.result)
    real, imaginary = slots.values(polynomials.reshape(2, 2, N))
    found = np.rint(np.stack([real, imaginary], axis=2) / SLOT_SCALE)
    shares = [(value * 2 * SHARE_MODULUS + SCAN.prime) // (2 * SCAN.prime) % SHARE_MODULUS for value in edges]
    assert found[:, 0].reshape(-1).tolist() == shares
    assert found[:, 1].reshape(-1).tolist() == [SHARE_MODULUS * (share < WRAP) for share in shares]


@FEW
@given(SEEDS, st.integers(1, 3))
def test_every_way_makes_the_same_words(seed: int, pairs: int) -> None:
    rng = np.random.default_rng(seed)
    shares = words(rng, 2 * pairs, 3, SCAN.n, prime=SCAN.prime)
    second, noise = seeded_results(rng.bytes(32), pairs), Stream(rng.bytes(32)).errors((pairs, 2, N))
    expected = np.empty((pairs, 2, 3, N), np.uint32)
    tables = (np.zeros(0, np.uint32),) * 4
    plain_opening.reshare(shares, KEY.scan, KEY.result, *tables, slots.TURNS, second, noise, expected, 1, 0)
    assert (opening.reshared(KEY, shares, second, noise) == expected).all()


@FEW
@given(SEEDS, st.integers(1, 3))
def test_answers_are_the_slots_of_what_is_encrypted(seed: int, pairs: int) -> None:
    """To the last bit of NumPy's, and to rounding of what went in: numbers up to half of the modulus."""
    rng = np.random.default_rng(seed)
    integers = [[int(value) << 28 for value in row] for row in rng.integers(-(2**46), 2**46, (pairs, N))]
    straight, turned = (np.stack([words(rng, pairs, N, prime=ring.prime) for ring in RESULT], 1) for _ in range(2))
    blinded = np.empty((pairs, 3, 3, N), np.uint32)
    for row, ring in enumerate(RESULT):
        message = ring.forward(np.array([[value % ring.prime for value in values] for values in integers]))
        secret = KEY.result[row].astype(object)
        masked = message.astype(object) - straight[:, row].astype(object) * secret
        blinded[:, 0, row] = (masked - turned[:, row].astype(object) * secret[::-1]) % ring.prime
    blinded[:, 1], blinded[:, 2] = straight, turned
    found = opening.answers(KEY, blinded)
    assert (found == np.stack(slots.values(open_results(blinded, KEY.result)), axis=1).reshape(-1, SLOTS)).all()
    real, imaginary = slots.values(np.array(integers, np.float64))
    largest = np.abs(found).max()
    assert np.abs(found[0::2] - real).max() < 1e-12 * largest
    assert np.abs(found[1::2] - imaginary).max() < 1e-12 * largest


@pytest.mark.parametrize("way", WAYS[1:], ids=NAMES[1:], indirect=True)
def test_shapes_are_checked(way: str) -> None:
    assert way != "numpy"  # which checks its own
    second, noise = seeded_results(bytes(32), 1), np.zeros((1, 2, N), np.int8)
    with pytest.raises(ValueError, match="shares"):
        opening.reshared(KEY, np.zeros((1, 3, SLOTS), np.uint32), second, noise)
    with pytest.raises(ValueError, match="noise"):
        opening.reshared(KEY, np.zeros((2, 3, SLOTS), np.uint32), second, noise[..., :SLOTS].copy())
    with pytest.raises(ValueError, match="blinded"):
        opening.answers(KEY, np.zeros((1, 2, 3, N), np.uint32))
