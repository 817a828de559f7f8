"""Rules of the repository that no other tool checks."""

import ast
import json
import re
import subprocess
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import veilface
from veilface.errors import VeilfaceError
from veilface.messages import LANGUAGES, catalogue

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def error_classes() -> list[type[VeilfaceError]]:
    for module in walk_packages(veilface.__path__, "veilface."):
        if module.name.endswith("errors"):
            import_module(module.name)

    def below(cls: type[VeilfaceError]) -> list[type[VeilfaceError]]:
        return [found for sub in cls.__subclasses__() for found in (sub, *below(sub))]

    return below(VeilfaceError)


def test_both_languages_say_the_same_things() -> None:
    zh, en = (catalogue(language) for language in LANGUAGES)
    assert zh.keys() == en.keys()
    holes = re.compile(r"\{(\w+)")
    for code, sentence in zh.items():
        assert set(holes.findall(sentence)) == set(holes.findall(en[code])), code


def test_every_error_has_its_sentence() -> None:
    codes = {cls.code for cls in error_classes()}
    assert len(codes) > 20
    assert codes - catalogue("zh").keys() == set()


def test_error_codes_are_not_shared() -> None:
    own = [cls.code for cls in error_classes() if "code" in vars(cls)]
    assert len(own) == len(set(own))


def locked_packages() -> dict[str, dict[str, object]]:
    packages: dict[str, dict[str, object]] = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    return packages


def test_lock_files_hold_no_addresses() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text()
    assert tracked("uv.lock", "pylock.toml", "*/yarn.lock", "*/pnpm-lock.yaml") == []
    for name, entry in locked_packages().items():
        assert "resolved" not in entry, name
        assert "://" not in json.dumps({key: value for key, value in entry.items() if key != "funding"}), name


def test_every_locked_npm_package_has_a_hash() -> None:
    entries = [entry for name, entry in locked_packages().items() if name and not entry.get("inBundle")]
    assert all("integrity" in entry for entry in entries)


def test_no_secret_comes_from_a_toy_generator() -> None:
    for path in tracked("src/**/*.py", "tools/*.py"):
        imported = {
            name
            for node in ast.walk(ast.parse(path.read_text()))
            for name in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert "random" not in imported, path
        assert not re.search(r"(np|numpy)\.random\.(seed|rand|RandomState)", path.read_text()), path
    for path in tracked("web/src/**/*.ts", "web/src/**/*.vue"):
        assert "Math.random" not in path.read_text(), path


@pytest.mark.parametrize(
    "pattern", ["*.jpg", "*.jpeg", "*.webp", "*.npz", "*.npy", "*.pem", "*.key", "*.sqlite3", ".env"]
)
def test_no_faces_embeddings_or_keys_are_tracked(pattern: str) -> None:
    assert tracked(pattern) == []


def test_private_keys_are_not_tracked() -> None:
    marker = "PRIVATE" + " KEY-----"
    found = subprocess.run(
        ["git", "grep", "-l", "-F", "--", marker], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.stdout == ""
