"""Which of the followed faces to look at closely, and when to ask who they are.

A new face is asked about with its first good shot, so that three who come together are named within a second. Whoever
that does not name is asked about once more before anything is said: with three shots, or what there is after six tenths
of a second, averaged without those worth less than half of the best. Somebody known is looked at again every two
seconds and whenever the tracker is in doubt, on this machine alone, and is searched again where the embedding no longer
fits, and half a minute after each answer: whoever leaves the gallery meanwhile is not named for longer. Somebody
unknown is searched again after 4, 8 … 60 seconds, so that a stranger is compared with the gallery as rarely as if the
first shot had waited for the others. Nothing here reads a clock or a picture. ``web/src/face/attention.ts`` mirrors
this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import cos, radians
from typing import Final, Literal

import numpy as np

from veilface.face.embedder import Embedding, average
from veilface.face.quality import Quality
from veilface.face.tracker import Track

Outcome = Literal["named", "unknown", "unclear", "unanswered"]
"""A person was found; nobody; several people alike; no answer came."""

UNSURE: Final[tuple[Outcome, ...]] = ("unknown", "unclear")
"""What a better picture may change."""
SHOTS: Final = 3
FIRST_WORTH: Final = 0.2
"""What a new face's first shot must be worth to be asked about alone; a poorer one waits for the others."""
PATIENCE_S: Final = 0.6
LEAST_WORTH: Final = 0.5
PAUSE_S: Final = 0.15
"""After a face that will do for nothing, before it is looked at again: others want to be looked at too."""
CHECK_EVERY_S: Final = 2.0
ASK_AGAIN_S: Final = 30.0
"""After an answer with a name: for so long it is believed, though its person may have left the gallery."""
FIRST_RETRY_S: Final = 2.0
LAST_RETRY_S: Final = 60.0
SAME: Final = 0.45
"""The cosine above which two shots of one track are of one person: well above strangers, below one's own worst."""
FULL_SIZE: Final = 112.0


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One good look at a face: its unit embedding (128,), what it is worth (0 to 1), and when it was taken."""

    embedding: Embedding
    worth: float
    taken_at: float


@dataclass(frozen=True, kw_only=True)
class Question:
    """Whose face track ``track`` is, by a unit embedding (128,). ``number``: no other question has it."""

    track: int
    number: int
    embedding: Embedding


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of one track: the last answer, and what leads to the next one.

    ``outcome`` and ``person`` stay while the face is looked at and asked about again; ``shots`` are those of the next
    question, or of the one under way; ``reference`` is the embedding that the last one named. ``next_at``: when the
    next look is due; ``ask_at``: when the next search is, which for somebody known is later; ``look_at``: no look
    before then; ``in_vain``: searches without a name; ``settled``: the tracker's doubts looked into; ``asked``: the
    number of the last question.
    """

    phase: Literal["looking", "asking", "resting"] = "looking"
    outcome: Outcome | None = None
    person: str | None = None
    shots: tuple[Shot, ...] = ()
    reference: Embedding | None = None
    next_at: float = 0.0
    ask_at: float = 0.0
    look_at: float = 0.0
    in_vain: int = 0
    settled: int = 0
    asked: int = 0


