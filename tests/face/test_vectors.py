"""The vectors are what veilface.face makes; the browser's mirror is held to the same files by Vitest."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_face_vectors_are_derived() -> None:
    command = [sys.executable, "tools/face_vectors.py", "--check"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
