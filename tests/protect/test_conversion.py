"""Hiding and opening coordinates, by every instruction set and in NumPy, against Python's integers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.ways import COMPILED, FEW, NAMES, SEEDS, WAYS
from veilface.protect import conversion, plain_conversion
from veilface.protect.conversion import Samples, mask, open_masked
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import MASK_BOUND, Masked
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.ring import DATA, KEY, SPECIAL_PRIME, N
from veilface.protect.rlwe import pack_words
from veilface.protect.stream import Integers, Stream
from veilface.protect.word_ring import WordRing, Words

RINGS = [WordRing(N, prime) for prime in KEY.primes]


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    name, level = request.param
    monkeypatch.setattr(conversion, "_KERNEL", plain_conversion if name == "numpy" else COMPILED)
    monkeypatch.setattr(conversion, "_LEVEL", level)


def some(seed: int, *, largest: bool = False) -> tuple[Words, Words, Samples]:
    """A ciphertext (2, 3, 4096) and a key (2, 4, 4096) of any words at all, and samples for one conversion."""
    rng = np.random.default_rng(seed)
    ciphertext, key = (
        np.stack([np.stack([rng.integers(0, p, N, np.uint32) for p in basis.primes]) for _ in range(2)])
        for basis in (DATA, KEY)
    )
    samples = Samples.draw(1, Stream(bytes(32)))
    if largest:
        ciphertext[:] = np.array(DATA.primes, np.uint32)[:, None] - 1
        key[:] = np.array(KEY.primes, np.uint32)[:, None] - 1
        samples.secrets[:], samples.errors[:], samples.masks[:] = -1, 21, MASK_BOUND - 1
    return ciphertext, key, samples


def wire(words: Words) -> bytes:
    return pack_words(words.astype(np.float64))


def combined(words: Words, primes: tuple[int, ...]) -> list[int]:
    """The polynomial in Python's integers, modulo the product of the primes, of NTT words (primes, 4096)."""
    modulus, total = math.prod(primes), np.zeros(N, object)
    for ring, row, prime in zip(RINGS, words, primes, strict=False):
        cofactor = modulus // prime
        total += ring.inverse(row).astype(object) * (cofactor * pow(cofactor, -1, prime))
    return [int(value % modulus) for value in total]


def product_coefficient(first: Integers, second: list[int], place: int) -> int:
    """One coefficient of a product modulo X^4096 + 1."""
    turned = second[place::-1] + [-value for value in second[:place:-1]]
    return sum(a * b for a, b in zip(first.tolist(), turned, strict=True))


@FEW
@given(SEEDS, st.booleans())
def test_what_is_hidden_is_the_sum_of_an_encryption_of_zero_and_masks(seed: int, largest: bool) -> None:  # noqa: FBT001
    ciphertext, key, samples = some(seed, largest=largest)
    first, second = mask([wire(ciphertext)], [wire(key)], samples)
    modulus, places = math.prod(KEY.primes), [0, 1, 127]
    for component, errors in enumerate((samples.errors[0][:DIMENSION], samples.errors[0][DIMENSION:])):
        keyed, given_ = combined(key[component], KEY.primes), combined(ciphertext[component], DATA.primes)
        for place in places:
            lifted = product_coefficient(samples.secrets[0], keyed, place) + int(errors[place])
            value = (lifted % modulus + SPECIAL_PRIME // 2) // SPECIAL_PRIME + given_[place]
            if component == 0:
                found = [int(row[place]) for row in first[0]]
                value += int(samples.masks[0, place])
            else:
                found = [int(ring.inverse(row)[place]) for ring, row in zip(RINGS, second[0], strict=False)]
            assert found == [value % prime for prime in DATA.primes]


@FEW
@given(SEEDS, st.lists(st.integers(-MASK_BOUND, MASK_BOUND + (1 << 15)), min_size=1, max_size=8))
def test_every_integer_that_was_hidden_is_opened(seed: int, values: list[int]) -> None:
    rng = np.random.default_rng(seed)
    expected = np.resize(np.array(values, np.int64), DIMENSION)
    digits = rng.integers(0, 3, N)
    secret = np.where(digits == 2, -1, digits)
    second = np.stack([rng.integers(0, prime, N, np.uint32) for prime in DATA.primes])
    first = np.stack(
        [
            (expected - ring.inverse(ring.multiply(row, ring.forward(secret)).astype(np.uint32))[:128]) % ring.prime
            for ring, row in zip(RINGS, second, strict=False)
        ]
    ).astype(np.uint32)
    opened, sound = open_masked([packed(digits)], [Masked(key_fp=b"", first=first, second=second)])
    assert sound.all()
    assert opened[0].tolist() == expected.tolist()


def packed(digits: Integers) -> bytes:
    four = digits.reshape(-1, 4).astype(np.uint8) << np.array([0, 2, 4, 6], np.uint8)
    octets: bytes = four.sum(axis=1, dtype=np.uint8).tobytes()
    return octets


def test_several_at_once_are_each_their_own_on_any_number_of_threads() -> None:
    several = [some(seed) for seed in range(3)]
    samples = Samples.draw(3, Stream())
    together = mask([wire(c) for c, _, _ in several], [wire(k) for _, k, _ in several], samples, threads=3)
    for row, (ciphertext, key, _) in enumerate(several):
        own = Samples(**{name: getattr(samples, name)[row : row + 1] for name in ("secrets", "errors", "masks")})
        alone = mask([wire(ciphertext)], [wire(key)], own)
        assert all((one[row] == other[0]).all() for one, other in zip(together, alone, strict=True))


def test_malformed_bytes_and_words_are_refused() -> None:
    ciphertext, key, samples = some(1)
    good, good_key = wire(ciphertext), wire(key)
    high, zero = ciphertext.copy(), key.copy()
    high[1, 2, 5], zero[1] = DATA.primes[2], 0
    for wrong in ((good[:-1], good_key), (good, good_key + b"\0"), (wire(high), good_key), (good, wire(zero))):
        with pytest.raises(MalformedCiphertext):
            mask([wrong[0]], [wrong[1]], samples)
    first, second = (part[0] for part in mask([good], [good_key], samples))
    above, short, ternary = second.copy(), first[:, :64].copy(), bytes(1024)
    above[0, 4095] = DATA.primes[0]
    for one, other, secret in (
        (first, above, ternary), (short, second, ternary), (first, second.astype(np.int64), ternary),
        (first, second, b"\3" + bytes(1023)), (first, second, bytes(1023)),
    ):  # fmt: skip
        with pytest.raises(MalformedCiphertext):
            open_masked([secret], [Masked(key_fp=b"", first=one, second=other)])


def test_numbers_no_mask_can_have_made_are_told_apart() -> None:
    ciphertext, key, samples = some(2)
    first, second = (part[0] for part in mask([wire(ciphertext)], [wire(key)], samples))
    _, sound = open_masked([bytes(1024)], [Masked(key_fp=b"", first=first, second=second)])
    assert not sound.any()
