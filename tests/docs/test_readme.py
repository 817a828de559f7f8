"""What the README tells a newcomer to type is typed here, in order, against real servers."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from veilface import launcher

ROOT = Path(__file__).parents[2]
READMES = ["README.md", "README.zh.md"]


def commands(readme: str) -> list[str]:
    """The lines of all ``sh`` blocks, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / readme).read_text("utf-8"), re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with launcher.running(tmp_path_factory.mktemp("data"), port=launcher.free_port()) as running:
        yield running.url


@pytest.fixture
def newcomer(tmp_path: Path, photos: Path, server: str) -> dict[str, str]:
    """The environment of somebody who has just cloned: photographs beside them, nothing else."""
    for picture in photos.iterdir():
        shutil.copy(picture, tmp_path)
    (tmp_path / "password.txt").write_text("correct horse battery staple\n")
    scripts = Path(sys.executable).parent
    return {
        "PATH": f"{scripts}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "VEILFACE_SERVER": server,
        "VEILFACE_DEVICE": str(tmp_path / "device"),
    }


def test_both_languages_show_the_same_commands() -> None:
    assert commands(READMES[0]) == commands(READMES[1])


@pytest.mark.parametrize("command", ["./run", "./test"])
def test_the_two_commands_are_there(command: str) -> None:
    assert command in commands("README.md")
    assert os.access(ROOT / command, os.X_OK)
    subprocess.run(["bash", "-n", command], cwd=ROOT, check=True)


def test_every_command_of_the_readme_works(newcomer: dict[str, str], tmp_path: Path) -> None:
    typed = [shlex.split(line) for line in commands("README.md") if line.startswith("veilface ")]
    assert len(typed) > 8
    for words in typed:
        done = subprocess.run(words, cwd=tmp_path, env=newcomer, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("document", [*READMES, "SECURITY.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert links
    for link in links:
        assert ((ROOT / document).parent / link).exists(), link
