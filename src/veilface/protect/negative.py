"""The negative database: a keyed bit string, stored as counts over patterns that it does not match.

A record names K = 3 positions and a value for each, at least one of them wrong, so no record matches the hidden
string (Esponda et al., IJIS 6:403–415, 2007; K-hidden: Zhao, Luo, Liu, Yue 2015, doi 10.1109/AISW.2015.7469244).
Matching needs only how often each position was specified as 1 and as 0 (Negative Iris Recognition, IEEE TDSC 15(1)
2018); only their difference is stored. The records reveal the bit string without the token: the protection is the
token. ``web/src/protect/negative.ts`` mirrors this file.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.protect.errors import MalformedTemplate, OneParity, RecordsOutOfRange
from veilface.protect.transform import DIMENSION, Outputs, Transform, keyed_transform

INFO: Final = b"veilface negative 1"
SPECIFIED: Final = 3
_CANDIDATE_BYTES: Final = 16
_DRAWS: Final = 1 << 32
_COUNT_MAX: Final = 127
# Of 300 sets of records the largest count was 24, and the squares came to 55,164 … 61,392: chance goes nowhere near.
_STORED_MAX: Final = 40
_SQUARES_MAX: Final = 100_000

Bits = NDArray[np.uint8]
Counts = NDArray[np.int8]
Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordParameters:
    """⌈length·ratio⌉ records; each has t = 1, 2 or 3 wrong values with these probabilities.

    Raises :class:`RecordsOutOfRange` where probabilities do not add up to one, or leave so many wrong values that
    the counts no longer point to the string.
    """

    length: int = 2048
    ratio: float = 4.5
    probabilities: tuple[float, float, float] = (0.95, 0.03, 0.02)

    def __post_init__(self) -> None:
        proper = min(self.probabilities) >= 0 and math.isclose(sum(self.probabilities), 1, abs_tol=1e-9)
        if not proper or self.wrong_share >= 1 / 2:
            raise RecordsOutOfRange(got=str(self.probabilities), expected="sum 1, Σ t·p_t < 3/2")
        if not SPECIFIED <= self.length <= 255 * DIMENSION or not 0 < self.ratio <= 1000:  # noqa: PLR2004
            raise RecordsOutOfRange(got=f"{self.length} × {self.ratio}", expected=f"3…{255 * DIMENSION} × 0…1000")

    @property
    def records(self) -> int:
        """How many records hide one string."""
        return math.ceil(self.length * self.ratio)

    @property
    def wrong_share(self) -> float:
        """Pd = Σ t·p_t / 3: the share of specified values that differ from the hidden string."""
        return sum(wrong * p for wrong, p in enumerate(self.probabilities, start=1)) / SPECIFIED

    @property
    def template_bytes(self) -> int:
        """Bytes of the stored counts."""
        return self.length

    @property
    def probe_bytes(self) -> int:
        """Bytes of a probe's bits."""
        return math.ceil(self.length / 8)


DEFAULT: Final = RecordParameters()


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """``positions`` uint16 (n, 3), rising within a record, and the ``values`` uint8 (n, 3) specified there."""

    positions: NDArray[np.uint16]
    values: Bits

    def counts(self, length: int) -> Counts:
        """Int8 c = n1 − n0 (length,): how often each position is specified as 1, less how often as 0.

        Raises :class:`RecordsOutOfRange` where a count does not fit (ratios far above the default).
        """
        signs = 2 * self.values.astype(np.int64) - 1
        counts = np.bincount(self.positions.reshape(-1), weights=signs.reshape(-1), minlength=length)
        if np.abs(counts).max() > _COUNT_MAX:
            raise RecordsOutOfRange(got=f"{np.abs(counts).max():.0f}", expected=f"counts ≤ {_COUNT_MAX}")
        return counts.astype(np.int8)


def refuse_weak(parameters: RecordParameters) -> RecordParameters:
    """Give the parameters back; raises :class:`OneParity` where every record has the same parity of wrong values.

    Each record is then one linear equation over GF(2), and elimination solves for the string exactly.
    """
    one, two, three = parameters.probabilities
    if two == 0 or one + three == 0:
        raise OneParity(got=str(parameters.probabilities), expected="p1 + p3 > 0, p2 > 0")
    return parameters


