"""What commands print: sentences and tables for people, or one JSON object for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from veilface.errors import Detail
from veilface.messages import text

console = Console(highlight=False, markup=False)


def emit(answer: Mapping[str, object]) -> None:
    """One JSON object on stdout, and nothing else."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")


def say(key: str, **details: Detail) -> None:
    """One sentence from the catalogues on stdout."""
    console.print(text(key, None, **details), soft_wrap=True)


def warn(sentence: str) -> None:
    """A sentence on stderr, so that stdout stays clean."""
    Console(stderr=True).print(sentence, markup=False, highlight=False, soft_wrap=True, style="yellow")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None, words: bool = False
) -> None:
    """A table whose headings are codes of the catalogues; figures after the first column are right-aligned."""
    drawn = Table(title=None if title is None else text(title), title_justify="left")
    for index, column in enumerate(columns):
        drawn.add_column(text(column), justify="left" if words or index == 0 else "right", overflow="fold")
    for row in rows:
        drawn.add_row(*row)
    console.print(drawn)


def milliseconds(value: float) -> str:
    """A duration for people: three digits are enough."""
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"  # noqa: PLR2004
