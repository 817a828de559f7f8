"""Writes vectors/tracker.json: what veilface.face.tracker and .attention make of people walking past a camera.

``python tools/tracker_vectors.py`` writes it, ``--check`` only compares. The browser's mirror replays the same scenes.
A scene is a formula: boxes that move, and for each person an axis of eight that stands for an embedding.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from veilface.face.attention import Attention, Shot
from veilface.face.tracker import Tracker

FILE = Path(__file__).resolve().parents[1] / "vectors" / "tracker.json"
AXES = 8
KNOWN = {0: "甲", 1: "乙"}

Place = tuple[float, float, float]
"""Centre and width of a face in shares of the frame."""
Path_ = Callable[[float], Place | None]


@dataclass(frozen=True, kw_only=True)
class Walker:
    """Person ``who`` on a path; a shot of the face is worth ``worth``."""

    who: int
    path: Path_
    worth: float = 0.8


@dataclass(frozen=True, kw_only=True)
class Scene:
    """So many seconds of people before a camera; ``sizes`` – its frames' size, from a time on."""

    name: str
    seconds: float
    walkers: Sequence[Walker]
    sizes: Sequence[tuple[float, int, int]] = ((0, 640, 480),)
    rate: float = 10


def standing(x: float, y: float = 0.5, *, since: float = 0.0, until: float = 99.0) -> Path_:
    """In one place from ``since`` until ``until``."""
    return lambda t: (x, y, 0.15) if since <= t < until else None


def walking(start: float, speed: float, *, hidden: tuple[float, float] = (99.0, 99.0)) -> Path_:
    """Across the picture; not seen between the two times of ``hidden``."""
    return lambda t: None if hidden[0] <= t < hidden[1] else (start + speed * t, 0.5, 0.15)


def either(*paths: Path_) -> Path_:
    """The first of the paths that has a place."""
    return lambda t: next((place for path in paths if (place := path(t)) is not None), None)


SCENES = (
    Scene(
        name="three people, one of them a stranger",
        seconds=9,
        walkers=(
            Walker(who=0, path=standing(0.2)),
            Walker(who=1, path=standing(0.5, since=0.5)),
            Walker(who=2, path=standing(0.8, until=7.5)),
        ),
    ),
    Scene(
        name="two people cross, one hidden behind the other",
        seconds=4,
        walkers=(
            Walker(who=0, path=walking(0.2, 0.15)),
            Walker(who=1, path=walking(0.8, -0.15, hidden=(1.75, 2.25))),
        ),
    ),
    Scene(
        name="a face is lost for a moment and back",
        seconds=3,
        walkers=(Walker(who=0, path=either(standing(0.5, until=1.5), standing(0.51, since=2))),),
    ),
    Scene(
        name="a face is lost for long and back",
        seconds=5,
        walkers=(Walker(who=0, path=either(standing(0.5, until=1.5), standing(0.5, since=4))),),
    ),
    Scene(
        name="somebody else takes the place",
        seconds=4,
        walkers=(
            Walker(who=0, path=standing(0.5, until=1.5)),
            Walker(who=1, path=standing(0.5, since=1.9)),
        ),
    ),
    Scene(
        name="the camera changes its resolution, then its shape",
        seconds=4,
        walkers=(Walker(who=0, path=walking(0.3, 0.05)), Walker(who=1, path=standing(0.8))),
        sizes=((0, 640, 480), (1.5, 1280, 960), (3, 1280, 720)),
    ),
    Scene(
        name="a flicker is nobody, and a face that will do for nothing is not asked about",
        seconds=2,
        walkers=(
            Walker(who=0, path=standing(0.2, since=0.5, until=0.6)),
            Walker(who=1, path=standing(0.7), worth=0),
        ),
    ),
    Scene(
        name="a slow camera: fewer shots than wanted, and the worst left out",
        seconds=4,
        rate=1.5,
        walkers=(
            Walker(who=0, path=standing(0.3, until=1), worth=0.15),
            Walker(who=0, path=standing(0.3, since=1), worth=0.05),
        ),
    ),
    Scene(
        name="a face too poor to be asked about by its first shot",
        seconds=1,
        walkers=(Walker(who=0, path=standing(0.5), worth=0.1),),
    ),
    Scene(
        name="somebody known stays, and is asked about again",
        seconds=34,
        rate=2,
        walkers=(Walker(who=0, path=standing(0.5)),),
    ),
)


def frames(scene: Scene) -> list[dict[str, Any]]:
    """What the detector sees: boxes in pixels, whose faces they are, and what a shot of each is worth."""
    made = []
    for index in range(round(scene.seconds * scene.rate)):
        now = round(index / scene.rate, 3)
        width, height = next((across, down) for since, across, down in reversed(scene.sizes) if since <= now)
        there = [(walker, place) for walker in scene.walkers if (place := walker.path(now)) is not None]
        boxes = [
            [
                round(value, 3)
                for value in ((x - wide / 2) * width, (y - wide * 0.6) * height, wide * width, wide * 1.2 * height)
            ]
            for _, (x, y, wide) in there
        ]
        made.append(
            {
                "now": now,
                "size": [width, height],
                "boxes": boxes,
                "who": [walker.who for walker, _ in there],
                "worth": [walker.worth for walker, _ in there],
            }
        )
    return made


def replay(made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the tracker makes of the frames: one look a frame, and every question answered before the next one."""
    tracker, attention = Tracker(), Attention()
    trace = []
    for frame in made:
        now, (width, height) = frame["now"], frame["size"]
        tracks = tracker.update([tuple(box) for box in frame["boxes"]], width=width, height=height, now=now)
        attention.follow(tracks)
        looked = [track for track in attention.wanted(tracks, now)[:1] if track.sight is not None]
        whose = {track.id: frame["who"][track.sight] for track in tracks if track.sight is not None}
        for track in looked:
            value = frame["worth"][track.sight]
            if value > 0:
                embedding = np.eye(AXES, dtype=np.float32)[whose[track.id]]
                attention.took(track.id, Shot(embedding=embedding, worth=value, taken_at=now))
            else:
                attention.refused(track.id, now)
        asked = attention.questions(now)
        for question in asked:
            person = KNOWN.get(int(np.argmax(question.embedding)))
            attention.answered(question, "named" if person else "unknown", now=now, person=person)
        standings = [(track, attention.standing(track.id)) for track in tracks]
        trace.append(
            {
                "looked": [track.id for track in looked],
                "asked": [question.track for question in asked],
                "tracks": [
                    [track.id, track.sight, track.doubts, known.outcome, known.person] for track, known in standings
                ],
            }
        )
    trace[-1]["moving"] = [[*track.box, *track.velocity] for track in tracks]
    return trace


def scenes() -> dict[str, Any]:
    """Every scene with its frames and what becomes of them."""
    made = [(scene.name, frames(scene)) for scene in SCENES]
    told = [{"name": name, "frames": shown, "trace": replay(shown)} for name, shown in made]
    return {"axes": AXES, "known": KNOWN, "scenes": told}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Write the vectors of the tracker.")
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    check = parser.parse_args().check
    made = json.dumps(scenes(), separators=(",", ":")) + "\n"
    if not check:
        FILE.write_text(made, "ascii")
    elif FILE.read_text("ascii") != made:
        raise SystemExit("tracker.json is not what veilface.face makes")


if __name__ == "__main__":
    main()
