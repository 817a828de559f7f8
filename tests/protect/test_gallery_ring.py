"""The rings, the randomness and the slots of gallery mode are what they say, exactly."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from veilface.kernel import slots
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import (
    RESULT,
    SCAN,
    SECRET_BYTES,
    SHARE_MODULUS,
    SHARE_OFFSET,
    SLOTS,
    WRAP,
    GallerySecretKey,
    require_words,
    result_zeros,
    scan_zeros,
    share,
)
from veilface.protect.stream import Integers, Stream
from veilface.protect.word_ring import WordRing, mirrored

RINGS = (SCAN, *RESULT)


def negacyclic(ring: WordRing, first: Integers, second: Integers, index: int) -> int:
    """One coefficient of a product, by big integers."""
    total = 0
    for place in range(ring.n):
        sign = 1 if place <= index else -1
        total += sign * int(first[place]) * int(second[(index - place) % ring.n])
    return total % ring.prime


@pytest.mark.parametrize("ring", RINGS, ids=lambda ring: str(ring.prime))
def test_a_product_of_words_is_the_product_of_polynomials(ring: WordRing) -> None:
    drawn = Stream().uniform(ring.prime, (2, ring.n))
    extreme = np.where(drawn % 2, ring.prime - 1, ring.prime // 2)
    for first, second in (drawn, extreme):
        words = ring.multiply(ring.forward(first), ring.forward(second)).astype(np.uint32)
        product = ring.inverse(words)
        for index in (0, 1, ring.n // 2, ring.n - 1):
            assert product[index] == negacyclic(ring, first, second, index)


@pytest.mark.parametrize("ring", RINGS, ids=lambda ring: str(ring.prime))
def test_turning_and_mirroring_move_coefficients(ring: WordRing) -> None:
    values = Stream().uniform(ring.prime, ring.n)
    words = ring.forward(values)
    assert (ring.inverse(words) == values).all()
    mirror = ring.inverse(np.ascontiguousarray(mirrored(words)))
    assert (mirror == np.concatenate([values[:1], -values[:0:-1] % ring.prime])).all()
    for power in (1, ring.n - 1, ring.n + 5, 2 * ring.n - 1):
        turned = ring.inverse(ring.multiply(words, ring.monomials(np.array(power))).astype(np.uint32))
        places = np.arange(ring.n) + power
        signs = 1 - 2 * (places // ring.n % 2)
        assert (turned[places % ring.n] == values * signs % ring.prime).all()


@given(st.lists(st.integers(-(2**33), 2**33), min_size=8, max_size=8))
@settings(max_examples=10)
def test_coefficients_of_any_size_are_taken_modulo_the_prime(values: list[int]) -> None:
    spread = np.resize(np.array(values, np.int64), SCAN.n)
    assert (SCAN.inverse(SCAN.forward(spread)) == spread % SCAN.prime).all()


def chi_squared(values: Integers, bound: int) -> float:
    """z of χ² over 256 bins."""
    counts = np.bincount(values.reshape(-1) * 256 // bound, minlength=256)
    expected = values.size / 256
    return float((((counts - expected) ** 2 / expected).sum() - 255) / math.sqrt(2 * 255))


@pytest.mark.parametrize("bound", [SCAN.prime, RESULT[2].prime, 1 << 59, 3])
def test_uniform_is_uniform_and_below_its_bound(bound: int) -> None:
    values = Stream().uniform(bound, 1 << 16)
    assert values.min() >= 0
    assert values.max() < bound
    scaled = values * 256 // bound if bound < 1 << 32 else values >> 51
    assert abs(chi_squared(scaled, 256)) < 6 or bound == 3
    assert len(np.unique(values)) == 3 or bound > 3


def test_a_seed_names_a_stream_and_no_seed_names_none() -> None:
    assert (Stream(bytes(32)).uniform(1000, 64) == Stream(bytes(32)).uniform(1000, 64)).all()
    assert (Stream().uniform(1 << 40, 64) != Stream().uniform(1 << 40, 64)).any()


def test_errors_secrets_and_orders() -> None:
    stream = Stream()
    errors, ternary = stream.errors(1 << 16), stream.ternary(1 << 16)
    assert abs(errors.std() - math.sqrt(10.5)) < 0.1
    assert abs(errors).max() <= 21
    assert abs(ternary.mean()) < 0.03
    assert set(np.unique(ternary)) == {-1, 0, 1}
    assert sorted(stream.permutation(500).tolist()) == list(range(500))
    assert 0 <= stream.fractions(1000).min() < stream.fractions(1000).max() < 1


def test_share_and_wrap_bit_give_the_value_back() -> None:
    """s = u − r + t·m·k over the integers, for every value a sound score can have and any mask (step 2)."""
    assert 2 * WRAP <= SHARE_MODULUS
    values = Stream().uniform(int(2 * SHARE_OFFSET * SCAN.prime / SHARE_MODULUS), 1 << 16)
    masks = Stream().uniform(SCAN.prime, 1 << 16)
    mine, theirs = share(masks), share((values + masks) % SCAN.prime)
    wraps = (mine >= SHARE_MODULUS - WRAP) & (theirs < WRAP)
    assert np.abs(theirs - mine + SHARE_MODULUS * wraps - values * SHARE_MODULUS / SCAN.prime).max() <= 1.001


def test_slots_multiply_one_by_one() -> None:
    stream = Stream()
    parts = [tuple((stream.fractions(SLOTS) - 0.5) * 2**11 for _ in range(2)) for _ in range(2)]
    first, second = (np.rint(slots.coefficients(*part)).astype(np.int64) for part in parts)
    assert np.abs(complex_slots(first) - (parts[0][0] + 1j * parts[0][1])).max() < 300
    ring = RESULT[0]
    words = ring.multiply(ring.forward(first), ring.forward(second)).astype(np.uint32)
    product = ring.inverse(words)
    product[2 * product > ring.prime] -= ring.prime
    assert np.abs(complex_slots(product) - complex_slots(first) * complex_slots(second)).max() < 1e-3
    mirror = np.concatenate([first[:1], -first[:0:-1]])
    assert np.abs(complex_slots(mirror) - complex_slots(first).conj()).max() < 1e-3


def complex_slots(polynomial: Integers) -> NDArray[np.complex128]:
    real, imaginary = slots.values(polynomial.astype(np.float64))
    return real + 1j * imaginary


def test_both_keys_open_what_their_public_keys_sealed() -> None:
    key = GallerySecretKey(GallerySecretKey.generate())
    public = key.public_key()
    assert (public.scan == key.public_key().scan).all(), "blocks are known by it"
    assert (public.result == key.public_key().result).all()
    messages = Stream().uniform(SCAN.prime, (2, SLOTS))
    stream = Stream()
    sealed = scan_zeros(public.scan, messages, stream.ternary((2, SLOTS)), stream.errors((2, 2, SLOTS)))
    opened = key.open_scan(np.concatenate([sealed, np.zeros((2, 1, SLOTS), np.uint32)], axis=1))
    noise = (opened - messages + SCAN.prime // 2) % SCAN.prime - SCAN.prime // 2
    assert 50 < noise.std() < 500
    zeros = result_zeros(public.result, stream.ternary((2, 4096)), stream.errors((2, 2, 4096)))
    noisy = key.open_results(np.concatenate([zeros, np.zeros_like(zeros[:, :1])], axis=1))
    assert 80 < noisy.std() < 700
    assert repr(key) == "GallerySecretKey(…)"


@pytest.mark.parametrize("packed", [bytes(SECRET_BYTES - 1), b"\2" * SECRET_BYTES])
def test_bytes_that_are_no_secret_are_refused(packed: bytes) -> None:
    with pytest.raises(MalformedCiphertext):
        GallerySecretKey(packed)


def test_words_of_another_shape_kind_or_size_are_refused() -> None:
    fitting = np.full((2, 3, SLOTS), SCAN.prime - 1, np.uint32)
    require_words(fitting, (2, 3, SLOTS), SCAN.prime)
    for wrong in (fitting + np.uint32(1), fitting[:1], fitting.astype(np.int64)):
        with pytest.raises(MalformedCiphertext):
            require_words(wrong, (2, 3, SLOTS), SCAN.prime)  # type: ignore[arg-type]
