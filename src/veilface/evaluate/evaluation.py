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
_WORK: Final = {"own": 1, "layered": 1, "linkage": 1, "attacks": 3}
_PACE: Final = {"insecure_plain": 1, "homomorphic": 8, "ranking": 8, "ranking_published": 14}
_SLOWEST: Final = 16
"""Work is what a step weighs times its protection's pace, as measured; to compare all pairs once is the unit."""

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
    """All the work on one protection."""
    steps = ["own", *(["layered"] if name in LAYERED else []), *(["linkage", "attacks"] if attacks else [])]
    return runs + sum(_weight(name, step) for step in steps)


def _weight(name: str, step: str) -> int:
    return _WORK[step] * _PACE.get(name, _SLOWEST)


class _Steps:
    """Counts what is done, by weight, for the progress bar."""

    def __init__(self, advance: Advance, total: int) -> None:
        self._advance, self._total, self._done = advance, total, 0

    def compared(self) -> None:
        self._add(1)

    def did(self, name: str, step: str) -> None:
        self._add(_weight(name, step))

    def _add(self, work: int) -> None:
        self._done += work
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
    steps.did(protection.name, "own")
    measured = costs(protection.name, clean.embeddings)
    linked, attacked = None, None
    if bench.attacks:
        linked = linkage(protection, clean)
        steps.did(protection.name, "linkage")
        attacked = attack(_stage(protection, clean, stolen, plain.stolen if plain else stolen))
        steps.did(protection.name, "attacks")
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
        bench.steps.compared()
        if dataset.has_clean:
            whole.append(compared(protection, kept, dataset.people))
            bench.steps.compared()
        if protection.name in LAYERED:
            sealed.append(sealed_scores(chosen, people, noise))
    if not sealed:
        return _Stolen(runs=runs, whole=whole, layered=None)
    doubled = layered(sealed, chosen, people)
    bench.steps.did(protection.name, "layered")
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
