"""The Python of the quick start runs as it stands, against real servers."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from veilface import launcher

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs/quickstart-python.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
def newcomer(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Somebody in a folder with the photographs, beside a running server; its address."""
    for picture in photos.iterdir():
        shutil.copy(picture, tmp_path)
    monkeypatch.chdir(tmp_path)
    with launcher.running(tmp_path / "data", port=launcher.free_port(), settings={}) as running:
        yield running.url


def test_the_quick_start_runs_as_it_stands(newcomer: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (block.replace("http://localhost:8000", newcomer) for block in BLOCKS)
    assert len([line for line in first.splitlines() if line]) == 5
    names: dict[str, object] = {}
    exec(first, names)  # noqa: S102 – this is what the document tells the reader to run
    assert capsys.readouterr().out == "True\n"
    exec(second, names)  # noqa: S102
    assert capsys.readouterr().out == "veilface active\n"
