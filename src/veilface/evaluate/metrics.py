"""The evaluation as plain JSON values: ``metrics.json``. Rates are shares between 0 and 1."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from veilface.contract import CONTRACT
from veilface.evaluate.accuracy import FMR_TARGETS, Accuracy, Rates
from veilface.evaluate.attacks.stage import Outcome
from veilface.evaluate.evaluation import HEADLINE_FMR, Evaluation, SchemeResult
from veilface.evaluate.linkage import Linkage
from veilface.evaluate.protections import BASELINE
from veilface.protect.rlwe import CIPHERTEXT_BYTES

Json = dict[str, Any]


def metrics(evaluation: Evaluation) -> Json:
    """Keys: ``schemes.<id>``, ``attacks.<id>.<leak>.<attack>``, ``unlinkability.<id>`` and what they rest on."""
    baseline = evaluation.schemes[BASELINE]
    return {
        "veilface": version("veilface"),
        "contract_id": CONTRACT.contract_id.hex(),
        "dataset": _dataset(evaluation),
        "setting": {"headline": "stolen_token", "tokens": evaluation.tokens, "attack_threshold_fmr": HEADLINE_FMR},
        "schemes": {name: _scheme(result, baseline) for name, result in evaluation.schemes.items()},
        "attacks": {
            name: {leak: _outcomes(found) for leak, found in result.attacks.items()}
            for name, result in evaluation.schemes.items()
            if result.attacks is not None
        },
        "layered": {name: _layered(result) for name, result in evaluation.schemes.items() if result.layered},
        "unlinkability": {
            name: _linkage(result.linkage) for name, result in evaluation.schemes.items() if result.linkage is not None
        },
    }


def loss(rates: Rates, baseline: Rates) -> dict[str, float | None]:
    """Points of TAR lost against the baseline at each FMR, as shares."""
    pairs = {fmr: (rates.tar[fmr], baseline.tar[fmr]) for fmr in FMR_TARGETS}
    return {fmr: None if own is None or plain is None else plain - own for fmr, (own, plain) in pairs.items()}


def _dataset(evaluation: Evaluation) -> Json:
    whole, measured = evaluation.dataset, evaluation.measured
    some = evaluation.schemes[BASELINE].stolen
    return {
        "name": whole.name,
        "fingerprint": whole.fingerprint,
        "pictures": whole.pictures,
        "fte": whole.fte,
        "selected": whole.has_clean,
        "measured_pictures": len(measured.people),
        "measured_people": int(measured.people.max()) + 1,
        "genuine_pairs": some.genuine,
        "impostor_pairs": some.impostors,
    }


def _scheme(result: SchemeResult, baseline_result: SchemeResult) -> Json:
    fmr, fnmr = result.curve.det()
    baseline = baseline_result.stolen.rates
    return {
        "published": result.published,
        **_rates(result.stolen.rates),
        "thresholds": result.stolen.thresholds,
        "bytes": result.costs.template_bytes,
        "probe_bytes": result.costs.probe_bytes,
        "ci": _interval(result.stolen),
        "tar_loss": loss(result.stolen.rates, baseline),
        "other_people": _transfer(result, baseline_result),
        "unselected": None if result.unselected is None else _rates(result.unselected.rates),
        "own_token": _rates(result.own.rates),
        "wrong_token": {"pairs": result.wrong_token.pairs, "accepted": result.wrong_token.accepted},
        "time_ms": {
            "enrol": result.costs.enrol_ms,
            "probe": result.costs.probe_ms,
            "match": result.costs.match_ms,
        },
        "det": {"fmr": fmr.tolist(), "fnmr": fnmr.tolist()},
    }


def _transfer(result: SchemeResult, baseline: SchemeResult) -> Json:
    """Losses of each half of the people by itself, and thresholds on people whom they were not found on."""
    losses = [
        loss(Rates(eer=None, tar=half), Rates(eer=None, tar=plain))
        for half, plain in zip(result.transfer.halves, baseline.transfer.halves, strict=True)
    ]
    held_out = {fmr: None if found is None else asdict(found) for fmr, found in result.transfer.held_out.items()}
    shipped = {fmr: asdict(found) for fmr, found in result.transfer.shipped.items()}
    return {"tar_loss_of_halves": losses, "held_out": held_out, "shipped_thresholds": shipped}


def _layered(result: SchemeResult) -> Json:
    found = result.layered
    if found is None:
        return {}
    return {
        **_rates(found.accuracy.rates),
        "tar_loss_to_open": loss(found.accuracy.rates, result.stolen.rates),
        "thresholds": found.accuracy.thresholds,
        "bytes": CIPHERTEXT_BYTES,
        "real_pairs": {"pairs": found.pairs, "largest_error": found.error, "differing_decisions": found.differing},
        "time_ms": {"probe": found.protect_ms, "match": found.match_ms, "decide": found.decide_ms},
    }


def _rates(rates: Rates) -> Json:
    return {"eer": rates.eer, "tar": rates.tar}


def _interval(measured: Accuracy) -> Json:
    """95 % percentile intervals over resampled people."""
    lower, upper = measured.lower, measured.upper
    return {"eer": [lower.eer, upper.eer], "tar": {fmr: [lower.tar[fmr], upper.tar[fmr]] for fmr in FMR_TARGETS}}


def _linkage(found: Linkage) -> Json:
    return asdict(found.unknown) | {"tokens_known": None if found.known is None else asdict(found.known)}


def _outcomes(found: dict[str, Outcome]) -> Json:
    """Cosine and acceptances always; the rest only where it means something."""
    always = {"cosine", "accepted_same", "accepted_new"}
    return {
        attack: {key: value for key, value in asdict(outcome).items() if key in always or value is not None}
        for attack, outcome in found.items()
    }
