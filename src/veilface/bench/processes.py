"""What a running program has used, itself and those it started: processor time and memory of its own. Linux only."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
QUIET_S: Final = 0.3
QUIET: Final = 0.15
"""Of one core's time: a program that uses less waits for something."""
LONGEST_S: Final = 60.0


def cpu_s(pid: int) -> float | None:
    """Seconds of processor time that a program used so far; None where nobody counts them."""
    ticks = [_ticks(one) for one in _family(pid)]
    return sum(ticks) / os.sysconf("SC_CLK_TCK") if ticks else None


def memory(pid: int) -> int | None:
    """Bytes that a program holds, without files that it has mapped; None where nobody counts them."""
    held = [_own_bytes(one) for one in _family(pid)]
    return sum(held) if held else None


def rest(pids: Sequence[int]) -> None:
    """Wait until these programs have nothing to do, a minute at most."""
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        before = [cpu_s(pid) or 0.0 for pid in pids]
        time.sleep(QUIET_S)
        if sum((cpu_s(pid) or 0.0) - used for pid, used in zip(pids, before, strict=True)) < QUIET * QUIET_S:
            return


def _family(pid: int) -> list[int]:
    """The process and those that came from it; none where there is no such list."""
    tasks = PROC / str(pid) / "task"
    if not tasks.is_dir():
        return []
    children = [int(one) for task in tasks.iterdir() for one in _read(task / "children").split()]
    return [pid, *(one for child in children for one in _family(child))]


def _ticks(pid: int) -> int:
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12]) if fields else 0


def _own_bytes(pid: int) -> int:
    lines = _read(PROC / str(pid) / "status").splitlines()
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:")), 0)


def _read(file: Path) -> str:
    """A process that has just ended has nothing to say."""
    try:
        return file.read_text("utf-8")
    except OSError:
        return ""
