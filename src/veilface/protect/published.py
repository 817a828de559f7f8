"""The protections as their papers published them: for fidelity and evaluation, never offered to a user.

Each of them is broken by an attack of :mod:`veilface.evaluate.attacks`; the forms in use are
:mod:`veilface.protect.ranking` and :mod:`veilface.protect.negative`. ``web/src/protect/published.ts`` mirrors this
file. A general negative database is a tuple of strings over ``0``, ``1`` and ``*``.
"""

import math
from typing import Final

import numpy as np

from veilface.protect.errors import GroupOutOfRange, RecordsOutOfRange
from veilface.protect.negative import SPECIFIED, Bits, Randomness, Records
from veilface.protect.transform import Integers

BLOCK_BITS: Final = 4
BLOCKS: Final = 64
_MOST_BLOCK_BITS: Final = 16
_MOST_BLOCKS: Final = 256


def bit_ranks(bits: Bits, key: Bits, *, block_bits: int = BLOCK_BITS, blocks: int = BLOCKS) -> Integers:
    """Local ranking of Zhao et al. 2018: int64 (…, bits // block_bits) of bits (…, bits).

    Bits XOR key, in blocks of ``block_bits`` as big-endian integers, in groups of ``blocks``; the rank is how many
    blocks of the group are smaller, so that equal blocks share the lower rank. Raises :class:`GroupOutOfRange`
    where groups do not fill the bits.
    """
    fits = 1 <= block_bits <= _MOST_BLOCK_BITS and 2 <= blocks <= _MOST_BLOCKS  # noqa: PLR2004 – a rank needs a rival
    if not fits or bits.shape[-1] % (block_bits * blocks):
        raise GroupOutOfRange(got=f"{block_bits} × {blocks}", expected=f"block_bits × blocks | {bits.shape[-1]}")
    weights = 1 << np.arange(block_bits - 1, -1, -1)
    numbers = ((bits ^ key).reshape(-1, blocks, block_bits) * weights).sum(axis=-1)
    ranks: Integers = (numbers[:, :, None] > numbers[:, None, :]).sum(axis=-1).reshape(*bits.shape[:-1], -1)
    return ranks


def rank_distance(probe: Integers, template: Integers) -> int:
    """The L1 distance of two rank vectors: the less, the more alike."""
    return int(np.abs(probe - template).sum())


def q_hidden_probabilities(q: float) -> tuple[float, float, float]:
    """p_t = C(3,t)·q^t / ((1+q)^3 − 1), with which K-hidden is q-hidden; raises :class:`RecordsOutOfRange`."""
    if not 0 < q < math.inf:
        raise RecordsOutOfRange(got=q, expected="q > 0")
    total = 3 * q + 3 * (q * q) + q * q * q
    return (3 * q / total, 3 * (q * q) / total, q * q * q / total)


def prefix_database(bits: Bits) -> tuple[str, ...]:
    """The prefix algorithm for one string (Esponda et al. 2007): one record a bit, complete, and read off at once."""
    text = "".join(map(str, bits))
    return tuple(f"{text[:i]}{'10'[int(bit)]}{'*' * (len(text) - i - 1)}" for i, bit in enumerate(text))


def complete_database(bits: Bits, *, randomness: Randomness) -> tuple[str, ...]:
    """Records of three values that hide exactly ``bits``: complete, where K-hidden alone also hides other strings.

    Positions are put in a random order. All seven wrong patterns of the first three positions are records; each
    later position gets one record that is wrong there and right at two random earlier positions, so that the
    string follows bit by bit. Sorted, so that the order tells nothing. Raises :class:`RecordsOutOfRange` below
    three bits.
    """
    length = len(bits)
    if length < SPECIFIED:
        raise RecordsOutOfRange(got=length, expected=f"≥ {SPECIFIED}")
    order = np.argsort(np.frombuffer(randomness(4 * length), "<u4"), kind="stable").tolist()
    patterns = [(order[:SPECIFIED], [wrong >> 2 & 1, wrong >> 1 & 1, wrong & 1]) for wrong in range(1, 8)]
    for index in range(SPECIFIED, length):
        first = int.from_bytes(randomness(4), "little") % index
        second = (first + 1 + int.from_bytes(randomness(4), "little") % (index - 1)) % index
        patterns.append(([order[first], order[second], order[index]], [0, 0, 1]))
    return tuple(sorted(_record(length, positions, bits[positions] ^ wrong) for positions, wrong in patterns))


def as_strings(records: Records, length: int) -> tuple[str, ...]:
    """Records of three values as strings over ``0``, ``1`` and ``*``."""
    pairs = zip(records.positions.tolist(), records.values, strict=True)
    return tuple(_record(length, positions, values) for positions, values in pairs)


def is_hidden(candidate: str, database: tuple[str, ...]) -> bool:
    """Whether no record matches: a record matches where all its specified values agree with the candidate."""
    return not any(
        all(value in {"*", bit} for value, bit in zip(record, candidate, strict=True)) for record in database
    )


def _record(length: int, positions: list[int], values: Bits) -> str:
    characters = ["*"] * length
    for position, value in zip(positions, values.tolist(), strict=True):
        characters[position] = str(value)
    return "".join(characters)
