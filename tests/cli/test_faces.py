"""``compare`` and ``embed`` on real photographs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Veilface
from veilface.face.pipeline import FacePipeline
from veilface.protect.calibration import cosine_threshold

STAGES = ["face", "enrol", "protect", "prepare", "match", "decide"]


def numbers_in(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers_in(each)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize(("probe", "match"), [("obama2.jpg", True), ("biden.jpg", False), ("astronaut.png", False)])
def test_compare_says_yes_or_no_and_never_how_much(veilface: Veilface, photos: Path, probe: str, match: bool) -> None:  # noqa: FBT001
    done = veilface("compare", photos / "obama.jpg", photos / probe, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert set(answer) == {"scheme", "match", "timings_ms"}
    assert (answer["scheme"], answer["match"]) == ("homomorphic", match)
    assert list(answer["timings_ms"]) == STAGES
    faces = FacePipeline()
    cosine = float(
        faces.embedding((photos / "obama.jpg").read_bytes()) @ faces.embedding((photos / probe).read_bytes())
    )
    assert match == (cosine >= cosine_threshold())
    assert all(abs(number - cosine) > 0.01 for number in numbers_in(answer))


@pytest.mark.parametrize("scheme", ["ranking", "negative"])
def test_compare_under_the_keyed_protections(veilface: Veilface, photos: Path, scheme: str) -> None:
    answers = [
        json.loads(veilface("compare", photos / "obama.jpg", photos / probe, "--scheme", scheme, "--json").stdout)
        for probe in ("obama2.jpg", "biden.jpg")
    ]
    assert [(answer["scheme"], answer["match"]) for answer in answers] == [(scheme, True), (scheme, False)]
    for answer in answers:
        assert set(answer) == {"scheme", "match", "timings_ms"}
        assert list(answer["timings_ms"]) == [stage for stage in STAGES if stage != "prepare"]


def test_compare_for_people(veilface: Veilface, photos: Path) -> None:
    done = veilface("compare", photos / "obama.jpg", photos / "obama2.jpg")
    assert done.returncode == 0
    assert done.stdout.startswith("The same person.\n")
    assert "ms" in done.stdout
    assert CHINESE_SAME in veilface("compare", photos / "obama.jpg", photos / "obama2.jpg", "--lang", "zh").stdout


CHINESE_SAME = "是同一个人。"


@pytest.mark.parametrize("scheme", ["rot13", "insecure_plain"])
def test_a_protection_that_is_none_is_wrong_use(veilface: Veilface, photos: Path, scheme: str) -> None:
    done = veilface("compare", photos / "obama.jpg", photos / "biden.jpg", "--scheme", scheme)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_pictures_that_will_not_do(veilface: Veilface, photos: Path, tmp_path: Path) -> None:
    Image.new("RGB", (320, 320), "grey").save(tmp_path / "grey.png")
    (tmp_path / "text.jpg").write_text("not a picture")
    pair = Image.new("RGB", (1600, 800))
    for left, name in ((0, "obama.jpg"), (800, "biden.jpg")):
        pair.paste(Image.open(photos / name).resize((800, 800)), (left, 0))
    pair.save(tmp_path / "pair.png")
    for name in ("grey.png", "text.jpg", "pair.png"):
        done = veilface("compare", photos / "obama.jpg", tmp_path / name, "--json")
        assert done.returncode == 1, name
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1


def test_embed(veilface: Veilface, photos: Path) -> None:
    done = veilface("embed", photos / "obama.jpg", photos / "biden.jpg", "--json")
    assert done.returncode == 0
    images = json.loads(done.stdout)["images"]
    assert [len(image["faces"]) for image in images] == [1, 1]
    face = images[0]["faces"][0]
    assert len(face["box"]) == 4
    assert len(face["landmarks"]) == 5
    assert face["problems"] == []
    assert np.linalg.norm(face["embedding"]) == pytest.approx(1, abs=1e-5)
    shown = veilface("embed", photos / "obama.jpg")
    assert shown.returncode == 0
    assert "good" in shown.stdout


def test_nothing_is_left_behind_and_nobody_is_called(veilface: Veilface, photos: Path, tmp_path: Path) -> None:
    """onnxruntime's wheels would keep an identifier and a queue of events in the home directory, and upload them."""
    places = {"TMPDIR": tmp_path / "temporary", "HOME": tmp_path / "home"}
    for place in places.values():
        place.mkdir()
    settings = {name: str(place) for name, place in places.items()}
    done = veilface("compare", photos / "obama.jpg", photos / "biden.jpg", XDG_CACHE_HOME="", **settings)
    assert done.returncode == 0
    assert [path for place in places.values() for path in place.rglob("*")] == []
