"""Time against the size of the gallery, as a drawing of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from veilface.evaluate.plots import Axis, Line, drawing
from veilface.evaluate.search_benchmark import SearchBench, SearchRow
from veilface.messages import Language, text

_SERIES: Final = ("query_ms", "encrypted_ms", "plain_ms", "read_ms")
_DIMENSION: Final = 128


def plot(bench: SearchBench, language: Language) -> str:
    """An SVG of the rows with d = 128, or of all if there is none: both axes logarithmic."""
    rows = [row for row in bench.rows if row.d == _DIMENSION] or bench.rows
    lines = [
        Line(
            series=number,
            name=text(f"bench.search.plot.{name}", language),
            x=np.array([row.n for row in rows], np.float64),
            y=np.array([getattr(row, name) for row in rows], np.float64),
            dashed=name == "read_ms",
        )
        for number, name in enumerate(_SERIES)
        if all(getattr(row, name) is not None for row in rows)
    ]
    return drawing(
        text("bench.search.plot.title", language, d=rows[0].d),
        lines,
        _templates(rows, language),
        _times(lines, language),
    )


def write_plots(bench: SearchBench, path: Path) -> None:
    """One drawing in each language: ``path`` in English, and ``….zh.svg`` beside it."""
    path.write_text(plot(bench, "en"), encoding="utf-8")
    path.with_suffix(f".zh{path.suffix}").write_text(plot(bench, "zh"), encoding="utf-8")


def _templates(rows: Sequence[SearchRow], language: Language) -> Axis:
    sizes = [row.n for row in rows]
    ticks = [(float(n), f"{n:,}") for n in dict.fromkeys(sizes)]
    label = text("bench.search.plot.n", language)
    return Axis(low=min(sizes) / 1.3, high=max(sizes) * 1.3, ticks=ticks, label=label, log=True)


def _times(lines: Sequence[Line], language: Language) -> Axis:
    values = np.concatenate([line.y for line in lines])
    powers = range(int(np.floor(np.log10(values.min()))), int(np.ceil(np.log10(values.max()))) + 1)
    ticks = [(10.0**power, f"{10.0**power:g}") for power in powers]
    label = text("bench.search.plot.ms", language)
    return Axis(low=ticks[0][0], high=ticks[-1][0], ticks=ticks, label=label, log=True)
