"""What the command writes: figures for programs, a page for people, thresholds for the product."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tests.evaluate.crowd import crowd, saved
from veilface.cli.main import run
from veilface.contract import CONTRACT
from veilface.evaluate import linkage
from veilface.evaluate.attacks import ciphertexts, interface, oracle, stage
from veilface.evaluate.calibrate import calibrate
from veilface.evaluate.errors import DataUnusable
from veilface.evaluate.evaluation import Evaluation, evaluate
from veilface.evaluate.metrics import metrics
from veilface.evaluate.report import page
from veilface.messages import LANGUAGES, Language
from veilface.protect.calibration import FMRS, Calibration, Provenance, cosine_threshold, shipped
from veilface.protect.errors import NotCalibrated
from veilface.protect.scheme import names

FMR_KEYS = {"1e-2", "1e-3", "1e-4"}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    dataset = crowd(people=16, pictures=3)
    dataset.clean[-1] = False
    marked = type(dataset)(**{**vars(dataset), "has_clean": True})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interface, "CLIMBED", 1)
        patch.setattr(ciphertexts, "VICTIMS", 2)
        patch.setattr(oracle, "MOST_QUESTIONS", 100)
        patch.setattr(stage, "MOST_VICTIMS", 3)
        patch.setattr(linkage, "RENEWALS", 2)
        patch.setattr(linkage, "SEALED_RENEWALS", 2)
        return evaluate(marked, schemes=("homomorphic", "ranking", "negative"), tokens=1)


def test_the_json_has_the_agreed_keys(evaluation: Evaluation) -> None:
    found = json.loads(json.dumps(metrics(evaluation)))
    assert found["dataset"]["selected"]
    assert found["dataset"]["measured_pictures"] == 47
    for scheme in found["schemes"].values():
        assert scheme.keys() >= {"eer", "tar", "thresholds", "bytes"}
        assert scheme["tar"].keys() == scheme["thresholds"].keys() == FMR_KEYS
        assert scheme["unselected"]["eer"] is not None
    assert found["schemes"].keys() == found["attacks"].keys() == found["unlinkability"].keys()
    for leaks in found["attacks"].values():
        for attacks in leaks.values():
            for outcome in attacks.values():
                assert outcome.keys() >= {"cosine", "accepted_same", "accepted_new"}
    for linked in found["unlinkability"].values():
        assert linked.keys() >= {"d_sys", "floor"}
    assert found["schemes"]["ranking"]["bytes"] == 320
    assert found["schemes"]["negative"]["bytes"] == 2048


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_else_and_says_everything(evaluation: Evaluation, language: Language) -> None:
    html = page(evaluation, language)
    assert "evaluate." not in html
    assert not re.search(r"(src|href)=|@import|url\(|<script", html)
    addresses = set(re.findall(r"https?://[^\"' <]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ET.fromstring(drawing)  # noqa: S314 – our own output
    for overstated in ("irreversible", "one-way", "zero-knowledge", "100 % secure", "不可逆", "绝对安全"):
        assert overstated not in html


def test_without_attacks_the_page_has_no_attacks() -> None:
    small = evaluate(crowd(people=12, pictures=2), schemes=("ranking",), tokens=1, attacks=False)
    assert small.schemes.keys() == {"insecure_plain", "ranking"}
    assert metrics(small)["attacks"] == {}
    assert "<h3>" not in page(small, "en")


def test_progress_is_told_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    evaluate(
        crowd(people=12, pictures=2),
        schemes=("ranking",),
        tokens=2,
        attacks=False,
        advance=lambda done, total: told.append((done, total)),
    )
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1][0] == told[-1][1]


def test_the_command_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = saved(tmp_path / "crowd.npz", crowd(people=12, pictures=2))
    arguments = ["evaluate", str(data), "--scheme", "ranking", "--tokens", "1", "--no-attacks", "--out", str(tmp_path)]
    assert run([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "metrics.json").read_text())
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert run(arguments) == 0
    assert "320" in capsys.readouterr().out


def test_an_unknown_protection_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = saved(tmp_path / "crowd.npz", crowd(people=12, pictures=2))
    assert run(["evaluate", str(data), "--scheme", "magic"]) != 0
    assert "magic" in capsys.readouterr().err


# --- calibration ---------------------------------------------------------------------------------------------


def test_shipped_thresholds_are_for_every_scheme_of_this_contract() -> None:
    calibration = shipped()
    assert calibration.contract_id == CONTRACT.contract_id.hex()
    for scheme in names():
        thresholds = [calibration.threshold(scheme, fmr=fmr) for fmr in FMRS]
        assert thresholds == sorted(thresholds)
    assert calibration.threshold("insecure_plain") == pytest.approx(cosine_threshold(), abs=1e-3)
    assert calibration.data.impostor_pairs > 1_000_000
    assert Calibration.parse(calibration.to_json()) == calibration


def test_thresholds_of_another_contract_or_rate_are_not_given() -> None:
    data = Provenance(name="x", fingerprint="", pictures=1, people=1, impostor_pairs=1, tokens=1, cosine_error_rms=0.0)
    foreign = Calibration(contract_id="00" * 32, data=data, thresholds={"ranking": {"1e-4": 1.0}})
    with pytest.raises(NotCalibrated):
        foreign.threshold("ranking")
    with pytest.raises(NotCalibrated):
        shipped().threshold("ranking", fmr="1e-9")
    with pytest.raises(NotCalibrated):
        Calibration.parse('{"version": 2}')


def test_few_people_cannot_calibrate() -> None:
    with pytest.raises(DataUnusable):
        calibrate(crowd(people=12, pictures=2), tokens=1)


def test_calibration_of_a_crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veilface.evaluate.calibrate.PROTECTIONS", {"ranking": _ranking()})
    data = saved(tmp_path / "crowd.npz", crowd(people=460, pictures=1 + 1))
    out = tmp_path / "thresholds.json"
    assert run(["calibrate", str(data), "--tokens", "2", "--out", str(out), "--json"]) == 0
    found = Calibration.parse(out.read_text())
    assert found.data.tokens == 2
    assert found.data.people == 460
    assert found.data.cosine_error_rms == pytest.approx(0.0008, abs=2e-4)
    assert np.all(np.diff([found.threshold("ranking", fmr=fmr) for fmr in FMRS]) > 0)


def _ranking() -> object:
    from veilface.evaluate.protections import Ranking  # noqa: PLC0415 – beside its only use

    return Ranking
