"""The command as people call it: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Veilface = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def veilface(tmp_path: Path) -> Veilface:
    """Runs ``veilface …`` in an empty folder, in English unless told otherwise."""

    def run(*arguments: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        settings = {"VEILFACE_LANG": "en", "VEILFACE_DEVICE": str(tmp_path / "device")} | environment
        outside = {name: value for name, value in os.environ.items() if not name.startswith("VEILFACE_")}
        return subprocess.run(
            [sys.executable, "-m", "veilface", *map(str, arguments)],
            cwd=tmp_path,
            env=outside | settings,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
