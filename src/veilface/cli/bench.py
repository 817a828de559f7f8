"""``veilface bench …``: figures, each beside a plaintext floor and a peer from the same run."""

from pathlib import Path
from typing import Annotated, Final

import typer

from veilface.cli.bench_http import http
from veilface.cli.bench_login import login
from veilface.cli.options import JsonFlag
from veilface.cli.output import emit
from veilface.messages import text

People = Annotated[Path, typer.Argument(exists=True, file_okay=False, metavar="DIR", help=text("cli.argument.people"))]


def verify(
    *,
    rounds: Annotated[int, typer.Option(min=1, max=10_000, help=text("cli.option.rounds"))] = 50,
    as_json: JsonFlag = False,
) -> None:
    """Times one verification by every protection stage by stage, against TenSEAL and plain NumPy."""
    from veilface.cli.progress import progress
    from veilface.cli.report import show_verification
    from veilface.evaluate.benchmark import bench_verification

    with progress(text("cli.bench.verify.progress")) as advance:
        report = bench_verification(rounds=rounds, advance=advance)
    if as_json:
        emit(report.as_json())
    else:
        show_verification(report)


def pipeline(
    folder: People,
    *,
    pairs: Annotated[int, typer.Option(min=0, help=text("cli.option.pairs"))] = 2000,
    as_json: JsonFlag = False,
) -> None:
    """Runs a folder of people's pictures through the whole path and compares decisions with plaintext."""
    from veilface.cli.progress import progress
    from veilface.cli.report import show_pipeline
    from veilface.evaluate.pipeline import bench_pipeline

    with progress(text("cli.bench.pipeline.progress")) as advance:
        report = bench_pipeline(folder, impostor_pairs=pairs, advance=advance)
    if as_json:
        emit(report.as_json())
    else:
        show_pipeline(report)


def search(
    *,
    n: Annotated[list[int] | None, typer.Option("--n", min=1, max=100_000_000, help=text("cli.option.n"))] = None,
    d: Annotated[list[int] | None, typer.Option("--d", min=1, max=4096, help=text("cli.option.d"))] = None,
    engine: Annotated[str, typer.Option("--engine", metavar="local|dask", help=text("cli.option.engine"))] = "local",
    rounds: Annotated[int, typer.Option(min=1, max=10_000, help=text("cli.option.rounds"))] = 15,
    drawing: Annotated[
        Path | None, typer.Option("--plot", dir_okay=False, metavar="FILE.svg", help=text("cli.option.plot"))
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Times searches of encrypted galleries beside the same in plaintext, reading memory, and TenSEAL."""
    from veilface.cli.progress import progress
    from veilface.cli.report import show_search
    from veilface.evaluate.search_benchmark import DIMENSIONS, SIZES, bench_search
    from veilface.evaluate.search_plot import write_plots

    with progress(text("cli.bench.search.progress")) as advance:
        report = bench_search(
            sizes=n or SIZES, dimensions=d or DIMENSIONS, rounds=rounds, engine=engine, advance=advance
        )
    if drawing:
        write_plots(report, drawing)
    if as_json:
        emit(report.as_json())
    else:
        show_search(report)


COMMANDS: Final = {"verify": verify, "pipeline": pipeline, "search": search, "login": login, "http": http}
