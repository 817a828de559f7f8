"""Plots as inline SVG and boxes: no library, no script, no font but the reader's own.

Colours are classes of ``report.css``: ``series-0`` … ``series-5``; light and dark follow the reader's system. All
texts come in ready, in the reader's language.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 640
HEIGHT: Final = 540
LEFT, RIGHT, TOP, BOTTOM = 84, 28, 14, 64

Reals = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A linear or logarithmic axis from ``low`` to ``high`` with labelled ``ticks``."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    label: str
    log: bool = False

    def place(self, value: float) -> float:
        """Where ``value`` is, 0…1, held within the axis."""
        low, high, at = (math.log10(max(v, 1e-12)) if self.log else v for v in (self.low, self.high, value))
        return min(1.0, max(0.0, (at - low) / (high - low)))


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve: its place in the palette, its name, its points; ``dashed`` for the baseline."""

    series: int
    name: str
    x: Reals
    y: Reals
    dashed: bool = False


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A row of a dot plot: a value and its interval."""

    series: int
    name: str
    value: float
    low: float
    high: float


def rate_axis(label: str, low: float, high: float) -> Axis:
    """A logarithmic axis of shares with a tick at each power of ten."""
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    return Axis(low=low, high=high, ticks=[(10.0**p, _percent(10.0**p)) for p in powers], label=label, log=True)


def curves(title: str, lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """Curves over two axes; each carries its name as a tooltip and in the legend beneath."""
    paths = "".join(
        f'<path class="curve series-{line.series}{" dashed" if line.dashed else ""}" d="{_path(line, x, y)}">'
        f"<title>{escape(line.name)}</title></path>"
        for line in lines
    )
    return _figure(title, WIDTH, HEIGHT, _frame(x, y) + paths) + legend(lines)


def drawing(title: str, lines: Sequence[Line], x: Axis, y: Axis) -> str:
    """The same curves as a file of its own: points marked, names beside their colours above, style within."""
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = [f"<title>{escape(title)}</title><style>{_DRAWN}</style>", _frame(x, y)]
    for row, line in enumerate(lines):
        dashed = " dashed" if line.dashed else ""
        parts.append(f'<path class="curve series-{line.series}{dashed}" d="{_path(line, x, y)}"/>')
        parts += [
            f'<circle class="point series-{line.series}" r="4" cx="{LEFT + across * x.place(float(a)):.1f}" '
            f'cy="{TOP + down * (1 - y.place(float(b))):.1f}"/>'
            for a, b in zip(line.x, line.y, strict=True)
        ]
        at = TOP + 20 + 24 * row
        parts.append(
            f'<path class="curve series-{line.series}{dashed}" d="M{LEFT + 14} {at}h26"/>'
            f'<text class="tick" x="{LEFT + 48}" y="{at + 5}">{escape(line.name)}</text>'
        )
    return _figure(title, WIDTH, HEIGHT, "".join(parts)) + "\n"


_DRAWN: Final = (
    'text{font-family:system-ui,"PingFang SC","Noto Sans SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;'
    "fill:#17262b}.tick{font-size:14px}.label{font-size:15px}.grid{stroke:#dbe3e4}.curve{fill:none;stroke-width:2.5}"
    ".dashed{stroke-dasharray:7 5}.series-0{stroke:#0b6170}.series-1{stroke:#b5661b}.series-2{stroke:#6a4fa3}"
    ".series-3{stroke:#6a777b}.point{fill:#fff;stroke-width:2}@media(prefers-color-scheme:dark){text{fill:#e6edee}"
    ".grid{stroke:#33464c}.point{fill:#132024}.series-0{stroke:#6fc3d0}.series-1{stroke:#e0a363}"
    ".series-2{stroke:#b7a3e3}.series-3{stroke:#93a3a8}}"
)


def legend(lines: Sequence[Line]) -> str:
    """Names beside their colours, as a list."""
    entries = "".join(f'<li class="series-{line.series}">{escape(line.name)}</li>' for line in lines)
    return f'<ul class="legend">{entries}</ul>'


def dots(title: str, rows: Sequence[Interval], x: Axis) -> str:
    """Values with their intervals, one row each, so that overlaps show at a glance."""
    drawn = []
    for row in rows:
        low, at, high = (100 * x.place(value) for value in (row.low, row.value, row.high))
        marks = (
            f'<i class="whisker series-{row.series}" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
            f'<i class="dot series-{row.series}" style="left:{at:.2f}%"></i>'
        )
        drawn.append(_row(row.name, marks, _percent(row.value, digits=2)))
    return _rows(title, drawn, x)


def distributions(title: str, edges: Reals, sides: Sequence[tuple[int, str, NDArray[np.int64]]], mark: float) -> str:
    """Two histograms of scores as filled shapes, each of height one, and the threshold as a line."""
    width, height = 300, 150
    left, bottom = 6, height - 20
    x = Axis(low=float(edges[0]), high=float(edges[-1]), ticks=(), label="")
    shapes = []
    for series, name, counts in sides:
        peak = max(int(counts.max()), 1)
        tops = [
            f"{left + (width - 12) * x.place(float(edge)):.1f},{bottom - (bottom - 8) * count / peak:.1f}"
            for edge, count in zip((edges[:-1] + edges[1:]) / 2, counts, strict=True)
        ]
        points = " ".join([f"{left},{bottom}", *tops, f"{width - left},{bottom}"])
        title_ = f"<title>{escape(name)}</title>"
        shapes.append(f'<polygon class="area series-{series}" points="{points}">{title_}</polygon>')
    at = left + (width - 12) * x.place(mark)
    line = f'<line class="threshold" x1="{at:.1f}" x2="{at:.1f}" y1="4" y2="{bottom}"/>'
    base = f'<line class="axis" x1="{left}" x2="{width - left}" y1="{bottom}" y2="{bottom}"/>'
    label = f'<text class="tick" x="{width / 2}" y="{height - 4}" text-anchor="middle">{escape(title)}</text>'
    return _figure(title, width, height, "".join(shapes) + line + base + label)


def bars(title: str, rows: Sequence[tuple[int, str, float, float]], x: Axis, mark_name: str) -> str:
    """A bar a row and a mark on each: (series, name, value, mark)."""
    drawn = []
    for series, name, value, mark in rows:
        marks = (
            f'<i class="bar series-{series}" style="width:{100 * x.place(value):.2f}%"></i>'
            f'<i class="mark" style="left:{100 * x.place(mark):.2f}%" title="{escape(mark_name)}"></i>'
        )
        drawn.append(_row(name, marks, f"{value:.3f}"))
    return _rows(title, drawn, x)


def _row(name: str, marks: str, value: str) -> str:
    return (
        f'<div class="row"><span class="name">{escape(name)}</span><span class="track">{marks}</span>'
        f'<span class="value">{value}</span></div>'
    )


def _rows(title: str, rows: Sequence[str], x: Axis) -> str:
    """Rows of text and boxes, which stay readable at any width, above their axis."""
    ticks = "".join(f'<i style="left:{100 * x.place(at):.2f}%">{escape(label)}</i>' for at, label in x.ticks)
    return (
        f'<div class="rows" role="group" aria-label="{escape(title)}">{"".join(rows)}'
        f'<div class="row scale"><span class="track">{ticks}</span></div></div>'
    )


def _frame(x: Axis, y: Axis) -> str:
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = []
    for number, (at, text) in enumerate(reversed(x.ticks)):
        place = LEFT + across * x.place(at)
        parts.append(
            f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{TOP}" y2="{TOP + down}"/>'
            f'<text class="tick{" spare" if number % 2 else ""}" x="{place:.1f}" y="{TOP + down + 22}" '
            f'text-anchor="middle">{escape(text)}</text>'
        )
    for at, text in y.ticks:
        place = TOP + down * (1 - y.place(at))
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{LEFT + across}" y1="{place:.1f}" y2="{place:.1f}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{place + 5:.1f}" text-anchor="end">{escape(text)}</text>'
        )
    turned = f"translate(18 {TOP + down / 2}) rotate(-90)"
    parts.append(
        f'<text class="label" x="{LEFT + across / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.label)}</text>'
        f'<text class="label" transform="{turned}" text-anchor="middle">{escape(y.label)}</text>'
    )
    return "".join(parts)


def _path(line: Line, x: Axis, y: Axis) -> str:
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    points = [
        f"{LEFT + across * x.place(float(a)):.1f} {TOP + down * (1 - y.place(float(b))):.1f}"
        for a, b in zip(line.x, line.y, strict=True)
        if x.low <= a <= x.high and y.low <= b <= y.high
    ]
    return "M" + "L".join(points) if points else ""


def _figure(title: str, width: float, height: float, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{inside}</svg>'
    )


def _percent(share: float, digits: int = 0) -> str:
    if digits:
        return f"{100 * share:.{digits}f} %"
    return f"{100 * share:g} %"
