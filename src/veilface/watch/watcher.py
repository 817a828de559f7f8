"""From frames to names: glance, follow, look closer at whoever needs it, ask, and say who is there."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from veilface.errors import VeilfaceError
from veilface.face.attention import Attention, Outcome, Question, Shot, worth
from veilface.face.detector import Detection
from veilface.face.pipeline import FacePipeline
from veilface.face.quality import Problem
from veilface.face.tracker import Box, Track, Tracker
from veilface.sdk.errors import ServerRefused
from veilface.watch.namings import Namings
from veilface.watch.searching import Answer, Searcher, Searches
from veilface.watch.sources import Frame, Source
from veilface.watch.stages import Stages

LOOKS_A_FRAME: Final = 1
"""A closer look takes as long as five glances: one a frame keeps the picture moving."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One face in a frame: ``box`` in its pixels, what is known of it, and what to do where it cannot be measured."""

    track: int
    box: Box
    outcome: Outcome | None
    name: str | None
    problem: Problem | None


@dataclass(frozen=True, kw_only=True)
class View:
    """One frame and everybody in it. ``trouble``: what the last search ran into, if it did."""

    frame: Frame
    seen: tuple[Seen, ...]
    trouble: VeilfaceError | None


@dataclass
class Crowd:
    """The faces before one camera: where they are, what is known of each, and what is wrong with their pictures."""

    tracker: Tracker = field(default_factory=Tracker)
    attention: Attention = field(default_factory=Attention)
    problems: dict[int, Problem] = field(default_factory=dict)


class Watcher:
    """Watches one source. ``stages`` and ``namings`` are filled while it does."""

    def __init__(self, faces: FacePipeline, searcher: Searcher) -> None:
        self.stages = Stages()
        self.namings = Namings()
        self.people: dict[str, str] = {}
        """The names of everybody who was found so far, by their ids; not of those whom a later answer did not name."""
        self._faces = faces
        self._searcher = searcher
        self._trouble: VeilfaceError | None = None

    def views(self, source: Source) -> Iterator[View]:
        """Every frame with names. A source that is not live waits for its answers."""
        crowd = Crowd()
        with Searches(self._searcher) as searches:
            self._faces.open()
            for frame in source.frames():
                started = time.perf_counter()
                self.stages.add("read", frame.read_ms)
                if source.still:
                    seen = self._recognise(frame, searches)
                else:
                    seen = self._follow(frame, crowd, searches, patient=not source.live)
                yield View(frame=frame, seen=seen, trouble=self._trouble)
                now = time.perf_counter()
                self.stages.frame_done(now, now - started)

    def _follow(self, frame: Frame, crowd: Crowd, searches: Searches, *, patient: bool) -> tuple[Seen, ...]:
        """A frame of a moving picture."""
        came = time.perf_counter()
        height, width, _ = frame.pixels.shape
        with self.stages.time("detect"):
            glanced = self._faces.glance(frame.pixels)
        with self.stages.time("track"):
            boxes = [_box(face) for face in glanced]
            tracks = crowd.tracker.update(boxes, width=width, height=height, now=frame.at)
            crowd.attention.follow(tracks)
            self.namings.follow([track.id for track in tracks], came=came)
        for track in crowd.attention.wanted(tracks, frame.at)[:LOOKS_A_FRAME]:
            self._look_closer(frame, track, glanced, crowd)
        for question in crowd.attention.questions(frame.at):
            searches.ask(question)
        named = crowd.attention.people()
        for answer in self._heard(searches, patient=patient):
            found = answer.found
            crowd.attention.answered(answer.question, found.outcome, now=frame.at, person=found.person)
        for person in named - crowd.attention.people():
            self.people.pop(person, None)
        seen = tuple(self._seen(track, boxes[track.sight], crowd) for track in tracks if track.sight is not None)
        for one in seen:
            if one.outcome is not None:
                self.namings.tell(one.track, one.outcome, one.name, now=time.perf_counter())
        return seen

    def _look_closer(self, frame: Frame, track: Track, glanced: Sequence[Detection], crowd: Crowd) -> None:
        if track.sight is None:
            return
        with self.stages.time("embed"):
            face = self._faces.look_closer(frame.pixels, glanced[track.sight])
        if face is None or face.embedding is None:
            crowd.problems[track.id] = "no_face" if face is None else face.quality.problems[0]
            crowd.attention.refused(track.id, frame.at)
        else:
            crowd.problems.pop(track.id, None)
            shot = Shot(embedding=face.embedding, worth=worth(face.quality), taken_at=frame.at)
            crowd.attention.took(track.id, shot)

    def _seen(self, track: Track, box: Box, crowd: Crowd) -> Seen:
        known = crowd.attention.standing(track.id)
        name = self.people.get(known.person) if known.person else None
        outcome: Outcome | None = "unanswered" if known.person and name is None else known.outcome
        problem = None if outcome else crowd.problems.get(track.id)
        return Seen(track=track.id, box=box, outcome=outcome, name=name, problem=problem)

    def _recognise(self, frame: Frame, searches: Searches) -> tuple[Seen, ...]:
        """A picture of its own: everybody in it is asked about once."""
        with self.stages.time("detect"):
            faces = self._faces.faces(frame.pixels, embed=False)
        for number, face in enumerate(faces, 1):
            if not face.quality.problems:
                with self.stages.time("embed"):
                    embedding = self._faces.embed(face)
                searches.ask(Question(track=number, number=number, embedding=embedding))
        answers = {answer.question.track: answer.found for answer in self._heard(searches, patient=True)}
        return tuple(
            Seen(
                track=number,
                box=face.box,
                outcome=answers[number].outcome if number in answers else None,
                name=answers[number].name if number in answers else None,
                problem=next(iter(face.quality.problems), None),
            )
            for number, face in enumerate(faces, 1)
        )

    def _heard(self, searches: Searches, *, patient: bool) -> list[Answer]:
        answers = searches.answers(patient=patient)
        for answer in answers:
            self._trouble = answer.error
            if isinstance(answer.error, ServerRefused) and answer.error.status == HTTPStatus.UNAUTHORIZED:
                self.people.clear()  # a kiosk no longer, it has nobody to name
            for stage, spent in answer.found.timings_ms.items():
                self.stages.add(stage, spent)
            if answer.found.person is not None:
                self.people[answer.found.person] = answer.found.name or ""
        return answers


def _box(face: Detection) -> Box:
    x, y, width, height = (float(value) for value in face.box)
    return x, y, width, height
