"""Scans, by every instruction set of this machine and in NumPy, against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.kernel.ways import COMPILED, FEW, NAMES, SEEDS, WAYS, go, words
from veilface.kernel.roots import Words
from veilface.match import scan
from veilface.match.scan import PRIME, N


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return go(monkeypatch, scan, request.param)


def sums(templates: Words, probe: Words) -> list[NDArray[np.object_]]:
    """The three components for one block of ciphertexts (d, 2, 2048), in Python's integers."""
    (t0, t1), (p0, p1) = (side.astype(object).swapaxes(0, 1) for side in (templates, probe))
    return [part.sum(axis=0) % PRIME for part in (t0 * p0, t0 * p1 + t1 * p0, t1 * p1)]


@FEW
@given(SEEDS, st.sampled_from([1, 7, 8, 9, 24]), st.integers(1, 3), st.integers(1, 4))
def test_a_scan_sums_exact_products(seed: int, dimensions: int, blocks: int, threads: int) -> None:
    rng = np.random.default_rng(seed)
    gallery, probe = words(rng, blocks, dimensions, 2, N, prime=PRIME), words(rng, dimensions, 2, N, prime=PRIME)
    found = scan.scan(scan.arranged(gallery), scan.arranged(probe), threads=threads)
    for block, templates in zip(found, gallery, strict=True):
        assert (block == np.stack(sums(templates, probe))).all()


def test_the_largest_words_overflow_nothing() -> None:
    largest = np.full((64, 2, N), PRIME - 1, np.uint32)
    found = scan.scan(scan.arranged(largest[None]), scan.arranged(largest))
    assert [set(np.unique(component)) for component in found[0]] == [{64}, {128}, {64}]


def test_many_blocks_and_dimensions_meet_their_own_words() -> None:
    """More blocks than a thread takes at a time, and more coordinates than stay in the cache."""
    rng = np.random.default_rng(1)
    for blocks, dimensions in ((40, 2), (2, 520)):
        pattern, probe = words(rng, dimensions, 2, N, prime=PRIME), words(rng, dimensions, 2, N, prime=PRIME)
        gallery = np.stack([np.roll(pattern, 16 * block, axis=-1) for block in range(blocks)])
        found = scan.scan(scan.arranged(gallery), scan.arranged(probe), threads=3)
        for block in (0, blocks // 2, blocks - 1):
            some = slice(block, None, 67)
            assert (found[block, :, some] == np.stack(sums(gallery[block, ..., some], probe[..., some]))).all()


def test_arrangement_is_undone() -> None:
    blocks = words(np.random.default_rng(2), 2, 3, 2, N, prime=PRIME)
    assert scan.arranged(blocks).shape == (2, 128, 3, 2, 16)
    assert (scan.restored(scan.arranged(blocks)) == blocks).all()


def test_a_scan_writes_where_it_is_told() -> None:
    rng = np.random.default_rng(3)
    gallery, probe = scan.arranged(words(rng, 1, 4, 2, N, prime=PRIME)), scan.arranged(words(rng, 4, 2, N, prime=PRIME))
    out = np.zeros((1, 3, N), np.uint32)
    assert scan.scan(gallery, probe, out=out) is out
    assert out.any()


def test_reading_reads_everything() -> None:
    read = words(np.random.default_rng(4), 300_001, prime=PRIME)
    assert scan.read(read, threads=2) == int(np.bitwise_xor.reduce(read))


@pytest.mark.skipif(COMPILED is None, reason="there is no kernel to protect")
def test_the_kernel_refuses_what_does_not_fit() -> None:
    assert COMPILED is not None
    gallery, probe, out = (np.zeros(shape, np.uint32) for shape in ((1, 128, 2, 2, 16), (128, 2, 2, 16), (1, 3, N)))
    for wrong in (
        (gallery[:, :, :1], probe, out),
        (gallery.astype(np.uint64), probe, out),
        (gallery, probe[:, :1].copy(), out),
        (gallery, probe, out[:, :2].copy()),
        (gallery[:, :64].copy(), probe, out),
    ):
        with pytest.raises((TypeError, ValueError)):
            COMPILED.scan(list(wrong[0]), *wrong[1:], 1, 0)
    with pytest.raises(ValueError, match="instructions"):
        COMPILED.scan(list(gallery), probe, out, 1, 99)
