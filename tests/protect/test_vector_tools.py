"""The vectors are what their tool derives from the definitions, so that nobody edits them into agreement."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_crypto_vectors_are_derived() -> None:
    command = [sys.executable, "tools/crypto_vectors.py", "--check"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
