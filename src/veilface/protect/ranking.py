"""Local ranking: of each output of the keyed transform only its rank within its group is kept.

The idea is that of Zhao, Fang, Xiang, Tian, Xiong (Security and Communication Networks 2018,
doi 10.1155/2018/4519548), applied to real-valued outputs instead of bits and compared by Spearman's inner product.
The published form is in :mod:`veilface.protect.published`. ``web/src/protect/ranking.ts`` mirrors this file.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.protect.errors import GroupOutOfRange, MalformedTemplate
from veilface.protect.transform import DIMENSION, Outputs, Transform, keyed_transform

INFO: Final = b"veilface ranking 1"
_LEAST_GROUP: Final = 8

Ranks = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingParameters:
    """``outputs`` numbers of the keyed transform, ranked in consecutive groups of ``group``.

    Raises :class:`GroupOutOfRange` unless the group is a power of two from 8 to 128 (a smaller one keeps too little
    to tell people apart) and the outputs fill 1 to 255 blocks of 128.
    """

    outputs: int = 512
    group: int = 32

    def __post_init__(self) -> None:
        power = self.group.bit_count() == 1 and _LEAST_GROUP <= self.group <= DIMENSION
        if not power or self.outputs % DIMENSION or not 1 <= self.outputs // DIMENSION <= 255:  # noqa: PLR2004
            raise GroupOutOfRange(
                got=f"{self.outputs}/{self.group}", expected=f"{DIMENSION}·n/2^k, {_LEAST_GROUP} ≤ 2^k ≤ {DIMENSION}"
            )

    @property
    def rank_bits(self) -> int:
        """Bits of one packed rank."""
        return self.group.bit_length() - 1

    @property
    def template_bytes(self) -> int:
        """Bytes of a packed template, and of a probe."""
        return self.outputs * self.rank_bits // 8

    @property
    def highest_score(self) -> int:
        """The score of a template with itself."""
        return self.outputs * (self.group**2 - 1) // 3


DEFAULT: Final = RankingParameters()
COMPACT: Final = RankingParameters(group=16)


def ranking_transform(token: bytes, *, salt: bytes, parameters: RankingParameters = DEFAULT) -> Transform:
    """The keyed transform of this protection; raises :class:`UnusableToken`."""
    return keyed_transform(token, salt=salt, info=INFO, blocks=parameters.outputs // DIMENSION)


def local_ranks(outputs: Outputs, *, parameters: RankingParameters = DEFAULT) -> Ranks:
    """The ranks, uint8 (…, outputs): the position of each value when its group is sorted by (value, index)."""
    groups = outputs.reshape(*outputs.shape[:-1], -1, parameters.group)
    order = np.argsort(groups, axis=-1, kind="stable")
    ranks = np.empty(groups.shape, dtype=np.uint8)
    positions = np.broadcast_to(np.arange(parameters.group, dtype=np.uint8), groups.shape)
    np.put_along_axis(ranks, order, positions, axis=-1)
    return ranks.reshape(outputs.shape)


def centred_ranks(ranks: Ranks, *, parameters: RankingParameters = DEFAULT) -> NDArray[np.int8]:
    """Int8 u = 2r − (group − 1): odd, from −(group−1) to group−1, zero on average."""
    return (2 * ranks.astype(np.int16) - (parameters.group - 1)).astype(np.int8)


def rank_score(probe: Ranks, template: Ranks, *, parameters: RankingParameters = DEFAULT) -> int:
    """Σ u·u′, Spearman's inner product: an exact integer of size at most ``highest_score``."""
    left, right = (centred_ranks(side, parameters=parameters).astype(np.int64) for side in (probe, template))
    return int(left @ right)


def pack_ranks(ranks: Ranks, *, parameters: RankingParameters = DEFAULT) -> bytes:
    """The stored form: ``rank_bits`` bits a rank, least significant first, without gaps (320 B by default)."""
    shifts = np.arange(parameters.rank_bits, dtype=np.uint8)
    return np.packbits((ranks[:, None] >> shifts) & 1, axis=None, bitorder="little").tobytes()


def parse_ranks(data: bytes, *, parameters: RankingParameters = DEFAULT) -> Ranks:
    """Read what :func:`pack_ranks` wrote.

    Raises :class:`MalformedTemplate` for another length or a group that does not hold every rank once: a forged
    template with repeated extreme ranks would score high against everybody.
    """
    if len(data) != parameters.template_bytes:
        raise MalformedTemplate(got=f"{len(data)} B", expected=f"{parameters.template_bytes} B")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little").reshape(-1, parameters.rank_bits)
    ranks: Ranks = (bits << np.arange(parameters.rank_bits, dtype=np.uint8)).sum(axis=1, dtype=np.uint8)
    groups = np.sort(ranks.reshape(-1, parameters.group), axis=1)
    if (groups != np.arange(parameters.group, dtype=np.uint8)).any():
        raise MalformedTemplate(got="repeated ranks", expected="each rank once in a group")
    return ranks
