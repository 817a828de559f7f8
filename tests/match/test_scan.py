"""The kernel, by every instruction set of this machine and in NumPy, against Python's integers."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from veilface.match import kernel, plain_scan, scan
from veilface.match.roots import Words, forward_roots, inverse_roots
from veilface.match.scan import PRIME, N
from veilface.protect.ring import KEY

SCAN_AND_RESULT_PRIMES = (PRIME, 67084289, 67043329, 66994177)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ways = [("numpy", 0)]
if (compiled := kernel.built()) is not None:
    ways += [(name, level) for level, name in enumerate(kernel.LEVELS[: compiled.best_level() + 1])]


@pytest.fixture(params=ways, ids=[name for name, _ in ways], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name, level = request.param
    monkeypatch.setattr(scan, "_KERNEL", plain_scan if name == "numpy" else compiled)
    monkeypatch.setattr(scan, "_LEVEL", level)
    return str(name)


def words(rng: np.random.Generator, *shape: int, prime: int = PRIME) -> Words:
    return rng.integers(0, prime, shape, np.uint32)


def sums(templates: Words, probe: Words) -> list[NDArray[np.object_]]:
    """The three components for one block of ciphertexts (d, 2, 2048), in Python's integers."""
    (t0, t1), (p0, p1) = (side.astype(object).swapaxes(0, 1) for side in (templates, probe))
    return [part.sum(axis=0) % PRIME for part in (t0 * p0, t0 * p1 + t1 * p0, t1 * p1)]


