"""``veilface bench http``: whole searches of a kiosk at two running programs."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from veilface.cli.options import JsonFlag
from veilface.cli.output import emit, milliseconds, say, table
from veilface.messages import text

if TYPE_CHECKING:
    from veilface.bench.searching import HttpBench, SearchedRow

STAGES: Final = ("protect", "answer", "server", "server_check", "server_search")
COLUMNS: Final = ("cli.column.stage", "cli.column.median", "cli.column.minimum")
FEWEST: Final = 100
MOST: Final = 511 * 2048 + 1
"""The key holder takes 512 blocks of 2048; the one whom the kiosk registers last has a block of their own."""


def http(
    *,
    n: Annotated[list[int] | None, typer.Option("--n", min=FEWEST, max=MOST, help=text("cli.option.people_n"))] = None,
    rounds: Annotated[int, typer.Option(min=1, max=1000, help=text("cli.option.rounds"))] = 11,
    as_json: JsonFlag = False,
) -> None:
    """Times a kiosk's searches over HTTP, server and key holder as processes of their own."""
    from veilface.bench.searching import SIZES, bench_http
    from veilface.cli.progress import progress

    with progress(text("cli.bench.http.progress")) as advance:
        report = bench_http(sizes=n or SIZES, rounds=rounds, advance=advance)
    if as_json:
        emit(report.as_json())
    else:
        show_http(report)


def show_http(report: "HttpBench") -> None:
    """A table a size, and what its figures are."""
    for row in report.rows:
        say("bench.http.people", n=f"{row.n:,}")
        table(COLUMNS, [*_times(row), *_used(row)])
    say("bench.http.rounds", rounds=report.rounds)


def _times(row: "SearchedRow") -> list[tuple[str, str, str]]:
    return [
        (text(f"bench.http.{stage}"), milliseconds(spread.median_ms), milliseconds(spread.min_ms))
        for stage in STAGES
        if (spread := row.stages.get(stage))
    ]


def _used(row: "SearchedRow") -> list[tuple[str, str, str]]:
    times = {"server_cpu": row.server_cpu_ms, "keyholder_cpu": row.keyholder_cpu_ms}
    held = {"server_memory": row.server_memory, "keyholder_memory": row.keyholder_memory}
    shown = {what: milliseconds(spent) for what, spent in times.items() if spent is not None}
    shown |= {what: f"{octets / 1e6:.0f} MB" for what, octets in held.items() if octets is not None}
    return [(text(f"bench.http.{what}"), value, "") for what, value in shown.items()]
