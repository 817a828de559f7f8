"""What every engine does, and what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from veilface.protect.word_ring import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One block of a gallery: its id (16 B), the SHA-256 of its file, and its words (128, d, 2, 16) as they lie there.

    ``words`` may be mapped from a disk; a block's id never stands for other words.
    """

    block: bytes
    checksum: bytes
    words: Words = field(repr=False, compare=False)


class Engine(Protocol):
    """Scans the blocks of one gallery. Safe to call from many threads."""

    def place(self, shards: Sequence[Shard]) -> None:
        """Get ready for a layout: hold these blocks and no other. A scan does it too; doing it before saves time.

        Raises as :meth:`scan` does.
        """

    def scan(self, shards: Sequence[Shard], probe: Words) -> Words:
        """Size-3 score ciphertexts (shards, 3, 2048), one for each shard, in their order.

        ``probe`` (128, d, 2, 16), laid out by :func:`~veilface.match.scan.arranged_probe`. The answer accounts for
        every shard; an engine that cannot, raises a :class:`~veilface.match.engine.errors.EngineFailed`.
        """

    def close(self) -> None:
        """Let go of what is held. Doing it again does no harm."""
