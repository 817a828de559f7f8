"""``veilface evaluate`` and ``veilface calibrate``: figures and thresholds from a data set of one's own."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from veilface.cli.options import JsonFlag
from veilface.cli.output import emit, say, table
from veilface.messages import text

DataArgument = Annotated[Path, typer.Argument(exists=True, metavar="DIR|FILE.npz", help=text("cli.argument.dataset"))]


def evaluate(
    dataset: DataArgument,
    *,
    schemes: Annotated[list[str] | None, typer.Option("--scheme", help=text("cli.option.evaluate_scheme"))] = None,
    out: Annotated[Path, typer.Option("--out", file_okay=False, help=text("cli.option.evaluate_out"))] = Path(
        "evaluation"
    ),
    tokens: Annotated[int, typer.Option("--tokens", min=1, max=20, help=text("cli.option.evaluate_tokens"))] = 3,
    attacks: Annotated[bool, typer.Option("--attacks/--no-attacks", help=text("cli.option.evaluate_attacks"))] = True,
    as_json: JsonFlag = False,
) -> None:
    """Measures every protection beside the plaintext baseline; writes report.html and metrics.json."""
    from veilface.cli.progress import progress
    from veilface.evaluate.datasets import load
    from veilface.evaluate.evaluation import evaluate as run
    from veilface.evaluate.metrics import metrics
    from veilface.evaluate.protections import PROTECTIONS, known
    from veilface.evaluate.report import page, summary

    chosen = known(schemes or tuple(PROTECTIONS))
    with progress(text("cli.evaluate.loading")) as advance:
        people = load(dataset, advance=advance)
    with progress(text("cli.evaluate.progress")) as advance:
        evaluation = run(people, schemes=chosen, tokens=tokens, attacks=attacks, advance=advance)
    out.mkdir(parents=True, exist_ok=True)
    figures = metrics(evaluation)
    (out / "metrics.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    (out / "report.html").write_text(page(evaluation), "utf-8")
    if as_json:
        emit(figures)
        return
    columns = ("scheme", "eer", "tar3", "tar4", "loss3", "loss4", "bytes")
    table(tuple(f"evaluate.column.{column}" for column in columns), summary(evaluation))
    say("evaluate.written", report=str(out / "report.html"), metrics=str(out / "metrics.json"))


def calibrate(
    dataset: DataArgument,
    *,
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help=text("cli.option.calibrate_out"))] = Path(
        "calibration.json"
    ),
    tokens: Annotated[int, typer.Option("--tokens", min=1, max=50, help=text("cli.option.evaluate_tokens"))] = 8,
    as_json: JsonFlag = False,
) -> None:
    """Finds the thresholds of every protection for FMR 1e-3, 1e-4 and 1e-5, and writes them with their provenance."""
    from veilface.cli.progress import progress
    from veilface.evaluate.calibrate import calibrate as run
    from veilface.evaluate.datasets import load
    from veilface.protect.calibration import FMRS

    with progress(text("cli.evaluate.loading")) as advance:
        people = load(dataset, advance=advance)
    with progress(text("cli.evaluate.progress")) as advance:
        found = run(people, tokens=tokens, advance=advance)
    out.write_text(found.to_json(), "utf-8")
    if as_json:
        emit(json.loads(found.to_json()))
        return
    rows = [
        (text(f"evaluate.scheme.{name}"), *(f"{values[fmr]:.6g}" if fmr in values else "–" for fmr in FMRS))
        for name, values in found.thresholds.items()
    ]
    columns = ("scheme", "fmr3", "fmr4", "fmr5")
    table(tuple(f"evaluate.column.{column}" for column in columns), rows)
    pairs = f"{found.data.impostor_pairs:,}"
    say("evaluate.calibrated", path=str(out), pairs=pairs, tokens=found.data.tokens)


COMMANDS: Final = {"evaluate": evaluate, "calibrate": calibrate}
