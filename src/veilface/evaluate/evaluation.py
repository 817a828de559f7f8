"""``veilface evaluate``: accuracy, linkage and attacks of every protection on one data set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from veilface.evaluate.accuracy import Accuracy, PairScores, accuracy
from veilface.evaluate.attacks.campaign import Results, attack
from veilface.evaluate.attacks.stage import Cast, Stage
from veilface.evaluate.costs import Costs, costs
from veilface.evaluate.datasets import Dataset
from veilface.evaluate.linkage import Linkage, linkage
from veilface.evaluate.protections import BASELINE, PROTECTIONS, Protection
from veilface.evaluate.runs import WrongToken, compared, own_tokens, stolen_tokens

TOKENS: Final = 3
HEADLINE_FMR: Final = "1e-3"
_SEED: Final = 5

Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class SchemeResult:
    """All about one protection. ``stolen`` is the headline: one token for everybody, on the clean pictures.

    ``unselected`` is the same on all pictures, where the data mark clean ones. ``own``: everybody has a token of
    their own. ``curve`` is the first stolen-token run, for the plots.
    """

    name: str
    published: bool
    stolen: Accuracy
    unselected: Accuracy | None
    own: Accuracy
    wrong_token: WrongToken
    costs: Costs
    curve: PairScores
    linkage: Linkage | None
    attacks: Results | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Everything that was measured on a data set."""

    dataset: Dataset
    measured: Dataset
    tokens: int
    schemes: dict[str, SchemeResult]


def evaluate(
    dataset: Dataset,
    *,
    schemes: Sequence[str] = tuple(PROTECTIONS),
    tokens: int = TOKENS,
    attacks: bool = True,
    advance: Advance = lambda _done, _total: None,
) -> Evaluation:
    """Measure ``schemes`` (the baseline is always among them) with this many stolen tokens each."""
    clean = dataset.chosen(dataset.clean) if dataset.has_clean else dataset
    names = [name for name in PROTECTIONS if name in {*schemes, BASELINE}]
    steps = _Steps(advance, len(names) * (tokens * (1 + dataset.has_clean) + 2 + 2 * attacks))
    bench = _Bench(dataset=dataset, clean=clean, tokens=tokens, attacks=attacks, steps=steps)
    results: dict[str, SchemeResult] = {}
    for name in names:
        results[name] = _measure(PROTECTIONS[name](), bench, results.get(BASELINE))
    return Evaluation(dataset=dataset, measured=clean, tokens=tokens, schemes=results)


class _Steps:
    """Counts what is done for the progress bar."""

    def __init__(self, advance: Advance, total: int) -> None:
        self._advance, self._total, self._done = advance, total, 0

    def one(self) -> None:
        self._done += 1
        self._advance(self._done, self._total)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bench:
    """What is the same for every protection."""

    dataset: Dataset
    clean: Dataset
    tokens: int
    attacks: bool
    steps: _Steps


def _measure(protection: Protection, bench: _Bench, plain: SchemeResult | None) -> SchemeResult:
    generator = np.random.default_rng(_SEED)
    dataset, clean, steps = bench.dataset, bench.clean, bench.steps
    runs, whole = [], []
    for kept in stolen_tokens(protection, dataset, bench.tokens, generator):
        runs.append(compared(protection, kept.chosen(dataset.clean), clean.people))
        steps.one()
        if dataset.has_clean:
            whole.append(compared(protection, kept, dataset.people))
            steps.one()
    stolen = accuracy(runs, clean.people)
    unselected = accuracy(whole, dataset.people, resamples=0) if whole else None
    own, wrong = own_tokens(protection, clean, stolen, generator)
    steps.one()
    measured = costs(protection.name, clean.embeddings)
    steps.one()
    linked, attacked = None, None
    if bench.attacks:
        linked = linkage(protection, clean)
        steps.one()
        attacked = attack(_stage(protection, clean, stolen, plain.stolen if plain else stolen))
        steps.one()
    return SchemeResult(
        name=protection.name,
        published=protection.published,
        stolen=stolen,
        unselected=unselected,
        own=own,
        wrong_token=wrong,
        costs=measured,
        curve=runs[0],
        linkage=linked,
        attacks=attacked,
    )


def _stage(protection: Protection, dataset: Dataset, own: Accuracy, plain: Accuracy) -> Stage:
    return Stage(
        protection=protection,
        threshold=_threshold(own),
        plain_threshold=_threshold(plain),
        cast=Cast.of(dataset),
    )


def _threshold(measured: Accuracy) -> float:
    """At FMR 1e-3, or the lowest FMR that the data support."""
    known = [measured.thresholds[fmr] for fmr in (HEADLINE_FMR, "1e-2") if measured.thresholds[fmr] is not None]
    return known[0] if known and known[0] is not None else float("inf")
