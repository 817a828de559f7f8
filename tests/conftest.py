"""What every test may ask for."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

settings.register_profile("house", deadline=None)  # a busy machine is not a failure
settings.load_profile("house")


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder with obama.jpg, obama2.jpg, biden.jpg and astronaut.png: public-domain portraits, fetched once."""
    command = [sys.executable, str(ROOT / "tools/photos.py")]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of JSON test vectors that pytest and Vitest both read."""
    return ROOT / "vectors"
