"""Writes vectors/liveness.json: what veilface.face.liveness makes of people, prints and recordings before a camera.

``python tools/liveness_vectors.py`` writes it, ``--check`` only compares. The browser's mirror replays the same scenes.
A scene is a plan and a script: which movement begins when. A movement comes and goes like a wave.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import pi, sin
from pathlib import Path
from typing import Any

from veilface.face.liveness import Action, LivenessCheck, Prompt, Sight

FILE = Path(__file__).resolve().parents[1] / "vectors" / "liveness.json"
DIGITS = 6
Bend = Callable[[Sight], Sight]


@dataclass(frozen=True, kw_only=True)
class Move:
    """``action`` from ``start`` on, for ``seconds``; ``sudden``: there at once, like another picture."""

    start: float
    action: Action
    seconds: float = 1.2
    sudden: bool = False

    def share(self, at: float) -> float:
        """How much of the movement there is, 0 to 1."""
        gone = (at - self.start) / self.seconds
        if not 0 <= gone < 1:
            return 0.0
        return 1.0 if self.sudden else sin(pi * gone) ** 2


@dataclass(frozen=True, kw_only=True)
class Scene:
    """So many seconds before a camera; ``bend`` changes what a frame shows."""

    name: str
    plan: Sequence[tuple[Action, float]]
    moves: Sequence[Move] = ()
    seconds: float = 8.0
    rate: float = 10.0
    bend: Bend = lambda sight: sight

    def sights(self) -> list[Sight]:
        """Its frames."""
        return [self.bend(self._sight(frame / self.rate)) for frame in range(round(self.seconds * self.rate))]

    def _sight(self, at: float) -> Sight:
        shares = {move.action: move.share(at) for move in self.moves if move.share(at) > 0}
        height = 0.4 * (1 + 0.35 * shares.get("come_closer", 0.0))
        return Sight(
            at=round(at, DIGITS),
            faces=1,
            box=(0.35, 0.3, 0.3, round(height, DIGITS)),
            yaw=round(26 * (shares.get("turn_left", 0.0) - shares.get("turn_right", 0.0)), DIGITS),
            pitch=round(-16 * shares.get("nod", 0.0), DIGITS),
        )


def between(start: float, end: float, **changes: Any) -> Bend:
    """Frames from ``start`` to ``end`` show something else."""
    return lambda sight: replace(sight, **changes) if start <= sight.at < end else sight


TURN_AND_NOD: tuple[tuple[Action, float], ...] = (("turn_left", 0.5), ("nod", 0.3))
SCENES = (
    Scene(
        name="somebody who does as asked",
        plan=(*TURN_AND_NOD, ("come_closer", 0.4)),
        moves=(
            Move(start=1.3, action="turn_left"),
            Move(start=3.5, action="nod"),
            Move(start=5.7, action="come_closer"),
        ),
        seconds=9,
    ),
    Scene(
        name="the same, with a slow camera",
        plan=TURN_AND_NOD,
        moves=(Move(start=1.7, action="turn_left", seconds=2), Move(start=5.3, action="nod", seconds=2)),
        seconds=10,
        rate=5,
    ),
    Scene(name="a print", plan=TURN_AND_NOD),
    Scene(name="a turned picture instead", plan=TURN_AND_NOD, moves=[Move(start=1.3, action="turn_left", sudden=True)]),
    Scene(name="a recording that moves unasked", plan=TURN_AND_NOD, moves=[Move(start=0.5, action="turn_left")]),
    Scene(name="a recording of another order", plan=TURN_AND_NOD, moves=[Move(start=1.2, action="turn_right")]),
    Scene(name="two faces", plan=TURN_AND_NOD, bend=between(1.5, 1.7, faces=2)),
    Scene(name="two faces, before anything was asked", plan=TURN_AND_NOD, seconds=3, bend=between(0, 0.3, faces=2)),
    Scene(name="a hand before the camera", plan=TURN_AND_NOD, bend=between(1.2, 3.5, faces=0)),
    Scene(name="a face that blinks out", plan=TURN_AND_NOD, seconds=3, bend=between(1.2, 1.4, faces=0)),
    Scene(name="a face elsewhere", plan=TURN_AND_NOD, bend=between(1.5, 9, box=(0.0, 0.0, 0.2, 0.3))),
    Scene(name="turned away at first", plan=TURN_AND_NOD, seconds=3, bend=between(0, 1, yaw=30.0)),
    Scene(name="faster than anybody", plan=TURN_AND_NOD, moves=[Move(start=0.82, action="turn_left", seconds=0.5)]),
)


def played(scene: Scene) -> dict[str, Any]:
    """A scene and what becomes of it, as JSON."""
    check = LivenessCheck([Prompt(action=action, pause_s=pause) for action, pause in scene.plan])
    frames = []
    for sight in scene.sights():
        seen = check.see(sight)
        shown = [seen.stage, seen.action, round(seen.share, DIGITS), seen.keep, seen.failure]
        frames.append([sight.at, sight.faces, sight.box, sight.yaw, sight.pitch, shown])
    steps = [[one.action, round(one.prompted_s, DIGITS), round(one.done_s, DIGITS), one.frames] for one in check.steps]
    return {"name": scene.name, "plan": scene.plan, "frames": frames, "steps": steps}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Write the vectors of the liveness check.")
    parser.add_argument("--check", action="store_true", help="compare with the committed file, write nothing")
    check = parser.parse_args().check
    made = json.dumps({"scenes": [played(scene) for scene in SCENES]}, separators=(",", ":")) + "\n"
    if not check:
        FILE.write_text(made, "ascii")
    elif FILE.read_text("ascii") != made:
        raise SystemExit("liveness.json is not what veilface.face makes")


if __name__ == "__main__":
    main()
