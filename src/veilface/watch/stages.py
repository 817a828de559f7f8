"""How long every stage takes, and how many frames a second that makes."""

import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Final, Literal, get_args

Stage = Literal["read", "detect", "track", "embed", "protect", "search", "draw"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
WINDOW: Final = 30
MOST_KEPT: Final = 100_000


class Stages:
    """Milliseconds of each stage: the last one, and the median of all (of the last 100,000)."""

    def __init__(self) -> None:
        self._spent: dict[Stage, deque[float]] = defaultdict(lambda: deque(maxlen=MOST_KEPT))
        self._frames: deque[float] = deque(maxlen=WINDOW)
        self._count = 0
        self._busy = 0.0

    @contextmanager
    def time(self, stage: Stage) -> Iterator[None]:
        """Times the block."""
        started = time.perf_counter()
        yield
        self.add(stage, (time.perf_counter() - started) * 1000)

    def add(self, stage: Stage, spent_ms: float) -> None:
        """Notes what was timed elsewhere."""
        self._spent[stage].append(spent_ms)

    def frame_done(self, now: float, busy_s: float) -> None:
        """A frame was finished at ``now`` (seconds) after ``busy_s`` of work, waiting for the camera not counted."""
        self._frames.append(now)
        self._count += 1
        self._busy += busy_s

    @property
    def frames(self) -> int:
        """How many frames there were."""
        return self._count

    @property
    def fps(self) -> float:
        """Frames a second over the last thirty; 0 before the second one."""
        if len(self._frames) < 2 or self._frames[-1] == self._frames[0]:  # noqa: PLR2004
            return 0.0
        return (len(self._frames) - 1) / (self._frames[-1] - self._frames[0])

    @property
    def possible_fps(self) -> float:
        """Frames a second that this machine could do, were the camera fast enough."""
        return self._count / self._busy if self._busy else 0.0

    def last_ms(self) -> Mapping[Stage, float]:
        """The latest time of every stage that has happened."""
        return {stage: self._spent[stage][-1] for stage in STAGES if self._spent[stage]}

    def medians_ms(self) -> Mapping[Stage, float]:
        """The median of every stage that has happened."""
        return {stage: median(self._spent[stage]) for stage in STAGES if self._spent[stage]}
