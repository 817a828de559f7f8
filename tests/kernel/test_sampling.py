"""Random words as numbers, by every instruction set of this machine and in NumPy, against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.ways import COMPILED, FEW, NAMES, SEEDS, WAYS, go
from veilface.kernel import sampling, threads
from veilface.kernel.sampling import Octets
from veilface.protect import stream
from veilface.protect.stream import Stream

COUNTS = st.sampled_from([0, 1, 511, 512, 1300])


@pytest.fixture(params=WAYS, ids=NAMES, autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    return go(monkeypatch, sampling, request.param)


def octets(seed: int, count: int) -> Octets:
    return np.random.default_rng(seed).integers(0, 256, count, np.uint8)


@FEW
@given(SEEDS, COUNTS, st.sampled_from([2, 3, 1 << 16, 1073692673, 67084289, (1 << 31) + 1, 1 << 32]))
def test_numbers_are_the_upper_bits_of_words(seed: int, count: int, bound: int) -> None:
    drawn, out = octets(seed, 4 * count), np.zeros(count, np.uint32)
    places = sampling.narrow(drawn, bound, out)
    values = [word >> (32 - (bound - 1).bit_length()) for word in drawn.view(np.uint32).tolist()]
    assert out.tolist() == values
    assert places.tolist() == [place for place, value in enumerate(values) if value >= bound]


@FEW
@given(SEEDS, COUNTS, st.sampled_from([(1 << 32) + 1, 1 << 59, 10**12, (1 << 62) + 1, 1 << 63]))
def test_wide_numbers_too(seed: int, count: int, bound: int) -> None:
    drawn, out = octets(seed, 8 * count), np.zeros(count, np.int64)
    places = sampling.wide(drawn, bound, out)
    values = [word >> (64 - (bound - 1).bit_length()) for word in drawn.view(np.uint64).tolist()]
    assert out.tolist() == values
    assert places.tolist() == [place for place, value in enumerate(values) if value >= bound]


@FEW
@given(SEEDS, COUNTS)
def test_ternary_digits_come_from_octets_below_255(seed: int, count: int) -> None:
    drawn, out = octets(seed, count), np.zeros(count, np.int8)
    drawn[::7] = 255
    places = sampling.ternary(drawn, out)
    assert places.tolist() == [place for place, octet in enumerate(drawn.tolist()) if octet == 255]
    assert [digit for digit, octet in zip(out.tolist(), drawn.tolist(), strict=True) if octet < 255] == [
        octet % 3 - 1 for octet in drawn.tolist() if octet < 255
    ]


@FEW
@given(SEEDS, COUNTS)
def test_errors_count_ones_on_two_sides(seed: int, count: int) -> None:
    drawn, out = octets(seed, 8 * count), np.zeros(count, np.int8)
    assert not len(sampling.binomial(drawn, out))
    side = (1 << 21) - 1
    assert out.tolist() == [
        (word & side).bit_count() - (word >> 21 & side).bit_count() for word in drawn.view(np.uint64).tolist()
    ]


def numbers(stream: Stream) -> list[list[int]]:
    drawn = stream.words(0x90000000, 5000), stream.ternary(9001), stream.uniform(10**12, 3000), stream.errors(700)
    return [part.tolist() for part in drawn]


def test_a_seed_names_the_same_numbers_however_they_are_drawn(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By any kernel, on any number of threads, in one piece or several: what both sides know must be the same."""
    monkeypatch.setattr(threads, "here", lambda: 3)
    together = numbers(Stream(bytes(32)))
    monkeypatch.setattr(stream, "_SPAN", 1 << 12)
    assert numbers(Stream(bytes(32))) == together
    assert max(together[0]) < 0x90000000
    assert [sum(part) for part in together] == KNOWN


KNOWN = [6111656566377, -66, 1502449218487700, -15]
"""Sums of what every version has drawn from this seed."""


@pytest.mark.skipif(COMPILED is None, reason="there is no kernel to protect")
def test_the_kernel_refuses_what_does_not_fit() -> None:
    assert COMPILED is not None
    words, numbers, places = np.zeros(8, np.uint32), np.zeros(8, np.uint32), np.zeros(8, np.int64)
    for wrong in (
        (words, 0, 5, numbers[:4], places),
        (words, 0, 5, numbers, places[:4]),
        (words, 32, 5, numbers, places),
    ):
        with pytest.raises((TypeError, ValueError)):
            COMPILED.narrow(*wrong, 0)
    with pytest.raises((TypeError, ValueError)):
        COMPILED.binomial(words, np.zeros(8, np.int8), 0)