def negative_transform(token: bytes, *, salt: bytes, parameters: RecordParameters = DEFAULT) -> Transform:
    """The keyed transform of this protection.

    Raises :class:`UnusableToken`, or :class:`RecordsOutOfRange` where the length is not a multiple of 128.
    """
    if parameters.length % DIMENSION:
        raise RecordsOutOfRange(got=parameters.length, expected=f"{DIMENSION}·n")
    return keyed_transform(token, salt=salt, info=INFO, blocks=parameters.length // DIMENSION)


def sign_bits(outputs: Outputs) -> Bits:
    """1 where an output is above zero: uint8, the shape of ``outputs``."""
    return (outputs > 0).astype(np.uint8)


def k_hidden(bits: Bits, *, parameters: RecordParameters = DEFAULT, randomness: Randomness = os.urandom) -> Records:
    """Records that hide ``bits``; make them once an enrolment, as a second set would let a thief average.

    A candidate is 16 bytes, four little-endian u32: the first chooses how many values are wrong, the others the
    positions (modulo the length; the uneven rest above the last full multiple is refused), of which the first ones
    are the wrong ones. A candidate with a repeated position is dropped whole.
    """
    kept, missing = [], parameters.records
    while missing > 0:
        drawn = np.frombuffer(randomness(_CANDIDATE_BYTES * missing), "<u4").reshape(-1, 4)
        kept.append(drawn[_usable(drawn[:, 1:], parameters.length)])
        missing -= len(kept[-1])
    return _records(bits, np.concatenate(kept), parameters)


def negative_score(probe: Bits, counts: Counts) -> int:
    """Σ c·(2x − 1): the more, the nearer ``probe`` is to the hidden string."""
    return int(counts.astype(np.int64) @ (2 * probe.astype(np.int64) - 1))


def estimated_distance(score: int, *, parameters: RecordParameters = DEFAULT) -> float:
    """The share of differing bits that a score stands for: (n_diff/(nK) − Pd)/(1 − 2Pd).

    Its standard deviation is about √(Pd(1−Pd)/(nK)) / |1−2Pd|.
    """
    specified = SPECIFIED * parameters.records
    differing = (specified - score) / 2
    return (differing / specified - parameters.wrong_share) / (1 - 2 * parameters.wrong_share)


def parse_counts(data: bytes) -> Counts:
    """Read stored counts of the default size, int8 (2048,).

    Raises :class:`MalformedTemplate` for another length, or counts that no records of that size have: more specified
    values than records, or few positions that count for much. Such a forged template would score high against many.
    """
    if len(data) != DEFAULT.template_bytes:
        raise MalformedTemplate(got=f"{len(data)} B", expected=f"{DEFAULT.template_bytes} B")
    counts = np.frombuffer(data, np.int8)
    sizes = np.abs(counts.astype(np.int64))
    for what, got, most in (
        ("Σ|c|", sizes.sum(), SPECIFIED * DEFAULT.records),
        ("|c|", sizes.max(), _STORED_MAX),
        ("Σc²", sizes @ sizes, _SQUARES_MAX),
    ):
        if got > most:
            raise MalformedTemplate(got=f"{what} = {got}", expected=f"{what} ≤ {most}")
    return counts


def pack_bits(bits: Bits) -> bytes:
    """A probe on the wire: eight bits a byte, least significant first (256 B by default)."""
    return np.packbits(bits, bitorder="little").tobytes()


def parse_bits(data: bytes, *, parameters: RecordParameters = DEFAULT) -> Bits:
    """Read what :func:`pack_bits` wrote; raises :class:`MalformedTemplate` for another length."""
    if len(data) != parameters.probe_bytes:
        raise MalformedTemplate(got=f"{len(data)} B", expected=f"{parameters.probe_bytes} B")
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=parameters.length)


def _usable(drawn: NDArray[np.uint32], length: int) -> NDArray[np.bool_]:
    """Which candidates name three different positions, each drawn evenly."""
    even = (drawn < _DRAWS // length * length).all(axis=1)
    first, second, third = (drawn % np.uint32(length)).T
    usable: NDArray[np.bool_] = even & (first != second) & (first != third) & (second != third)
    return usable


def _records(bits: Bits, drawn: NDArray[np.uint32], parameters: RecordParameters) -> Records:
    one, two, _ = parameters.probabilities
    chance = drawn[:, :1] / _DRAWS
    wrong = 1 + (chance >= one).astype(np.uint8) + (chance >= one + two)
    positions = drawn[:, 1:] % np.uint32(parameters.length)
    values = bits[positions] ^ (np.arange(SPECIFIED) < wrong)
    # The order of drawing tells which values are wrong; the order of positions, which sorts these pairs, nothing.
    pairs = np.sort(2 * positions + values, axis=1)
    return Records((pairs >> 1).astype(np.uint16), (pairs & 1).astype(np.uint8))
