"""``report.html``: the evaluation for people, in one file that needs nothing else."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files

import numpy as np

from veilface.evaluate import plots
from veilface.evaluate.accuracy import FMR_TARGETS, Rates
from veilface.evaluate.attacks.stage import Outcome
from veilface.evaluate.evaluation import HEADLINE_FMR, Evaluation, SchemeResult
from veilface.evaluate.metrics import loss
from veilface.evaluate.protections import BASELINE, PROTECTIONS
from veilface.messages import Language, preferred_language, text

_NONE = "–"
_CHANCE = 0.05
_SHOWN = ("1e-3", "1e-4")
_LEAKS = (
    "database",
    "several_databases",
    "token_only",
    "database_token",
    "several_databases_tokens",
    "database_keyholder",
)


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
        parts = [self._head(), self._cards(), self._accuracy(), self._other_people(), self._distributions()]
        if self._linked:
            parts.append(self._linkage())
        if self._attacked:
            parts += [self._thefts(), self._attacks()]
        parts += [self._layered(), self._costs()]
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
        return f'<header><h1>{title}</h1><p class="lead">{lead}</p><p>{setting}</p><p class="note">{fte}</p></header>'

    def _cards(self) -> str:
        """One card for each protection in use: the figure that counts, its price, and what the database alone gives."""
        baseline = self._evaluation.schemes[BASELINE].stolen.rates
        cards = []
        for result in self._results:
            if result.published:
                continue
            tar, lost = result.stolen.rates.tar[HEADLINE_FMR], loss(result.stolen.rates, baseline)[HEADLINE_FMR]
            facts = [self._say("card.bytes", bytes=f"{result.costs.template_bytes:,}")]
            if result.name != BASELINE and lost is not None:
                facts.insert(0, self._say("card.loss", points=_points(lost)))
            if (worst := _worst(result, "database")) is not None:
                facts.append(self._say("card.database", cosine=_cosine(worst[1].cosine)))
            items = "".join(f"<li>{fact}</li>" for fact in facts)
            cards.append(
                f'<article class="card series-{_series(result.name)}"><h2>{escape(self._name(result.name))}</h2>'
                f'<p class="big">{_percent(tar)}</p><p class="note">{self._say("axis.tar", fmr=HEADLINE_FMR)}</p>'
                f"<ul>{items}</ul></article>"
            )
        return f'<section class="cards">{"".join(cards)}</section>'

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
        det = self._figure(plots.curves(self._say("det.title"), lines, x, y), "det.caption")
        tars = "".join(plot for fmr in _SHOWN if (plot := self._tar(fmr)))
        both = det + (self._figure(tars, "tar.caption") if tars else "")
        return f'<h2>{self._say("accuracy")}</h2><div class="pair">{both}</div>{self._table()}'

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
        start = np.floor(max(0.0, lowest - 0.01) * 5) / 5  # so that a quarter of the axis is a round number
        step = (1 - start) / 4
        ticks = [(start + step * n, f"{100 * (start + step * n):.3g} %") for n in range(5)]
        axis = plots.Axis(low=start, high=1.0, ticks=ticks, label=self._say("axis.tar", fmr=fmr))
        title = self._say("axis.tar", fmr=fmr)
        return f"<h3>{title}</h3>{plots.dots(title, rows, axis)}"

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

    def _other_people(self) -> str:
        """Losses of halves of the people, and thresholds on people whom they were not found on."""
        plain = self._evaluation.schemes[BASELINE].transfer.halves
        rows = []
        for result in self._results:
            halves = [
                loss(Rates(eer=None, tar=own), Rates(eer=None, tar=other))
                for own, other in zip(result.transfer.halves, plain, strict=True)
            ]
            lost = [_cell(" / ".join(_points(half[fmr]) for half in halves)) for fmr in _SHOWN]
            crossed = [result.transfer.held_out[fmr] for fmr in _SHOWN]
            kept = [result.transfer.shipped.get("1e-4")]
            there = [
                _cell(_NONE if at is None else _rate(at.fmr), None if at is None else _percent(at.tar))
                for at in crossed + kept
            ]
            rows.append(f"{self._opened(result)}{''.join(lost + there)}</tr>")
        columns = ["scheme", "half 1e-3", "half 1e-4", "crossed 1e-3", "crossed 1e-4", "shipped 1e-4"]
        heads = "".join(f"<th>{self._column(column)}</th>" for column in columns)
        intro = self._say("others.lead")
        return f"<h2>{self._say('others')}</h2><p>{intro}</p>{_table(heads, ''.join(rows))}"

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

    def _layered(self) -> str:
        """What the keyed protections cost inside ciphertexts, where that was measured."""
        columns = ("scheme", "tar 1e-3", "tar 1e-4", "error", "differing", "probe_ms", "match_ms", "decide_ms")
        rows = []
        for result in self._results:
            if (found := result.layered) is None:
                continue
            open_, tar = result.stolen.rates.tar, found.accuracy.rates.tar
            values = [
                *(_cell(_percent(tar[fmr]), self._say("layered.open", tar=_percent(open_[fmr]))) for fmr in _SHOWN),
                _cell(f"{found.error:.4f}"),
                _cell(f"{found.differing} / {found.pairs}"),
                *(_cell(_ms(spent)) for spent in (found.protect_ms, found.match_ms, found.decide_ms)),
            ]
            rows.append(f"{self._opened(result)}{''.join(values)}</tr>")
        if not rows:
            return ""
        heads = "".join(f"<th>{self._column(column)}</th>" for column in columns)
        return f"<h2>{self._say('layered')}</h2><p>{self._say('layered.lead')}</p>{_table(heads, ''.join(rows))}"

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

    def _thefts(self) -> str:
        """The best that any attack made of each theft, at a glance."""
        shown = [result for result in self._attacked if not result.published]
        leaks = [leak for leak in _LEAKS if any(leak in (result.attacks or {}) for result in shown)]
        heads = f"<th>{self._say('column.leak')}</th>" + "".join(
            f"<th>{escape(self._name(result.name))}</th>" for result in shown
        )
        rows = "".join(
            f"<tr><th>{self._say(f'leak.{leak}')}</th>{''.join(self._theft(result, leak) for result in shown)}</tr>"
            for leak in leaks
        )
        intro = self._say("attacks.lead", fmr=HEADLINE_FMR)
        table = f'<div class="scroll"><table class="thefts"><tr>{heads}</tr>{rows}</table></div>'
        return f"<h2>{self._say('attacks')}</h2><p>{intro}</p>{self._figure(table, 'thefts.caption')}"

    def _theft(self, result: SchemeResult, leak: str) -> str:
        worst = _worst(result, leak)
        if worst is None:
            return f'<td class="none">{_NONE}</td>'
        attack, outcome = worst
        value, share = _cosine(outcome.cosine), max(0.0, outcome.cosine or 0.0)
        accepted = self._say("thefts.accepted", share=f"{100 * outcome.accepted_same:.0f} %")
        title = self._say(f"attack.{attack}")
        return (
            f'<td class="heat" style="--share:{share:.3f}" title="{title}"><b>{value}</b><small>{accepted}</small></td>'
        )

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
                f"<details><summary><h3>{escape(self._name(result.name))}</h3>"
                f"<p>{self._say(f'verdict.{result.name}')}</p></summary>{_table(heads, rows)}</details>"
            )
        return "".join(sections)

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


def _worst(result: SchemeResult, leak: str) -> tuple[str, Outcome] | None:
    """The attack that came nearest to the embedding; what no key holder would let happen is left out."""
    found = [
        (name, outcome)
        for name, outcome in (result.attacks or {}).get(leak, {}).items()
        if outcome.cosine is not None and name != "hill_climbing"
    ]
    return max(found, key=lambda pair: pair[1].cosine or 0.0) if found else None


def _series(name: str) -> int:
    return list(PROTECTIONS).index(name)


def _table(heads: str, rows: str) -> str:
    return f'<div class="scroll"><table><tr>{heads}</tr>{rows}</table></div>'


def _cell(value: str, below: str | None = None) -> str:
    return f"<td>{value}{f'<small>{below}</small>' if below else ''}</td>"


def _heat(share: float | None, value: str) -> str:
    return f'<td class="heat" style="--share:{min(1.0, max(0.0, share or 0.0)):.3f}">{value}</td>'


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{100 * share:.2f} %"


def _points(share: float | None) -> str:
    return _NONE if share is None else f"{100 * share:.2f}".replace("-0.00", "0.00").replace("-", "−")


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.2f} – {100 * high:.2f}"


def _cosine(value: float | None) -> str:
    """Two digits; chance alone reaches a few hundredths either way."""
    if value is None:
        return _NONE
    return "≈ 0" if abs(value) < _CHANCE else f"{value:.2f}".replace("-", "−")


def _rate(share: float) -> str:
    """As people write a false match rate: 9.5e-4."""
    return f"{share:.1e}".replace("e-0", "e-")


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
