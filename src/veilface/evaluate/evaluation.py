"""``veilface evaluate``: accuracy, linkage and attacks of every protection on one data set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from veilface.evaluate.accuracy import Accuracy, PairScores, accuracy, compare_all
from veilface.evaluate.attacks.campaign import Results, attack
from veilface.evaluate.attacks.stage import Cast, Stage
from veilface.evaluate.costs import Costs, costs
from veilface.evaluate.datasets import Dataset
from veilface.evaluate.linkage import Linkage, linkage
from veilface.evaluate.protections import PROTECTIONS, Matrix, Protection, evaluation_token

TOKENS: Final = 3
HEADLINE_FMR: Final = "1e-3"
BASELINE: Final = "insecure_plain"
_SEED: Final = 5
_ROWS: Final = 256

Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class WrongToken:
    """Probes under another token than the template's, everybody against everybody, at the stolen-token thresholds."""

    pairs: int
    accepted: dict[str, int]


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
    dataset, clean, tokens, steps = bench.dataset, bench.clean, bench.tokens, bench.steps
    runs = stolen_runs(protection, clean, tokens, generator, after_each=steps.one)
    stolen = accuracy(runs, clean.people)
    unselected = None
    if dataset.has_clean:
        unselected = accuracy(stolen_runs(protection, dataset, tokens, generator, after_each=steps.one), dataset.people)
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


def stolen_runs(
    protection: Protection,
    dataset: Dataset,
    tokens: int,
    generator: np.random.Generator,
    *,
    after_each: Callable[[], None] = lambda: None,
) -> list[PairScores]:
    """One run a token, the same for everybody: what is left when the token is stolen."""
    runs = []
    for number in range(tokens):
        token = evaluation_token(f"stolen/{number}")
        templates = protection.templates(dataset.embeddings, token, generator)
        probes = protection.probes(dataset.embeddings, token, generator)
        runs.append(_compared(protection, templates, probes, dataset))
        after_each()
    return runs


def own_tokens(
    protection: Protection, dataset: Dataset, stolen: Accuracy, generator: np.random.Generator
) -> tuple[Accuracy, WrongToken]:
    """A token for each person; then everybody's probes under yet another one against all templates, own included.

    Plain embeddings have no token. A probe under another homomorphic key decrypts to noise and fails the range
    check (the attacks try it on real ciphertexts), so wrong keys accept nothing here.
    """
    templates, probes, others = (
        _each_with_own(protection, dataset, side, label, generator)
        for side, label in (("templates", "own"), ("probes", "own"), ("probes", "other"))
    )
    own = accuracy([_compared(protection, templates, probes, dataset)], dataset.people)
    if protection.name in {BASELINE, "homomorphic"}:
        return own, WrongToken(pairs=0, accepted={})
    accepted = dict.fromkeys(stolen.thresholds, 0)
    for start in range(0, len(templates), _ROWS):
        scores = protection.score(templates[start : start + _ROWS], others)
        for fmr, threshold in stolen.thresholds.items():
            accepted[fmr] += 0 if threshold is None else int((scores >= threshold).sum())
    return own, WrongToken(pairs=len(templates) * len(others), accepted=accepted)


def _compared(protection: Protection, templates: Matrix, probes: Matrix, dataset: Dataset) -> PairScores:
    return compare_all(lambda rows, columns: protection.score(templates[rows], probes[columns]), dataset.people)


def _each_with_own(
    protection: Protection, dataset: Dataset, side: str, label: str, generator: np.random.Generator
) -> Matrix:
    protect = protection.templates if side == "templates" else protection.probes
    order = np.argsort(dataset.people, kind="stable")
    parts = [
        protect(dataset.embeddings[dataset.people == person], evaluation_token(f"{label}/{person}"), generator)
        for person in range(dataset.people.max() + 1)
    ]
    rows = np.concatenate(parts)
    gathered = np.empty_like(rows)
    gathered[order] = rows
    return gathered


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
