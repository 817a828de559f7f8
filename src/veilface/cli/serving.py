"""``veilface serve``: everything on this machine, or – with ``--keyholder`` – the server alone."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer

from veilface.cli.errors import OptionsExclude
from veilface.cli.options import DATA_FOLDER, PORT
from veilface.cli.output import milliseconds, say, table
from veilface.messages import text


class Stop(BaseException):
    """SIGTERM: stop both processes and leave without a complaint."""


def serve(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help=text("cli.option.port"))] = PORT,
    host: Annotated[str, typer.Option(help=text("cli.option.host"))] = "127.0.0.1",
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help=text("cli.option.data"))] = DATA_FOLDER,
    selftest: Annotated[bool, typer.Option("--selftest", help=text("cli.option.selftest"))] = False,
    keyholder: Annotated[str | None, typer.Option(metavar="URL", help=text("cli.option.keyholder"))] = None,
) -> None:
    """Starts server and key holder and stays until Ctrl-C; both stop together."""
    if selftest and keyholder:
        raise OptionsExclude(first="--selftest", second="--keyholder")
    if selftest:
        _selftest()
    elif keyholder:
        _serve_alone(data, host, port, keyholder)
    else:
        _serve_pair(data, host, port)


def _serve_pair(data: Path, host: str, port: int) -> None:
    from veilface import launcher

    signal.signal(signal.SIGTERM, _stop)
    try:
        with launcher.running(data.absolute(), host=host, port=port) as pair:
            say("cli.serve.ready", url=pair.url, data=str(data))
            pair.wait()
    except (KeyboardInterrupt, Stop):
        say("cli.serve.stopped")


def _serve_alone(data: Path, host: str, port: int, keyholder: str) -> None:
    from veilface import launcher
    from veilface.server import run

    launcher.end_with_parent()
    run.serve(data.absolute(), host, port, keyholder_url=keyholder)


def _selftest() -> None:
    from veilface import selftest

    steps = selftest.run()
    marks = {True: text("selftest.passed"), False: text("selftest.failed")}
    rows = [
        (
            text(f"selftest.{step.name}"),
            "" if step.scheme is None else text(f"evaluate.scheme.{step.scheme}"),
            marks[step.passed],
            milliseconds(step.spent_ms),
        )
        for step in steps
    ]
    table(("cli.column.step", "cli.column.protection", "cli.column.result", "cli.column.time"), rows)
    if not all(step.passed for step in steps):
        raise typer.Exit(1)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stop


COMMANDS: Final = {"serve": serve}
