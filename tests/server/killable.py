"""The real server, except that it may kill itself – SIGKILL, master and worker – at a labelled seam.

``python -m tests.server.killable FOLDER PORT KEYHOLDER_PORT SEAM``; SEAM is empty, or like ``stored:2`` – the second
time this process comes there.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from veilface.server import run

# A seam is just after the named function of veilface.server.enrolment.services.
SEAMS = {
    "accepted": "_require_accepted",
    "stored": "_store",
    "activated": "_activate",
    "finished": "_finish",
    "erased": "_remove",
    "removed": "_remove",
}


def kill_at(seam: str) -> None:
    from veilface.server.enrolment import services  # noqa: PLC0415 – needs Django to be set up

    name, passes = seam.split(":")
    function = getattr(services, SEAMS[name])
    # "erased" is just before the row is removed: the key holder has erased the key already.
    setattr(services, SEAMS[name], _dying(function, passes=int(passes), before=name == "erased"))


def _dying(function: Callable[..., Any], *, passes: int, before: bool) -> Callable[..., Any]:
    calls = count(1)

    def dying(*args: Any, **options: Any) -> Any:
        last = next(calls) == passes
        if last and before:
            _die()
        result = function(*args, **options)
        if last:
            _die()
        return result

    return dying


def _die() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


class KillableGunicorn(run.Gunicorn):
    seam = ""

    def load(self) -> Callable[..., Any]:
        application = super().load()
        if self.seam:
            kill_at(self.seam)
        return application


def main(folder: Path, port: int, keyholder_port: int, seam: str) -> None:
    KillableGunicorn.seam = seam
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
