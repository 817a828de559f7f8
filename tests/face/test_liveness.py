"""Who moves as asked passes; what cannot move, moves unasked or is not one face does not (vectors/liveness.json)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veilface.face.liveness import LivenessCheck, Prompt, Sight

ROOT = Path(__file__).parents[2]
SCENES: dict[str, Any] = {
    scene["name"]: scene for scene in json.loads((ROOT / "vectors/liveness.json").read_text("ascii"))["scenes"]
}
PLAN = (Prompt(action="turn_left", pause_s=0.5), Prompt(action="nod", pause_s=0.3))


def test_vectors_are_derived() -> None:
    command = [sys.executable, "tools/liveness_vectors.py", "--check"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("scene", "end"),
    [
        ("somebody who does as asked", None),
        ("the same, with a slow camera", None),
        ("a print", "too_late"),
        ("a turned picture instead", "sudden"),
        ("a recording that moves unasked", "unasked"),
        ("a recording of another order", "wrong_way"),
        ("two faces", "several_faces"),
        ("a hand before the camera", "lost"),
        ("a face elsewhere", "jumped"),
        ("faster than anybody", "unasked"),
    ],
)
def test_how_it_ends(scene: str, end: str | None) -> None:
    told = SCENES[scene]
    stage, _, _, _, failure = told["frames"][-1][5]
    assert (stage, failure) == ("failed", end) if end else ("passed", None)
    done = [action for action, *_ in told["steps"]]
    assert done == ([action for action, _ in told["plan"]] if end is None else [])


@pytest.mark.parametrize(
    "scene", ["two faces, before anything was asked", "turned away at first", "a face that blinks out"]
)
def test_what_is_no_reason_to_fail(scene: str) -> None:
    assert SCENES[scene]["frames"][-1][5][:2] == ["acting", "turn_left"]


def test_frames_of_every_pose_are_kept() -> None:
    kept = [shown[3] for *_, shown in SCENES["somebody who does as asked"]["frames"]]
    assert kept.count(True) == 2 * 3 + 1  # before and at each movement, and at the end


def test_what_ended_stays_as_it_is() -> None:
    check = LivenessCheck(PLAN)
    for at in (0.0, 0.5, 3.0):
        check.see(Sight(at=at, faces=1, box=(0.3, 0.3, 0.3, 0.4)))
    assert check.see(Sight(at=3.1, faces=1, box=(0.3, 0.3, 0.3, 0.4))).failure == "lost"
    assert check.see(Sight(at=3.2, faces=1, box=(0.3, 0.3, 0.3, 0.4))).failure == "lost"


angles = st.floats(-14, 14)


@given(st.lists(st.tuples(st.integers(0, 2), angles, st.floats(-8, 30)), max_size=60))
def test_nobody_passes_without_turning(frames: list[tuple[int, float, float]]) -> None:
    """A plan with a turn is never done by a face whose yaw stays within 14 degrees to one side of straight."""
    check = LivenessCheck(PLAN)
    for number, (faces, yaw, pitch) in enumerate(frames):
        sight = Sight(at=number / 10, faces=faces, box=(0.3, 0.3, 0.3, 0.4), yaw=abs(yaw), pitch=pitch)
        assert check.see(sight).stage != "passed"
    assert check.steps == []
