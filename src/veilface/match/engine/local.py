"""The engine of one machine: threads over mapped blocks."""

from collections.abc import Sequence
from typing import Final

from veilface.match import scan
from veilface.match.engine.interface import Shard
from veilface.protect.word_ring import Words


class LocalEngine:
    """Scans blocks where they lie, with ``threads``, or with a thread for every core this process may run on."""

    def __init__(self, *, threads: int | None = None) -> None:
        self._threads: Final = threads

    def place(self, shards: Sequence[Shard]) -> None:
        """Nothing to do: blocks are read in place."""

    def scan(self, shards: Sequence[Shard], probe: Words) -> Words:
        return scan.scan([shard.words for shard in shards], probe, threads=self._threads)

    def close(self) -> None:
        """Nothing is held."""
