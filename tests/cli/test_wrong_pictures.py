"""A picture of nobody, or of two people: the right words, and nothing has changed on either machine."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Veilface
from tests.face.pictures import side_by_side
from tests.keyholder.people import dump
from tests.support import PASSWORD
from veilface import launcher
from veilface.face.errors import FaceError, NoFace, SeveralFaces
from veilface.sdk import Device

BY_STDIN = ("--password-file", "-")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launcher.Running]:
    with launcher.running(tmp_path_factory.mktemp("data"), port=launcher.free_port(), settings={}) as running:
        yield running


def records(pair: launcher.Running) -> tuple[list[object], list[str]]:
    """Every template row of the server, and every row of the key holder: keys, counters, spent challenges, audit."""
    file = pair.server.log.parent / "veilface.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        templates = db.execute("SELECT * FROM enrolment_template ORDER BY id").fetchall()
    return templates, dump(pair.keyholder.log.parent)


def nobody(_photos: Path) -> Image.Image:
    down, across = np.mgrid[0:480, 0:640]
    return Image.fromarray(np.stack([across * 255 // 639, down * 255 // 479, (across + down) % 256], -1).astype("u1"))


@pytest.mark.parametrize(
    ("draw", "error", "words"),
    [
        (nobody, NoFace, "No face was found."),
        (side_by_side, SeveralFaces, "There are 2 faces of similar size"),
    ],
    ids=["no face", "two faces"],
)
def test_a_wrong_picture_changes_nothing(
    *,
    draw: Callable[[Path], Image.Image],
    error: type[FaceError],
    words: str,
    veilface: Veilface,
    pair: launcher.Running,
    photos: Path,
    tmp_path: Path,
) -> None:
    right, wrong = photos / "obama.jpg", tmp_path / "wrong.png"
    draw(photos).save(wrong)

    def refused(*arguments: str | Path) -> None:
        before = records(pair)
        done = veilface(*arguments, stdin=PASSWORD)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
        assert records(pair) == before

    username = f"wrong{error.__name__.lower()}"
    joined = veilface(*("register", username, "--accept-terms", *BY_STDIN), stdin=PASSWORD, VEILFACE_SERVER=pair.url)
    assert joined.returncode == 0, joined.stderr
    refused("enrol", wrong)

    device = Device(tmp_path / "device")
    assert device.enrol(right).receipt.total_decisions == 1
    refused("renew", right, wrong, *BY_STDIN)
    refused("verify", wrong)
    before = records(pair)
    with pytest.raises(error):
        device.renew(wrong, password=PASSWORD)
    with pytest.raises(error):
        device.verify(wrong)
    assert records(pair) == before

    again = device.verify(photos / "obama2.jpg")
    assert again.accepted
    assert again.receipt.total_decisions == 2