@few
@given(seeds, st.sampled_from([1, 7, 8, 9, 24]), st.integers(1, 3), st.integers(1, 4))
def test_a_scan_sums_exact_products(seed: int, dimensions: int, blocks: int, threads: int) -> None:
    rng = np.random.default_rng(seed)
    gallery, probe = words(rng, blocks, dimensions, 2, N), words(rng, dimensions, 2, N)
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
        pattern, probe = words(rng, dimensions, 2, N), words(rng, dimensions, 2, N)
        gallery = np.stack([np.roll(pattern, 16 * block, axis=-1) for block in range(blocks)])
        found = scan.scan(scan.arranged(gallery), scan.arranged(probe), threads=3)
        for block in (0, blocks // 2, blocks - 1):
            some = slice(block, None, 67)
            assert (found[block, :, some] == np.stack(sums(gallery[block, ..., some], probe[..., some]))).all()


def test_arrangement_is_undone() -> None:
    blocks = words(np.random.default_rng(2), 2, 3, 2, N)
    assert scan.arranged(blocks).shape == (2, 128, 3, 2, 16)
    assert (scan.restored(scan.arranged(blocks)) == blocks).all()


def test_a_scan_writes_where_it_is_told() -> None:
    rng = np.random.default_rng(3)
    gallery, probe = scan.arranged(words(rng, 1, 4, 2, N)), scan.arranged(words(rng, 4, 2, N))
    out = np.zeros((1, 3, N), np.uint32)
    assert scan.scan(gallery, probe, out=out) is out
    assert out.any()


def test_reading_reads_everything() -> None:
    read = words(np.random.default_rng(4), 300_001)
    assert scan.read(read, threads=2) == int(np.bitwise_xor.reduce(read))


@pytest.mark.skipif(compiled is None, reason="there is no kernel to protect")
def test_the_kernel_refuses_what_does_not_fit() -> None:
    assert compiled is not None
    gallery, probe, out = (np.zeros(shape, np.uint32) for shape in ((1, 128, 2, 2, 16), (128, 2, 2, 16), (1, 3, N)))
    for wrong in (
        (gallery[:, :, :1], probe, out),
        (gallery.astype(np.uint64), probe, out),
        (gallery, probe[:, :1].copy(), out),
        (gallery, probe, out[:, :2].copy()),
        (gallery[:, :64].copy(), probe, out),
    ):
        with pytest.raises((TypeError, ValueError)):
            compiled.scan(list(wrong[0]), *wrong[1:], 1, 0)
    with pytest.raises(ValueError, match="instructions"):
        compiled.scan(list(gallery), probe, out, 1, 99)
    with pytest.raises(ValueError, match="four bytes"):
        compiled.uniform(bytes(7), 7, 5, np.zeros(2, np.uint32))


# --- transforms ---


@few
@given(seeds, st.sampled_from([2048, 4096]), st.sampled_from(SCAN_AND_RESULT_PRIMES), st.data())
def test_a_word_is_the_value_at_its_root(seed: int, n: int, prime: int, data: st.DataObject) -> None:
    coefficients = words(np.random.default_rng(seed), n, prime=prime)
    index = data.draw(st.integers(0, n - 1))
    root = int(forward_roots(prime, n).powers[n // 2])
    point = pow(root, 2 * int(f"{index:0{n.bit_length() - 1}b}"[::-1], 2) + 1, prime)
    value = 0
    for coefficient in coefficients[::-1].tolist():
        value = (value * point + coefficient) % prime
    assert int(scan.forward(coefficients, prime=prime)[index]) == value


@few
@given(seeds, st.sampled_from([2048, 4096]), st.sampled_from(SCAN_AND_RESULT_PRIMES))
def test_inverse_undoes_forward(seed: int, n: int, prime: int) -> None:
    residues = words(np.random.default_rng(seed), 2, 2, n, prime=prime)
    assert (scan.inverse(scan.forward(residues, prime=prime), prime=prime) == residues).all()


def test_the_order_is_that_of_the_ring() -> None:
    coefficients = np.random.default_rng(5).integers(-1000, 1000, 4096)
    for prime, expected in zip(KEY.primes, KEY.forward(coefficients), strict=True):
        assert (scan.forward((coefficients % prime).astype(np.uint32), prime=prime) == expected).all()


@pytest.mark.parametrize("n", [2048, 4096])
def test_extremes_stay_exact(n: int) -> None:
    largest = np.full(n, PRIME - 1, np.uint32)
    assert (scan.inverse(scan.forward(largest)) == largest).all()
    assert (scan.forward(scan.inverse(largest)) == largest).all()


def test_roots_are_for_primes_that_have_them() -> None:
    for prime, n in ((PRIME, 2047), (1073741827, 2048), (2**31 - 1, 2)):
        with pytest.raises(ValueError, match="no transform"):
            forward_roots(prime, n)
    assert int(inverse_roots(PRIME, 2048).powers[0]) * 2048 % PRIME == 1


# --- samples ---


@few
@given(st.binary(min_size=0, max_size=240))
def test_samples_are_those_bytes(random: bytes) -> None:
    random = random[: len(random) // 12 * 12]
    whole = [int.from_bytes(random[i : i + 4], "little") & 0x3FFFFFFF for i in range(0, len(random), 4)]
    drawn = np.empty(len(whole), np.uint32)
    kept = scan._kernel().uniform(random, 0x3FFFFFFF, 7 << 27, drawn)
    assert drawn[:kept].tolist() == [word for word in whole if word < 7 << 27]
    digits = [byte >> shift & 3 for byte in random for shift in (0, 2, 4, 6)]
    small = np.empty(len(digits), np.int8)
    kept = scan._kernel().ternary(random, small)
    assert small[:kept].tolist() == [(0, 1, -1)[digit] for digit in digits if digit < 3]
    sixes = [int.from_bytes(random[i : i + 6], "little") for i in range(0, len(random), 6)]
    errors = np.empty(len(sixes), np.int8)
    scan._kernel().binomial(random, errors)
    assert errors.tolist() == [(s & 0x1FFFFF).bit_count() - (s >> 21 & 0x1FFFFF).bit_count() for s in sixes]


def assert_frequencies(counts: NDArray[np.int64], expected: NDArray[np.float64]) -> None:
    """χ² within six standard deviations, which chance passes but once in 5·10^8."""
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    assert abs(chi_squared - (len(counts) - 1)) / math.sqrt(2 * (len(counts) - 1)) < 6


def test_samples_are_distributed_as_they_should_be() -> None:
    residues = scan.uniform(16, N)
    assert residues.shape == (16, N)
    assert int(residues.max()) < PRIME
    assert_frequencies(np.bincount(residues.reshape(-1) // (PRIME // 256 + 1), minlength=256), np.full(256, 128.0))
    ternary = scan.ternary(30_000)
    assert_frequencies(np.bincount(ternary + 1, minlength=3), np.full(3, 10_000.0))
    errors = scan.binomial(40_000)
    expected = 40_000 * np.array([math.comb(42, 21 + k) / 2**42 for k in range(-9, 10)])
    assert_frequencies(np.bincount(errors[np.abs(errors) < 10] + 9, minlength=19), expected)


def test_small_integers_become_residues() -> None:
    assert scan.residues(np.array([-21, -1, 0, 1, 21], np.int8)).tolist() == [PRIME - 21, PRIME - 1, 0, 1, 21]
