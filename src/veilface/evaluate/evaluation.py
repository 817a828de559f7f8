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
from veilface.evaluate.layered import Layered, layered, sealed_scores
from veilface.evaluate.linkage import Linkage, linkage
from veilface.evaluate.protections import BASELINE, PROTECTIONS, Protection
from veilface.evaluate.runs import WrongToken, compared, own_tokens, stolen_tokens
from veilface.evaluate.transfer import Transfer, transfer

TOKENS: Final = 3
HEADLINE_FMR: Final = "1e-3"
LAYERED: Final = ("ranking", "negative")
_SEED: Final = 5
_WORK: Final = {"run": 1, "layered": 5, "own": 5, "costs": 1, "linkage": 10, "attacks": 30}
"""Steps by weight, as measured: nearly thirds of a second of one core."""

Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class SchemeResult:
    """All about one protection. ``stolen`` is the headline: one token for everybody, on the clean pictures.

    ``unselected`` is the same on all pictures, where the data mark clean ones. ``own``: everybody has a token of
    their own. ``curve`` is the first stolen-token run, for the plots. ``layered``: the same inside ciphertexts.
    """

    name: str
    published: bool
    stolen: Accuracy
    unselected: Accuracy | None
    own: Accuracy
    wrong_token: WrongToken
    costs: Costs
    curve: PairScores
    transfer: Transfer
    layered: Layered | None
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
    steps = _Steps(advance, sum(_work(name, tokens * (1 + dataset.has_clean), attacks=attacks) for name in names))
    bench = _Bench(dataset=dataset, clean=clean, tokens=tokens, attacks=attacks, steps=steps)
    results: dict[str, SchemeResult] = {}
    for name in names:
        results[name] = _measure(PROTECTIONS[name](), bench, results.get(BASELINE))
    return Evaluation(dataset=dataset, measured=clean, tokens=tokens, schemes=results)


def _work(name: str, runs: int, *, attacks: bool) -> int:
    """The units of work of one protection."""
    steps = ["own", "costs", *(["layered"] if name in LAYERED else []), *(["linkage", "attacks"] if attacks else [])]
    return runs * _WORK["run"] + sum(_WORK[step] for step in steps)


class _Steps:
    """Counts what is done, by weight, for the progress bar."""

    def __init__(self, advance: Advance, total: int) -> None:
        self._advance, self._total, self._done = advance, total, 0

    def did(self, step: str) -> None:
        self._done += _WORK[step]
        self._advance(self._done, self._total)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bench:
    """What is the same for every protection."""

    dataset: Dataset
    clean: Dataset
    tokens: int
    attacks: bool
    steps: _Steps


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stolen:
    """Runs under one token for everybody: of the clean pictures, of all, and of the clean ones inside ciphertexts."""

    runs: list[PairScores]
    whole: list[PairScores]
    layered: Layered | None


def _measure(protection: Protection, bench: _Bench, plain: SchemeResult | None) -> SchemeResult:
    generator, clean, steps = np.random.default_rng(_SEED), bench.clean, bench.steps
    found = _stolen(protection, bench, generator)
    stolen = accuracy(found.runs, clean.people)
    own, wrong = own_tokens(protection, clean, stolen, generator)
    steps.did("own")
    measured = costs(protection.name, clean.embeddings)
    steps.did("costs")
    linked, attacked = None, None
    if bench.attacks:
        linked = linkage(protection, clean)
        steps.did("linkage")
        attacked = attack(_stage(protection, clean, stolen, plain.stolen if plain else stolen))
        steps.did("attacks")
    return SchemeResult(
        name=protection.name,
        published=protection.published,
        stolen=stolen,
        unselected=accuracy(found.whole, bench.dataset.people, resamples=0) if found.whole else None,
        own=own,
        wrong_token=wrong,
        costs=measured,
        curve=found.runs[0],
        transfer=transfer(protection.name, found.runs, clean.people),
        layered=found.layered,
        linkage=linked,
        attacks=attacked,
    )


def _stolen(protection: Protection, bench: _Bench, generator: np.random.Generator) -> _Stolen:
    dataset, people = bench.dataset, bench.clean.people
    runs, whole, sealed, noise = [], [], [], np.random.default_rng(_SEED)
    for kept in stolen_tokens(protection, dataset, bench.tokens, generator):
        chosen = kept.chosen(dataset.clean)
        runs.append(compared(protection, chosen, people))
        bench.steps.did("run")
        if dataset.has_clean:
            whole.append(compared(protection, kept, dataset.people))
            bench.steps.did("run")
        if protection.name in LAYERED:
            sealed.append(sealed_scores(chosen, people, noise))
    if not sealed:
        return _Stolen(runs=runs, whole=whole, layered=None)
    doubled = layered(sealed, chosen, people)
    bench.steps.did("layered")
    return _Stolen(runs=runs, whole=whole, layered=doubled)


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
