"""``veilface doctor``: what works, what does not, and what to do about it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from veilface.cli.options import DATA_FOLDER, SERVER, JsonFlag, ServerOption
from veilface.cli.output import emit, say, table
from veilface.messages import text

if TYPE_CHECKING:
    from veilface.cli.checks import Finding


def doctor(
    *,
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help=text("cli.option.data"))] = DATA_FOLDER,
    server: ServerOption = SERVER,
    as_json: JsonFlag = False,
) -> None:
    """Checks this installation; the exit status is 1 if something must be mended."""
    from veilface.cli import checks

    findings = checks.examine(data, server)
    broken = [finding for finding in findings if finding.state == "broken"]
    if as_json:
        listed = [{"check": f.check, "state": f.state, "found": f.found, "advice": _advice(f)} for f in findings]
        emit({"healthy": not broken, "checks": listed})
    else:
        rows = [(text(f"doctor.{f.check}"), text(f"doctor.state.{f.state}"), f.found, _advice(f)) for f in findings]
        table(("cli.column.check", "cli.column.state", "cli.column.found", "cli.column.advice"), rows, words=True)
        say("doctor.broken" if broken else "doctor.healthy", count=len(broken))
    if broken:
        raise typer.Exit(1)


def _advice(finding: "Finding") -> str:
    return "" if finding.state == "good" else text(f"doctor.{finding.check}.advice")


COMMANDS: Final = {"doctor": doctor}
