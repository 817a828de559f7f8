"""Times of named stages, collected over rounds."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long something took, in milliseconds, over ``rounds`` runs."""

    median_ms: float
    min_ms: float
    rounds: int


class Stopwatch:
    """Collects times by stage; a stage may be timed as often as wanted."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times the block as one run of ``name``."""
        started = time.perf_counter()
        yield
        self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Adds a time measured elsewhere."""
        self._seconds.setdefault(name, []).append(seconds)

    def clear(self) -> None:
        """Forgets everything: warm-up rounds do not count."""
        self._seconds.clear()

    def total_ms(self) -> dict[str, float]:
        """The sum of each stage, in the order in which they first ran."""
        return {name: sum(seconds) * 1000 for name, seconds in self._seconds.items()}

    def spreads(self) -> dict[str, Spread]:
        """Median and minimum of each stage."""
        return {
            name: Spread(median_ms=statistics.median(seconds) * 1000, min_ms=min(seconds) * 1000, rounds=len(seconds))
            for name, seconds in self._seconds.items()
        }