@dataclass
class Attention:
    """Chooses looks and questions for the tracks of one camera."""

    _standings: dict[int, Standing] = field(default_factory=dict)
    _doubts: dict[int, int] = field(default_factory=dict)
    _asked: int = 0

    def follow(self, tracks: Sequence[Track]) -> None:
        """Takes in the tracks of a frame; those that are gone are forgotten with everything about them."""
        self._doubts = {track.id: track.doubts for track in tracks}
        self._standings = {track.id: self._standings.get(track.id) or Standing() for track in tracks}

    def standing(self, track: int) -> Standing:
        """What is known of a track."""
        return self._standings[track]

    def wanted(self, tracks: Sequence[Track], now: float) -> list[Track]:
        """The visible tracks that want a closer look in this frame, the most urgent first.

        New faces come before known ones, and those nobody was asked about yet before the others; among them whoever
        has most shots, so that one is answered soon.
        """
        visible = [track for track in tracks if track.confirmed and track.sight is not None]
        wanting = [track for track in visible if self._wants(track.id, now)]
        return sorted(wanting, key=lambda track: self._urgency(track.id))

    def took(self, track: int, shot: Shot) -> None:
        """A good look was had. If it is not the face that the track had before, everything about it starts anew."""
        before, doubts = self._standings[track], self._doubts[track]
        known = before.reference if before.reference is not None else _first(before.shots)
        if known is not None and not same(known, shot.embedding):
            after = Standing(shots=(shot,))
        elif before.phase == "looking":
            after = replace(before, shots=(*before.shots, shot))
        elif shot.taken_at >= before.ask_at:
            after = replace(before, phase="looking", shots=(shot,))
        elif before.outcome == "named":
            after = replace(before, next_at=min(shot.taken_at + CHECK_EVERY_S, before.ask_at))
        else:
            after = before
        self._standings[track] = replace(after, settled=doubts)

    def refused(self, track: int, now: float) -> None:
        """The look showed a face that will not do: turned away, blurred, too small, or not there at all."""
        before = self._standings[track]
        self._standings[track] = replace(before, look_at=now + PAUSE_S)

    def questions(self, now: float) -> list[Question]:
        """What to ask now. Each must be answered with :meth:`answered`."""
        ready = [track for track, standing in self._standings.items() if _ready(standing, now)]
        asked = []
        for track in ready:
            standing = self._standings[track]
            best = max(shot.worth for shot in standing.shots)
            mean = average([shot.embedding for shot in standing.shots if shot.worth >= LEAST_WORTH * best])
            self._asked += 1
            self._standings[track] = replace(standing, phase="asking", reference=mean, asked=self._asked)
            asked.append(Question(track=track, number=self._asked, embedding=mean))
        return asked

    def answered(self, question: Question, outcome: Outcome, *, now: float, person: str | None = None) -> None:
        """The answer to a question; of a track that is gone it is nothing.

        Nor is it where everything began anew since: what was asked before then may be about another face, or about the
        gallery as it was before somebody was removed.
        """
        track = question.track
        before = self._standings.get(track)
        if before is None or before.phase != "asking" or before.asked != question.number:
            return
        in_vain = 0 if outcome == "named" else before.in_vain + 1
        if _hurried(before) and outcome in UNSURE:
            self._standings[track] = replace(before, phase="looking", shots=(), in_vain=in_vain)
            return
        wait = min(FIRST_RETRY_S * 2 ** (in_vain - 1), LAST_RETRY_S) if in_vain else ASK_AGAIN_S
        look = wait if in_vain else CHECK_EVERY_S
        told = replace(before, phase="resting", shots=(), outcome=outcome, person=person, in_vain=in_vain)
        self._standings[track] = replace(told, next_at=now + look, ask_at=now + wait)

    def people(self) -> set[str]:
        """The ids of everybody whom a track is named as."""
        return {standing.person for standing in self._standings.values() if standing.person is not None}

    def again(self) -> None:
        """Everybody is searched anew: people were registered, renamed or removed."""
        self._standings = {track: Standing() for track in self._standings}

    def _wants(self, track: int, now: float) -> bool:
        standing = self._standings[track]
        if now < standing.look_at:
            return False
        if standing.phase == "looking":
            return len(standing.shots) < SHOTS
        return standing.phase == "resting" and (now >= standing.next_at or self._doubts[track] > standing.settled)

    def _urgency(self, track: int) -> tuple[bool, bool, bool, int, int]:
        standing = self._standings[track]
        known, asked = standing.outcome is not None, standing.in_vain > 0
        return standing.phase != "looking", known, asked, -len(standing.shots), track


def same(first: Embedding, second: Embedding) -> bool:
    """Whether two unit embeddings of one track are of one person."""
    return float(np.dot(first.astype(np.float64), second.astype(np.float64))) >= SAME


def worth(quality: Quality) -> float:
    """What a shot counts for, 0 to 1: large, sharp and from the front is best; nothing where there is a problem."""
    if quality.problems:
        return 0.0
    frontal = cos(radians(quality.yaw)) * cos(radians(quality.pitch))
    return min(quality.size / FULL_SIZE, 1.0) * min(quality.sharpness, 1.0) * frontal


def _first(shots: Sequence[Shot]) -> Embedding | None:
    return shots[0].embedding if shots else None


def _ready(standing: Standing, now: float) -> bool:
    if standing.phase != "looking" or not standing.shots:
        return False
    first = standing.shots[0]
    if _new(standing) and first.worth >= FIRST_WORTH:
        return True
    return len(standing.shots) >= SHOTS or now - first.taken_at >= PATIENCE_S


def _new(standing: Standing) -> bool:
    """Whether nothing was ever answered about this face."""
    return standing.outcome is None and standing.in_vain == 0


def _hurried(standing: Standing) -> bool:
    """Whether a question about a new face was asked with fewer shots than can be had."""
    return _new(standing) and len(standing.shots) < SHOTS
