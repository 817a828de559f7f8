"""Data sets are read strictly, and centred by the contract."""

from pathlib import Path

import numpy as np
import pytest

from tests.evaluate.crowd import crowd, saved
from veilface.contract import CONTRACT, MU_UNIT
from veilface.evaluate import datasets
from veilface.evaluate.datasets import load
from veilface.evaluate.errors import DataUnusable


def test_a_file_is_centred_and_its_clean_pictures_are_known(tmp_path: Path) -> None:
    original = crowd()
    found = load(saved(tmp_path / "crowd.npz", original))
    shifted = original.embeddings[0] - np.array(CONTRACT.mu) / MU_UNIT
    assert found.embeddings[0] == pytest.approx(shifted / np.linalg.norm(shifted), abs=1e-6)
    assert np.linalg.norm(found.embeddings, axis=1) == pytest.approx(np.ones(160), abs=1e-6)
    assert found.has_clean
    assert len(found.chosen(found.clean).people) == 159
    assert found.fte == 0


def test_labels_may_be_words(tmp_path: Path) -> None:
    original = crowd(people=3)
    np.savez(tmp_path / "words.npz", embeddings=original.embeddings, identity=np.repeat(["c", "a", "b"], 4))
    found = load(tmp_path / "words.npz")
    assert found.people.tolist() == [2] * 4 + [0] * 4 + [1] * 4
    assert not found.has_clean


def test_too_many_pictures_lose_whole_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "MOST_PICTURES", 60)
    found = load(saved(tmp_path / "crowd.npz", crowd()))
    assert len(found.people) == 56
    assert np.bincount(found.people).tolist() == [4] * 14


@pytest.mark.parametrize(
    "content",
    [
        {"embeddings": np.ones((4, 128), np.float32), "identity": np.zeros(4)},
        {"embeddings": np.eye(128, dtype=np.float32)[:4], "identity": np.zeros(3)},
        {"embeddings": np.eye(64, dtype=np.float32)[:4], "identity": np.zeros(4)},
        {"embeddings": np.eye(128, dtype=np.float32)[:4]},
        {"embeddings": np.eye(128, dtype=np.float32)[:4], "identity": np.zeros(4)},
        {"embeddings": np.eye(128, dtype=np.float32)[:4], "identity": np.arange(4)},
        {"embeddings": np.array([{"pickled": True}]), "identity": np.zeros(1)},
    ],
)
def test_what_cannot_be_measured_is_refused(tmp_path: Path, content: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "bad.npz", **content)  # type: ignore[arg-type]
    with pytest.raises(DataUnusable):
        load(tmp_path / "bad.npz")


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no zip at all")
    with pytest.raises(DataUnusable):
        load(tmp_path / "bad.npz")
