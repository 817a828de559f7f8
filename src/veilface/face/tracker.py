"""Which face of this frame is which face of the last one: several people followed before a camera.

Boxes count in shares of the frame's width and height, so a camera that changes its resolution changes nobody's track.
Every track predicts where its face is now from how its centre moved. Tracks and boxes are then paired greedily, the
best affinity first: the detector suppresses boxes that overlap by more than 0.3, so that at most two faces compete for
one place, and where they do no assignment could be trusted. Such a track is *in doubt*, and whoever uses it looks
again at whose face it is (:mod:`veilface.face.attention`). Nothing here reads a clock or a picture.
``web/src/face/tracker.ts`` mirrors this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Final

Box = tuple[float, float, float, float]
"""x, y, width, height."""

CONFIRMED: Final = 2
"""Frames in which a face must have been seen before it counts: a flicker of the detector is nobody."""
MOST_MISSED: Final = 15
LONGEST_GAP_S: Final = 2.0
LEAST_AFFINITY: Final = 0.02
NEARNESS: Final = 0.1
"""What a box beside the predicted place is worth, at most, against 1 for one in its very place."""
MOST_GROWTH: Final = 3.0
RIVAL_SHARE: Final = 0.5
"""A second track with this share of the first one's affinity to a box leaves open whose face it is."""
DOUBTFUL_MISSES: Final = 3
LONGEST_PREDICTION_S: Final = 0.5
VELOCITY_MEMORY: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Track:
    """One face, followed from frame to frame.

    ``box``: where it was last seen, in shares of the frame; ``velocity`` of its centre in shares a second; ``sight``:
    which of the last frame's boxes it is, None where it was missed; ``hits`` and ``missed``: frames in which it was
    seen, and since it was last seen at ``seen_at``. ``doubts`` counts how often it may have become somebody else.
    """

    id: int
    box: Box
    seen_at: float
    sight: int | None
    velocity: tuple[float, float] = (0.0, 0.0)
    hits: int = 1
    missed: int = 0
    doubts: int = 0

    @property
    def confirmed(self) -> bool:
        """Whether it was seen often enough to be a face."""
        return self.hits >= CONFIRMED

    def predicted(self, now: float) -> Box:
        """Where its box should be at ``now`` (seconds), half a second ahead at most."""
        ahead = min(max(now - self.seen_at, 0.0), LONGEST_PREDICTION_S)
        x, y, width, height = self.box
        return x + self.velocity[0] * ahead, y + self.velocity[1] * ahead, width, height


class Tracker:
    """Follows faces through one camera's frames."""

    def __init__(self) -> None:
        self._tracks: tuple[Track, ...] = ()
        self._last_id = 0
        self._size: tuple[int, int] | None = None

    def update(self, boxes: Sequence[Box], *, width: int, height: int, now: float) -> tuple[Track, ...]:
        """Takes in one frame of ``width`` x ``height`` pixels at ``now`` (seconds, of any steady clock).

        ``boxes`` are in pixels of this frame. Returns every living track, the oldest first.
        """
        shares = [(x / width, y / height, across / width, down / height) for x, y, across, down in boxes]
        affinities = self._affinities(shares, now)
        pairs = _paired(affinities)
        doubtful = _rivals(affinities, pairs)
        if self._size not in (None, (width, height)):
            doubtful |= {track.id for track in self._tracks}  # perhaps this is another camera
        self._size = (width, height)
        sights = dict(pairs)
        followed = [
            _seen(track, shares[sights[track.id]], sights[track.id], now) if track.id in sights else _missed(track)
            for track in self._tracks
        ]
        followed = [replace(track, doubts=track.doubts + (track.id in doubtful)) for track in followed]
        self._tracks = (*(track for track in followed if _lives(track, now)), *self._born(shares, sights, now))
        return self._tracks

    def _affinities(self, boxes: Sequence[Box], now: float) -> dict[tuple[int, int], float]:
        """How well each track (by id) and each box (by index) fit, where they fit at all."""
        found = {
            (track.id, index): affinity(track.predicted(now), box)
            for track in self._tracks
            for index, box in enumerate(boxes)
        }
        return {pair: value for pair, value in found.items() if value >= LEAST_AFFINITY}

    def _born(self, boxes: Sequence[Box], sights: dict[int, int], now: float) -> list[Track]:
        taken = set(sights.values())
        born = []
        for index, box in enumerate(boxes):
            if index not in taken:
                self._last_id += 1
                born.append(Track(id=self._last_id, box=box, seen_at=now, sight=index))
        return born


def affinity(first: Box, second: Box) -> float:
    """How likely two boxes are of one face, 0 to 1: their overlap, or a little for a near miss of like size."""
    growth = (first[2] * first[3]) / (second[2] * second[3])
    if not 1 / MOST_GROWTH <= growth <= MOST_GROWTH:
        return 0.0
    across = (first[0] + first[2] / 2 - second[0] - second[2] / 2) / ((first[2] + second[2]) / 2)
    down = (first[1] + first[3] / 2 - second[1] - second[3] / 2) / ((first[3] + second[3]) / 2)
    return max(overlap(first, second), NEARNESS * (1 - hypot(across, down)))


def overlap(first: Box, second: Box) -> float:
    """Intersection over union."""
    across = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    down = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


def _paired(affinities: dict[tuple[int, int], float]) -> list[tuple[int, int]]:
    """Greedily, the best first; of equals the older track and the surer box."""
    pairs: list[tuple[int, int]] = []
    tracks, boxes = set[int](), set[int]()
    for track, box in sorted(affinities, key=lambda pair: (-affinities[pair], pair)):
        if track not in tracks and box not in boxes:
            pairs.append((track, box))
            tracks.add(track)
            boxes.add(box)
    return pairs


def _rivals(affinities: dict[tuple[int, int], float], pairs: Sequence[tuple[int, int]]) -> set[int]:
    """The tracks that might as well have been given each other's box."""
    doubtful = set[int]()
    for track, box in pairs:
        enough = max(RIVAL_SHARE * affinities[track, box], NEARNESS)
        rivals = {other for (other, theirs), value in affinities.items() if theirs == box and value >= enough} - {track}
        if rivals:
            doubtful |= rivals | {track}
    return doubtful


def _seen(track: Track, box: Box, sight: int, now: float) -> Track:
    passed = now - track.seen_at
    velocity = track.velocity
    if passed > 0:
        moved = (
            (box[0] + box[2] / 2 - track.box[0] - track.box[2] / 2) / passed,
            (box[1] + box[3] / 2 - track.box[1] - track.box[3] / 2) / passed,
        )
        kept = VELOCITY_MEMORY if track.hits > 1 else 0.0
        velocity = (
            kept * velocity[0] + (1 - kept) * moved[0],
            kept * velocity[1] + (1 - kept) * moved[1],
        )
    returned = track.missed >= DOUBTFUL_MISSES
    return replace(
        track,
        box=box,
        velocity=velocity,
        seen_at=now,
        sight=sight,
        hits=track.hits + 1,
        missed=0,
        doubts=track.doubts + returned,
    )


def _missed(track: Track) -> Track:
    return replace(track, sight=None, missed=track.missed + 1)


def _lives(track: Track, now: float) -> bool:
    """A face that was seen once must be seen again at once; one that is known may hide for a moment."""
    if track.missed == 0:
        return True
    return track.confirmed and track.missed <= MOST_MISSED and now - track.seen_at <= LONGEST_GAP_S
