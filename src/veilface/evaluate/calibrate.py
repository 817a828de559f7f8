"""``veilface calibrate``: thresholds for each protection from a data set."""

from collections.abc import Callable
from typing import Final

import numpy as np

from veilface.contract import CONTRACT
from veilface.evaluate.accuracy import pooled_threshold
from veilface.evaluate.datasets import Dataset
from veilface.evaluate.errors import DataUnusable
from veilface.evaluate.protections import PROTECTIONS, Homomorphic
from veilface.evaluate.runs import stolen_runs
from veilface.protect.calibration import FMRS, Calibration, Provenance

TOKENS: Final = 8
_ROWS: Final = 500
_SEED: Final = 17

Advance = Callable[[int, int], None]


def calibrate(dataset: Dataset, *, tokens: int = TOKENS, advance: Advance = lambda _done, _total: None) -> Calibration:
    """Thresholds at FMR 1e-3, 1e-4 and 1e-5 with the token stolen, over the impostor pairs of all tokens together.

    Unpublished protections only, and clean pictures where they are marked. Raises :class:`DataUnusable` for fewer
    than 100,000 impostor pairs, which say nothing about one in 100,000.
    """
    clean = dataset.chosen(dataset.clean)
    schemes = [name for name, make in PROTECTIONS.items() if not make().published]
    thresholds: dict[str, dict[str, float]] = {}
    impostors = 0
    for done, name in enumerate(schemes, start=1):
        runs = stolen_runs(PROTECTIONS[name](), clean, tokens, np.random.default_rng(_SEED))
        impostors = runs[0].impostors
        found = {label: pooled_threshold(runs, fmr) for label, fmr in FMRS.items()}
        if impostors * min(FMRS.values()) < 1:
            raise DataUnusable(path=dataset.name, got=f"{impostors} impostor pairs", expected="≥ 100000")
        thresholds[name] = {label: value for label, value in found.items() if value is not None}
        advance(done, len(schemes))
    return Calibration(
        contract_id=CONTRACT.contract_id.hex(),
        data=Provenance(
            name=dataset.name,
            fingerprint=dataset.fingerprint,
            pictures=len(clean.people),
            people=int(clean.people.max()) + 1,
            impostor_pairs=impostors,
            tokens=tokens,
            cosine_error_rms=_cosine_error(clean),
        ),
        thresholds=thresholds,
    )


def _cosine_error(dataset: Dataset) -> float:
    """The rms error that encryption makes to a cosine, to four digits after the point."""
    sealed, rows, generator = Homomorphic(), dataset.embeddings[:_ROWS], np.random.default_rng(_SEED)
    scores = sealed.score(sealed.templates(rows, b"", generator), sealed.probes(rows, b"", generator))
    return round(float(np.sqrt(np.mean((scores - rows @ rows.T) ** 2))), 4)
