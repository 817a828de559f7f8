"""How soon something is said about a new face: what a person before a kiosk waits for."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from veilface.face.attention import Outcome

MOST_KEPT: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What was first said about a track, and how long after its first frame came."""

    track: int
    outcome: Outcome
    name: str | None
    after_ms: float


class Namings:
    """The last 10,000 tracks about which something was said, in that order."""

    def __init__(self) -> None:
        self.told: deque[Naming] = deque(maxlen=MOST_KEPT)
        self._came: dict[int, float | None] = {}

    def follow(self, tracks: Iterable[int], *, came: float) -> None:
        """Takes in the living tracks of a frame that came at ``came`` (seconds)."""
        self._came = {track: self._came.get(track, came) for track in tracks}

    def tell(self, track: int, outcome: Outcome, name: str | None, *, now: float) -> None:
        """Takes in what was said about a track at ``now`` (seconds); only the first time counts."""
        came = self._came.get(track)
        if came is not None:
            self._came[track] = None
            self.told.append(Naming(track=track, outcome=outcome, name=name, after_ms=(now - came) * 1000))
