"""``report.html``: the evaluation for people, in one file that needs nothing else."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files

import numpy as np

from veilface.evaluate import plots
from veilface.evaluate.accuracy import FMR_TARGETS
from veilface.evaluate.evaluation import HEADLINE_FMR, Evaluation, SchemeResult
from veilface.evaluate.metrics import loss
from veilface.evaluate.protections import BASELINE, PROTECTIONS
from veilface.messages import Language, preferred_language, text

_NONE = "–"


class Report:
    """Builds the page in one language."""

    def __init__(self, evaluation: Evaluation, language: Language | None = None) -> None:
        self._evaluation = evaluation
        self._language: Language = language or preferred_language()
        self._results = list(evaluation.schemes.values())
        self._attacked = [result for result in self._results if result.attacks is not None]
        self._linked = [result for result in self._results if result.linkage is not None]

    def html(self) -> str:
        """The whole page."""
        style = files("veilface.evaluate").joinpath("report.css").read_text("utf-8")
        parts = [self._head(), self._accuracy(), self._distributions(), self._costs()]
        if self._linked:
            parts.append(self._linkage())
        if self._attacked:
            parts.append(self._attacks())
        lang = "zh-CN" if self._language == "zh" else "en"
        return (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{self._say('title')}</title><style>{style}</style></head><body>{''.join(parts)}</body></html>\n"
        )

    def _head(self) -> str:
        whole, measured = self._evaluation.dataset, self._evaluation.measured
        some = self._results[0].stolen
        lead = self._say(
            "lead",
            name=whole.name,
            pictures=f"{len(measured.people):,}",
            people=f"{int(measured.people.max()) + 1:,}",
            genuine=f"{some.genuine:,}",
            impostors=f"{some.impostors:,}",
            tokens=self._evaluation.tokens,
        )
        fte = self._say("fte", failures=whole.failures, pictures=whole.pictures, share=f"{100 * whole.fte:.2f} %")
        title, setting = self._say("title"), self._say("stolen")
        return f'<h1>{title}</h1><p class="lead">{lead}</p><p>{setting}</p><p class="note">{fte}</p>'

    def _accuracy(self) -> str:
        least = 1 / max(result.curve.impostors for result in self._results)
        lines = []
        # The baseline last, so that its dashes lie on top of curves that cover it.
        for result in sorted(self._results, key=lambda result: result.name == BASELINE):
            fmr, fnmr = result.curve.det()
            lines.append(
                plots.Line(
                    series=_series(result.name),
                    name=self._name(result.name),
                    x=fmr,
                    y=np.maximum(fnmr, 1e-6),
                    dashed=result.name == BASELINE,
                )
            )
        x = plots.rate_axis(self._say("axis.fmr"), max(least, 1e-6), 0.1)
        y = plots.rate_axis(self._say("axis.fnmr"), 1e-3, 1.0)
        figures = [self._figure(plots.curves(self._say("det.title"), lines, x, y), "det.caption")]
        drawn = {fmr: self._tar(fmr) for fmr in ("1e-3", "1e-4")}
        figures += [self._figure(plot, "tar.caption", fmr=fmr) for fmr, plot in drawn.items() if plot]
        return f"<h2>{self._say('accuracy')}</h2>{''.join(figures)}{self._table()}"

    def _tar(self, fmr: str) -> str:
        rows = []
        for result in self._results:
            value, low, high = (r.tar[fmr] for r in (result.stolen.rates, result.stolen.lower, result.stolen.upper))
            if value is not None and low is not None and high is not None:
                name = self._name(result.name)
                rows.append(plots.Interval(series=_series(result.name), name=name, value=value, low=low, high=high))
        if not rows:
            return ""
        lowest = min(row.low for row in rows)
        start = max(0.0, np.floor(lowest * 20) / 20 - 0.05)
        step = (1 - start) / 4
        ticks = [(start + step * n, f"{100 * (start + step * n):.3g} %") for n in range(5)]
        axis = plots.Axis(low=start, high=1.0, ticks=ticks, label=self._say("axis.tar", fmr=fmr))
        return plots.dots(self._say("axis.tar", fmr=fmr), rows, axis)

    def _table(self) -> str:
        columns = ["scheme", "eer", *(f"tar {fmr}" for fmr in FMR_TARGETS), "loss 1e-3", "loss 1e-4", "own", "wrong"]
        heads = "".join(f"<th>{self._column(column)}</th>" for column in columns)
        rows = "".join(self._row(result) for result in self._results)
        note = self._say("table.note")
        return f'{_table(heads, rows)}<p class="note">{note}</p>{self._unselected()}'

    def _unselected(self) -> str:
        """The same rates on all pictures, where the data mark some as unusable."""
        columns = ["scheme", "eer", *(f"tar {fmr}" for fmr in FMR_TARGETS)]
        rows = "".join(
            f"{self._opened(result)}{_cell(_percent(result.unselected.rates.eer))}"
            f"{''.join(_cell(_percent(result.unselected.rates.tar[fmr])) for fmr in FMR_TARGETS)}</tr>"
            for result in self._results
            if result.unselected is not None
        )
        if not rows:
            return ""
        whole = self._evaluation.dataset
        left_out = len(whole.people) - len(self._evaluation.measured.people)
        intro = self._say("unselected", pictures=f"{len(whole.people):,}", left_out=left_out)
        return f"<p>{intro}</p>{_table(''.join(f'<th>{self._column(column)}</th>' for column in columns), rows)}"

    def _column(self, column: str) -> str:
        kind, _, fmr = column.partition(" ")
        return self._say(f"column.{kind}", fmr=fmr)

    def _row(self, result: SchemeResult) -> str:
        stolen, low, high = result.stolen, result.stolen.lower, result.stolen.upper
        lost = loss(stolen.rates, self._evaluation.schemes[BASELINE].stolen.rates)
        wrong = result.wrong_token
        cells = [
            _cell(_percent(stolen.rates.eer), _between(low.eer, high.eer)),
            *(_cell(_percent(stolen.rates.tar[f]), _between(low.tar[f], high.tar[f])) for f in FMR_TARGETS),
            _cell(_points(lost["1e-3"])),
            _cell(_points(lost["1e-4"])),
            _cell(_percent(result.own.rates.eer)),
            _cell(f"{wrong.accepted.get(HEADLINE_FMR, 0)} / {wrong.pairs:,}" if wrong.pairs else _NONE),
        ]
        return f"{self._opened(result)}{''.join(cells)}</tr>"

    def _distributions(self) -> str:
        drawn = []
        for result in self._results:
            threshold = result.stolen.thresholds[HEADLINE_FMR]
            genuine, impostor = result.curve.histogram
            sides = [(0, self._say("impostor"), impostor), (_series(result.name) or 1, self._say("genuine"), genuine)]
            mark = float(result.curve.edges[-1]) if threshold is None else threshold
            drawn.append(plots.distributions(self._name(result.name), result.curve.edges, sides, mark))
        figure = self._figure(f'<div class="small">{"".join(drawn)}</div>', "scores.caption")
        return f"<h2>{self._say('scores')}</h2>{figure}"

    def _costs(self) -> str:
        columns = ("scheme", "template", "probe", "enrol_ms", "probe_ms", "match_ms")
        heads = "".join(f"<th>{self._say(f'column.{column}')}</th>" for column in columns)
        rows = "".join(self._cost_row(result) for result in self._results)
        return f"<h2>{self._say('costs')}</h2>{_table(heads, rows)}"

    def _cost_row(self, result: SchemeResult) -> str:
        spent = result.costs
        values = (
            f"{spent.template_bytes:,} B",
            f"{spent.probe_bytes:,} B",
            *map(_ms, (spent.enrol_ms, spent.probe_ms, spent.match_ms)),
        )
        return f"{self._opened(result)}{''.join(map(_cell, values))}</tr>"

    def _opened(self, result: SchemeResult) -> str:
        """A row begun with the protection's name."""
        kind = ' class="published"' if result.published else ""
        return f"<tr{kind}><td>{escape(self._name(result.name))}</td>"

    def _linkage(self) -> str:
        rows, known = [], []
        for result in self._linked:
            found = result.linkage
            if found is None:
                continue
            rows.append((_series(result.name), self._name(result.name), found.unknown.d_sys, found.unknown.floor))
            if found.known is not None:
                known.append(f"{self._name(result.name)} {found.known.d_sys:.2f}")
        axis = plots.Axis(
            low=0.0, high=1.0, ticks=[(n / 4, f"{n / 4:g}") for n in range(5)], label=self._say("axis.d_sys")
        )
        drawn = plots.bars(self._say("linkage"), rows, axis, self._say("floor"))
        note = self._say("linkage.known", values=(", " if self._language == "en" else "、").join(known))
        figure = self._figure(drawn, "linkage.caption")
        return f'<h2>{self._say("linkage")}</h2>{figure}<p class="note">{note}</p>'

    def _attacks(self) -> str:
        heads = f'<th>{self._say("column.leak")}</th><th class="left">{self._say("column.attack")}</th>' + "".join(
            f"<th>{self._say(f'column.{column}')}</th>" for column in ("cosine", "same", "new", "bits")
        )
        sections = []
        for result in self._attacked:
            rows = "".join(
                self._attack_row(leak, attack, outcome)
                for leak, found in (result.attacks or {}).items()
                for attack, outcome in found.items()
            )
            sections.append(
                f"<h3>{escape(self._name(result.name))}</h3><p>{self._say(f'verdict.{result.name}')}</p>"
                f"{_table(heads, rows)}"
            )
        intro = self._say("attacks.lead", fmr=HEADLINE_FMR)
        return f"<h2>{self._say('attacks')}</h2><p>{intro}</p>{''.join(sections)}"

    def _attack_row(self, leak: str, attack: str, outcome: object) -> str:
        cosine, same, new, bits = (getattr(outcome, key) for key in ("cosine", "accepted_same", "accepted_new", "bits"))
        return (
            f'<tr><td>{self._say(f"leak.{leak}")}</td><td class="left">{self._say(f"attack.{attack}")}</td>'
            f"{_heat(cosine, _NONE if cosine is None else f'{cosine:.3f}')}"
            f"{_heat(same, _percent(same))}{_heat(new, _percent(new))}{_cell(_percent(bits))}</tr>"
        )

    def _figure(self, drawn: str, caption: str, **details: str) -> str:
        return f"<figure>{drawn}<figcaption>{self._say(caption, **details)}</figcaption></figure>"

    def _name(self, scheme: str) -> str:
        return text(f"evaluate.scheme.{scheme}", self._language)

    def _say(self, code: str, **details: str | int) -> str:
        safe = {name: escape(str(value)) for name, value in details.items()}
        return text(f"evaluate.report.{code}", self._language, **safe)


