"""``veilface bench login``: face logins at two running processes, and whether refusals look alike."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from veilface.cli.options import SCHEMES, JsonFlag
from veilface.cli.output import emit, milliseconds, say, table
from veilface.messages import text

if TYPE_CHECKING:
    from veilface.bench.login import LoginBench, Refusals
    from veilface.evaluate.stopwatch import Spread

STAGES: Final = ("knock", "key", "protect", "answer", "server")
SERVER_STAGES: Final = ("check", "look_up", "masks", "match", "decide", "sign_in")


def login(
    *,
    rounds: Annotated[int, typer.Option(min=1, max=100, help=text("cli.option.rounds"))] = 20,
    refusals: Annotated[bool, typer.Option("--refusals", help=text("cli.option.refusals"))] = False,
    scheme: Annotated[
        list[str] | None, typer.Option("--scheme", metavar=SCHEMES, help=text("cli.option.only_scheme"))
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Times face logins over HTTP, server and key holder as processes of their own."""
    from veilface.bench.login import bench_login
    from veilface.cli.progress import progress

    with progress(text("cli.bench.login.progress")) as advance:
        report = bench_login(rounds=rounds, schemes=scheme or SCHEMES.split("|"), refusals=refusals, advance=advance)
    if as_json:
        emit(report.as_json())
    else:
        show_login(report)


def show_login(report: "LoginBench") -> None:
    """Protections side by side: accepted logins by stage; then refusals by kind."""
    measured = report.protections.values()
    columns = [f"evaluate.scheme.{name}" for name in report.protections]
    stages = [*STAGES, *(f"server_{name}" for name in SERVER_STAGES)]
    rows = [(text(f"bench.login.{name}"), *(_spread(one.stages.get(name)) for one in measured)) for name in stages]
    used = [
        (text(f"bench.login.{program}_cpu"), *(_used(getattr(one, f"{program}_cpu_ms")) for one in measured))
        for program in ("server", "keyholder")
    ]
    table(("cli.column.stage", *columns), [*rows, *used], title="bench.title.login")
    kinds = list(dict.fromkeys(kind for one in measured for kind in one.refusals))
    if kinds:
        refused = [
            (text(f"bench.login.{kind}"), *(_refusals(one.refusals[kind]) for one in measured)) for kind in kinds
        ]
        table(("bench.column.refusal", *columns), refused, title="bench.title.refusals")
        say("bench.login.shapes", shapes=max(one.shapes for one in measured))


def _spread(spread: "Spread | None") -> str:
    return "–" if spread is None else f"{milliseconds(spread.median_ms)} / {milliseconds(spread.min_ms)}"


def _used(milliseconds_of_it: float | None) -> str:
    return "–" if milliseconds_of_it is None else milliseconds(milliseconds_of_it)


def _refusals(of: "Refusals") -> str:
    times = f"{of.answer.median_ms:.1f} / {of.answer.min_ms:.1f} ms"
    return times if of.apart is None else f"{times}  D {of.apart.distance:.2f}, p {of.apart.probability:.2f}"
