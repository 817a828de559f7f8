"""Which kernel computes: C where it could be built, by the best instructions of the machine, and NumPy elsewhere.

``VEILFACE_KERNEL`` chooses otherwise: ``numpy``, ``portable``, ``avx2`` or ``avx512``. The results are equal, word for
word. What was chosen is said once in the log, when something is computed.
"""

import logging
import os
from functools import cache
from types import ModuleType
from typing import Final

LEVELS: Final = ("portable", "avx2", "avx512")


def built() -> ModuleType | None:
    """The compiled kernel, chosen or not; None on a machine where it could not be built."""
    try:
        from veilface.kernel import _scan  # noqa: PLC0415 – it is not there where no compiler was
    except ImportError:
        return None
    return _scan


def choose(wanted: str | None) -> tuple[ModuleType | None, int]:
    """The kernel, or None for NumPy, and the level of its instructions.

    Raises ``ValueError`` for what this machine does not have.
    """
    found = built()
    levels = LEVELS[: found.best_level() + 1] if found else ()
    if wanted == "numpy" or not (wanted or found):
        return None, 0
    if found is None or (wanted or levels[-1]) not in levels:
        raise ValueError(f"VEILFACE_KERNEL={wanted}: not on this machine")
    return found, LEVELS.index(wanted or levels[-1])


compiled, level = choose(os.environ.get("VEILFACE_KERNEL"))
instructions: Final = LEVELS[level] if compiled else "numpy"


@cache
def say_what_computes() -> None:
    """One line in the log of this process."""
    logging.getLogger(__name__).info("kernel: %s", instructions)
