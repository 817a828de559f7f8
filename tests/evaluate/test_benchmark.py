"""The measurements themselves: what they contain, and that what they time is the real path."""

import math
from pathlib import Path

import numpy as np
import pytest

from tests.support import near, unit
from veilface.evaluate import peers, pipeline
from veilface.evaluate.account import prepared, temporary_account
from veilface.evaluate.benchmark import bench_verification, measure_cosine_error
from veilface.evaluate.errors import NoPeople, PeerMissing
from veilface.evaluate.pipeline import bench_pipeline
from veilface.evaluate.stopwatch import Stopwatch
from veilface.evaluate.synthetic import at_cosine, unit_vectors
from veilface.face.errors import NoFace
from veilface.match.evidence import verify_evidence
from veilface.protect.calibration import cosine_threshold
from veilface.protect.scheme import protection
from veilface.sdk import SCHEMES

BY_ANY_PROTECTION = {"protect_template", "enrol", "protect", "match", "keyholder", "answer", "server_path"}
STAGES = {"encrypt", "prepare", "match", "keyholder", "keyholder_decide", "answer", "server_path"}


def test_one_run_holds_ours_the_peer_and_the_floor() -> None:
    advanced: list[tuple[int, int]] = []
    report = bench_verification(rounds=2, advance=lambda done, total: advanced.append((done, total)))
    assert set(report.veilface) >= STAGES
    assert {spread.rounds for spread in report.veilface.values()} == {2}
    assert tuple(report.protections) == SCHEMES
    for one in report.protections.values():
        assert set(one.stages) >= BY_ANY_PROTECTION
        assert {spread.rounds for spread in one.stages.values()} == {2}
    assert [(one.template, one.probe) for one in report.protections.values()] == [
        (73_728, 73_728),
        (320, 320),
        (2_048, 256),
    ]
    assert set(report.tenseal) == {"encrypt", "dot", "decide"}
    assert set(report.numpy) == {"dot"}
    path = report.veilface
    for spread in path.values():
        assert 0 < spread.min_ms <= spread.median_ms
    assert path["server_path"].min_ms >= path["prepare"].min_ms + path["match"].min_ms
    assert report.sizes.probe == report.sizes.template == 73_728
    assert report.sizes.evaluation_keys == 0
    assert report.tenseal_sizes.evaluation_keys > 10_000_000
    assert advanced[-1] == (5, 5)


def test_the_encrypted_score_is_the_cosine_within_a_thousandth() -> None:
    error = measure_cosine_error(60)
    assert error.rms <= 0.001
    assert error.max <= 0.005


@pytest.mark.parametrize(
    ("scheme", "least", "most"),
    [
        ("homomorphic", cosine_threshold() + 0.02, cosine_threshold() - 0.02),
        ("ranking", 0.6, 0.1),
        ("negative", 0.6, 0.1),
    ],
)
def test_the_temporary_account_decides_like_the_plaintext(scheme: str, least: float, most: float) -> None:
    face, chosen = unit(1), protection(scheme)
    with temporary_account(chosen) as account:
        template = account.enrol(face)
        for cosine, expected in ((0.9, True), (least, True), (most, False)):
            grant, key = account.challenge()
            probe = account.probe(near(face, cosine=cosine), key=key)
            header, signature = account.signed(grant, probe)
            masks = prepared(chosen, key, purpose="verify")
            evidence = verify_evidence(chosen, template, probe, masks=masks)
            assert account.accepted(header, account.decide(header, signature, evidence)) is expected


def test_without_tenseal_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tenseal", None)
    with pytest.raises(PeerMissing):
        peers.TenSeal()


# --- synthetic vectors -----------------------------------------------------------------------------------


def test_synthetic_vectors_are_of_length_one_spread_out_and_always_the_same() -> None:
    vectors = unit_vectors("test", 50)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.abs(vectors @ vectors.T - np.eye(50)).max() < 0.5
    assert (vectors == unit_vectors("test", 50)).all()
    assert not (vectors == unit_vectors("other", 50)).any()


@pytest.mark.parametrize("cosine", [-1.0, -0.3, 0.0, 0.36, 0.99, 1.0])
def test_a_vector_at_a_cosine(cosine: float) -> None:
    base, other = unit_vectors("test", 2)
    assert math.isclose(float(base @ at_cosine(cosine, base, other)), cosine, abs_tol=1e-6)


def test_the_stopwatch_forgets_warm_up_rounds() -> None:
    watch = Stopwatch()
    watch.add("a", 9.0)
    watch.clear()
    for seconds in (0.001, 0.003, 0.002):
        watch.add("a", seconds)
    spread = watch.spreads()["a"]
    assert (spread.median_ms, spread.min_ms, spread.rounds) == (2.0, 1.0, 3)


# --- folders of people -----------------------------------------------------------------------------------


class FacesByName:
    """'Pictures' that hold a person's number and a shot's number; one of them shows nobody."""

    def embedding(self, data: bytes) -> np.ndarray:
        if data == b"nobody":
            raise NoFace
        person, shot = map(int, data.split())
        return near(unit(person), cosine=0.8, seed=10 * person + shot).astype(np.float32)


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for person in range(3):
        (tmp_path / f"person{person}").mkdir()
        for shot in range(3):
            (tmp_path / f"person{person}" / f"{shot}.jpg").write_text(f"{person} {shot}")
    (tmp_path / "person0" / "empty.png").write_bytes(b"nobody")
    (tmp_path / "person0" / "notes.txt").write_text("not a picture")
    monkeypatch.setattr(pipeline, "FacePipeline", FacesByName)
    return tmp_path


def test_decisions_under_encryption_are_those_of_the_plaintext(people: Path) -> None:
    report = bench_pipeline(people, impostor_pairs=0)
    assert (report.people, report.pictures) == (3, 10)
    assert [(failure.picture, failure.code) for failure in report.failures_to_enrol] == [
        ("person0/empty.png", "face.no_face")
    ]
    assert (report.genuine_pairs, report.impostor_pairs) == (9, 27)
    assert report.farthest_disagreement < 0.01
    assert report.fnmr == report.plain_fnmr == 0
    assert report.fmr == report.plain_fmr == 0
    assert set(report.stages) == {"face", "protect", "prepare", "match", "decide"}


def test_impostors_are_taken_evenly(people: Path) -> None:
    assert bench_pipeline(people, impostor_pairs=5).impostor_pairs == 5


def test_a_disagreement_is_reported_with_its_distance(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_decide", lambda *_: False)
    report = bench_pipeline(people, impostor_pairs=1)
    assert len(report.disagreements) == 9
    assert report.fnmr == 1
    assert report.farthest_disagreement > 0.1
    assert report.as_json()["farthest_disagreement"] == report.farthest_disagreement


def test_a_folder_without_people(tmp_path: Path) -> None:
    with pytest.raises(NoPeople):
        bench_pipeline(tmp_path, impostor_pairs=1)
