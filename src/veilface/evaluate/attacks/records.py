"""Opening a negative database: from its records, or its counts, back to the hidden bit string."""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from veilface.protect.negative import Bits, Counts, RecordParameters, Records

_ROUNDS: Final = 40
_DAMPING: Final = 0.3
_MOST_BRANCHES: Final = 64

Reals = NDArray[np.float64]


def majority_vote(counts: Counts) -> Bits:
    """A position is specified as its true value more often than not: the sign of the counts, uint8 (length,)."""
    return (counts > 0).astype(np.uint8)


def belief_propagation(records: Records, parameters: RecordParameters) -> Reals:
    """Log-likelihood ratios (length,) of each bit being 1, by loopy belief propagation over the records.

    A record says: of my three values t are wrong, with probability p_t, t ≥ 1. Each pattern of t wrong values is as
    likely as any other, so a factor depends on how many neighbours are wrong, and its messages are sums of three
    products. Works on records; the counts that Veilface stores do not tell which values came together.
    """
    one, two, three = parameters.probabilities
    weights = (0.0, one / 3, two / 3, three)
    positions, away = records.positions.astype(np.int64), 1.0 - 2.0 * records.values
    to_bits = np.zeros(positions.shape)
    total: Reals = np.zeros(parameters.length)
    for _ in range(_ROUNDS):
        # The chance that each specified value is wrong, without what this record itself has said.
        wrong = 1 / (1 + np.exp(-np.clip(away * (total[positions] - to_bits), -30, 30)))
        fresh = away * _factor_messages(wrong, weights)
        to_bits = _DAMPING * to_bits + (1 - _DAMPING) * fresh
        summed = np.bincount(positions.reshape(-1), weights=to_bits.reshape(-1), minlength=parameters.length)
        total = summed.astype(np.float64)
    return total


def _factor_messages(wrong: Reals, weights: tuple[float, ...]) -> Reals:
    """log(P(I am wrong)/P(I am right)) for each of three values, from how likely the other two are wrong."""
    left, right = np.roll(wrong, 1, axis=1), np.roll(wrong, 2, axis=1)
    none, both = (1 - left) * (1 - right), left * right
    single = 1 - none - both
    being_wrong = weights[1] * none + weights[2] * single + weights[3] * both
    being_right = weights[0] * none + weights[1] * single + weights[2] * both
    return np.log(np.maximum(being_wrong, 1e-12)) - np.log(np.maximum(being_right, 1e-12))


def eliminate(records: Records, length: int) -> Bits:
    """Gaussian elimination over GF(2), for databases without records of two wrong values (p2 = 0).

    The number of wrong values is then odd in every record: the XOR of the hidden bits at its positions is the XOR of
    its values and 1. Rows are whole numbers with the right side in bit 0. Undetermined bits come out as 0.
    """
    pivots: dict[int, int] = {}
    odd = 1 ^ np.bitwise_xor.reduce(records.values, axis=1)
    for positions, parity in zip(records.positions.tolist(), odd.tolist(), strict=True):
        row = parity
        for position in positions:
            row ^= 2 << position
        while row > 1 and (leading := row.bit_length() - 1) in pivots:
            row ^= pivots[leading]
        if row > 1:
            pivots[row.bit_length() - 1] = row
            if len(pivots) == length:
                break
    solution = 1
    for leading in sorted(pivots):
        solution |= ((pivots[leading] & solution).bit_count() & 1) << leading
    return np.array([solution >> (position + 1) & 1 for position in range(length)], dtype=np.uint8)


def satisfy(database: tuple[str, ...]) -> str | None:
    """A string that no record matches, by unit propagation and a few branches; None where they do not suffice.

    A record all of whose values but one are known to agree forces the last one. On prefix and complete databases
    every bit follows.
    """
    records = [{at: int(value) for at, value in enumerate(record) if value != "*"} for record in database]
    waiting = [_Knowledge.before(records, len(database[0]))]
    for _ in range(_MOST_BRANCHES):
        if not waiting:
            return None
        found = waiting.pop()
        if not found.propagate():
            continue
        if len(found.bits) == len(database[0]):
            return "".join(str(found.bits[position]) for position in range(len(database[0])))
        waiting += found.branches()
    return None


@dataclass
class _Knowledge:
    """Bits known so far, and for each record what it still leaves open: how many positions, and their sum."""

    records: list[dict[int, int]]
    occurrences: list[list[int]]
    bits: dict[int, int]
    waiting: list[tuple[int, int]]
    open_positions: list[int]
    open_sums: list[int]
    differing: list[bool]

    @classmethod
    def before(cls, records: list[dict[int, int]], length: int) -> Self:
        """Nothing known but what records of one value say."""
        occurrences: list[list[int]] = [[] for _ in range(length)]
        for index, record in enumerate(records):
            for position in record:
                occurrences[position].append(index)
        forced = [(position, 1 - value) for record in records if len(record) == 1 for position, value in record.items()]
        sizes, sums = [len(record) for record in records], [sum(record) for record in records]
        return cls(records, occurrences, {}, forced, sizes, sums, [False] * len(records))

    def propagate(self) -> bool:
        """Learn all that follows; False where a record would match."""
        while self.waiting:
            position, bit = self.waiting.pop()
            if position in self.bits:
                if self.bits[position] != bit:
                    return False
                continue
            self.bits[position] = bit
            if not all(self._learn(index, position, bit) for index in self.occurrences[position]):
                return False
        return True

    def _learn(self, index: int, position: int, bit: int) -> bool:
        """What one record says now that ``position`` is known; False where it would match."""
        record = self.records[index]
        if self.differing[index] or record[position] != bit:
            self.differing[index] = True
            return True
        self.open_positions[index] -= 1
        self.open_sums[index] -= position
        if self.open_positions[index] == 1:
            last = self.open_sums[index]
            if last not in self.bits:
                self.waiting.append((last, 1 - record[last]))
        return self.open_positions[index] > 0

    def branches(self) -> list["_Knowledge"]:
        """Both values of the unknown position that most records speak of."""
        unknown = [position for position in range(len(self.occurrences)) if position not in self.bits]
        position = max(unknown, key=lambda at: len(self.occurrences[at]))
        return [
            replace(
                self,
                bits=dict(self.bits),
                waiting=[(position, bit)],
                open_positions=self.open_positions.copy(),
                open_sums=self.open_sums.copy(),
                differing=self.differing.copy(),
            )
            for bit in (0, 1)
        ]
