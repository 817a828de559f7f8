"""The ways a kernel's tests go: in NumPy, and by every instruction set of this machine where it was compiled."""

from types import ModuleType
from typing import Final

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from veilface.kernel import choice, plain
from veilface.kernel.roots import Words

SEEDS: Final = st.integers(0, 2**32 - 1)
FEW: Final = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COMPILED: Final = choice.built()
WAYS: Final = [("numpy", 0)] + (
    [] if COMPILED is None else [(name, level) for level, name in enumerate(choice.LEVELS[: COMPILED.best_level() + 1])]
)
NAMES: Final = [name for name, _ in WAYS]


def go(monkeypatch: pytest.MonkeyPatch, door: ModuleType, way: tuple[str, int], numpy: ModuleType = plain) -> str:
    """Let ``door`` compute this way for one test, in NumPy by what ``numpy`` has; the way's name."""
    name, level = way
    monkeypatch.setattr(door, "_KERNEL", numpy if name == "numpy" else COMPILED)
    monkeypatch.setattr(door, "_LEVEL", level)
    return name


def words(rng: np.random.Generator, *shape: int, prime: int) -> Words:
    """Uniform words (shape) below ``prime``."""
    return rng.integers(0, prime, shape, np.uint32)
