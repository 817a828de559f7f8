"""What a query hides behind, by every instruction set of this machine: what it should be, and NumPy's own words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.ways import FEW, NAMES, SEEDS, WAYS, go, words
from veilface.kernel import slots
from veilface.match import masking, plain_masking
from veilface.match.masking import Places, Zeros
from veilface.protect.gallery import (
    RESULT,
    SCAN,
    SCAN_OFFSET,
    SHARE_OFFSET,
    SHARES_A_COSINE,
    SLOTS,
    GallerySecretKey,
    open_results,
    open_scan,
    share,
)
from veilface.protect.stream import Stream

N = RESULT[0].n
SECRET = GallerySecretKey(GallerySecretKey.generate())
PUBLIC = SECRET.public_key()


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return go(monkeypatch, masking, request.param, plain_masking)


def zeros(seed: int, count: int, n: int) -> Zeros:
    return Zeros.draw(count, n, Stream(seed.to_bytes(32, "big")))


def places(seed: int, pairs: int) -> Places:
    """Two places a pair, of which all but the first two have no empty slot; every edge of the factors."""
    rng, shape = np.random.default_rng(seed), (2 * pairs, SLOTS)
    live = rng.random(shape) < 0.8
    live[2:] = True
    factors = np.exp2(rng.uniform(19, 55, shape))
    factors[:, :64] = np.exp2(55)
    return Places(
        factors=factors,
        dither=rng.random(shape),
        decoys=np.where(live, 0, rng.uniform(1, 400, shape)),
        live=live,
        shares=rng.integers(0, 1 << 12, shape, np.uint16),
        rotations=rng.integers(0, 4096, 2 * pairs),
    )


@FEW
@given(SEEDS, st.integers(1, 5))
def test_masks_are_the_uniform_number_and_zeros(seed: int, count: int) -> None:
    uniform = words(np.random.default_rng(seed), count, SLOTS, prime=SCAN.prime)
    made, shares = np.empty((2, count, 3, SLOTS), np.uint32), np.empty((2, count, SLOTS), np.uint16)
    masking.masks(uniform, PUBLIC.scan, zeros(seed, count, SLOTS), made[0], shares[0])
    assert (shares[0] == share(uniform.astype(np.int64))).all()
    opened = open_scan(made[0], SECRET.scan).astype(np.int64) - uniform - SCAN_OFFSET
    noise = (opened + SCAN.prime // 2) % SCAN.prime - SCAN.prime // 2
    assert np.abs(noise).max() < 1 << 18
    drawn = zeros(seed, count, SLOTS)
    tables = (np.zeros(0, np.uint32),) * 2
    plain_masking.mask_places(
        uniform, SCAN_OFFSET, PUBLIC.scan, drawn.secrets, drawn.errors, *tables, made[1], shares[1], 1, 0
    )
    assert (made[0] == made[1]).all()


@FEW
@given(SEEDS, st.integers(1, 3))
def test_every_way_makes_the_same_factors(seed: int, pairs: int) -> None:
    made = [np.empty((2, pairs, count, 3, N), np.uint32) for count in (4, 3)]
    for attempt, door in enumerate((masking._KERNEL, plain_masking)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(masking, "_KERNEL", door)
            drawn, out = zeros(seed, pairs, N), (made[0][attempt], made[1][attempt])
            masking.factors(places(seed, pairs), threshold=0.3, key=PUBLIC.result, zeros=drawn, out=out)
    assert all((both[0] == both[1]).all() for both in made)


def test_sums_open_to_what_the_shares_are_less() -> None:
    """−ρ·(r′ + V′ + σθ′ + dither) in live slots and −ρ·decoy in empty ones, to rounding and the zeros' noise."""
    taken = places(3, 1)
    made = [np.empty((1, count, 3, N), np.uint32) for count in (4, 3)]
    masking.factors(taken, threshold=0.3, key=PUBLIC.result, zeros=zeros(3, 1, N), out=(made[0], made[1]))
    real, imaginary = slots.values(open_results(made[1], SECRET.result))
    source = (np.arange(SLOTS) - taken.rotations[:, None]) % SLOTS
    signs = 1 - 2 * ((source + taken.rotations[:, None]) // SLOTS % 2)
    offset = taken.shares + SHARE_OFFSET + signs * (0.3 * SHARES_A_COSINE) + taken.dither - 0.5
    expected = -512 * taken.factors * np.where(taken.live, signs * offset, taken.decoys)
    near = np.abs(np.stack([real[0], imaginary[0]]) - expected) / (512 * taken.factors)
    assert near.max() < 1
