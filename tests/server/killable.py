"""The real server, except that it may kill itself with SIGKILL at a labelled seam.

``python -m tests.server.killable FOLDER PORT KEYHOLDER_PORT SEAM``; SEAM is empty, or like ``stored:2`` – the second
time this process comes there, master and worker die – or ``armed``: whenever FOLDER/armed names a seam, the worker
dies there, once, and its master makes another.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Literal

from veilface.server import run

# A seam is just before or just after a function of veilface.server.
SEAMS: dict[str, tuple[str, str, Literal["before", "after"]]] = {
    "accepted": ("enrolment.services", "_require_accepted", "after"),
    "stored": ("enrolment.services", "_store", "after"),
    "activated": ("enrolment.services", "_activate", "after"),
    "finished": ("enrolment.services", "_finish", "after"),
    "erased": ("enrolment.services", "_remove", "before"),  # the key holder has erased the key already
    "removed": ("enrolment.services", "_remove", "after"),
    # of a payment, in their order
    "claimed": ("wallet.idempotency", "_begin", "after"),
    "checked": ("wallet.payments", "_checked", "after"),
    "held": ("wallet.payments", "_hold", "after"),
    "decided": ("wallet.payments", "_conclude", "before"),
    "posted": ("wallet.ledger", "post", "after"),  # and not yet committed
    "executed": ("wallet.payments", "_execute", "after"),
    "concluded": ("wallet.payments", "_conclude", "after"),
    "answered": ("wallet.payments", "pay", "after"),
}


def die_at(seam: str, *, when: Callable[[], bool], die: Callable[[], None]) -> None:
    module_name, name, side = SEAMS[seam]
    module = import_module(f"veilface.server.{module_name}")
    function = getattr(module, name)

    def dying(*args: Any, **options: Any) -> Any:
        last = when()
        if last and side == "before":
            die()
        result = function(*args, **options)
        if last:
            die()
        return result

    setattr(module, name, dying)


def kill_at(seam: str, folder: Path) -> None:
    if seam == "armed":
        for name in SEAMS:
            die_at(name, when=partial(_disarm, folder / "armed", name), die=_die)
    else:
        name, passes = seam.split(":")
        calls = count(1)
        die_at(name, when=lambda: next(calls) == int(passes), die=_die_with_master)


def _disarm(armed: Path, seam: str) -> bool:
    with suppress(FileNotFoundError):
        if armed.read_text() == seam:
            armed.unlink()
            return True
    return False


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_with_master() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    _die()


class KillableGunicorn(run.Gunicorn):
    seam = ""
    folder = Path()

    def load(self) -> Callable[..., Any]:
        application = super().load()
        if self.seam:
            kill_at(self.seam, self.folder)
        return application


def main(folder: Path, port: int, keyholder_port: int, seam: str) -> None:
    KillableGunicorn.seam, KillableGunicorn.folder = seam, folder
    run.Gunicorn = KillableGunicorn  # type: ignore[misc]
    run.serve(
        folder / "server",
        "127.0.0.1",
        port,
        keyholder_url=f"https://localhost:{keyholder_port}",
        keyholder_credentials=folder / "credentials",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