def _series(name: str) -> int:
    return list(PROTECTIONS).index(name)


def _table(heads: str, rows: str) -> str:
    return f'<div class="scroll"><table><tr>{heads}</tr>{rows}</table></div>'


def _cell(value: str, below: str = "") -> str:
    return f"<td>{value}{f'<small>{below}</small>' if below else ''}</td>"


def _heat(share: float | None, value: str) -> str:
    return f'<td class="heat" style="--share:{min(1.0, max(0.0, share or 0.0)):.3f}">{value}</td>'


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{100 * share:.2f} %"


def _points(share: float | None) -> str:
    return _NONE if share is None else f"{100 * share:+.2f}"


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.2f} – {100 * high:.2f}"


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2f}"


def page(evaluation: Evaluation, language: Language | None = None) -> str:
    """The report as HTML."""
    return Report(evaluation, language).html()


def summary(evaluation: Evaluation) -> Sequence[tuple[str, ...]]:
    """Rows for the terminal: scheme, EER, TAR at 1e-3 and 1e-4, losses, bytes."""
    baseline = evaluation.schemes[BASELINE].stolen.rates
    rows = []
    for result in evaluation.schemes.values():
        rates, lost = result.stolen.rates, loss(result.stolen.rates, baseline)
        name = text(f"evaluate.scheme.{result.name}")
        figures = (_percent(rates.eer), _percent(rates.tar["1e-3"]), _percent(rates.tar["1e-4"]))
        losses = (_points(lost["1e-3"]), _points(lost["1e-4"]))
        rows.append((name, *figures, *losses, f"{result.costs.template_bytes:,}"))
    return rows
