"""Wrong use is one line on stderr and exit status 2; help speaks both languages."""

import pytest

from tests.cli.conftest import Veilface
from veilface.cli import options
from veilface.sdk import SCHEMES

CHINESE = "的"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dissolve",),
        ("compare",),
        ("compare", "a.jpg"),
        ("compare", "missing.jpg", "missing.jpg"),
        ("embed", "."),
        ("embed", "--fast"),
        ("serve", "--port"),
        ("serve", "--port", "0"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "eighty"),
        ("serve", "--selftest", "--keyholder", "https://localhost:1"),
        ("keyholder",),
        ("bench", "verify", "--rounds", "0"),
        ("bench", "pipeline", "missing"),
        ("delete",),
        ("register", "myself"),
        ("renew",),
        ("--lang", "fr", "doctor"),
        ("doctor", "--lang"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_wrong_use(veilface: Veilface, arguments: tuple[str, ...], language: str) -> None:
    done = veilface(*arguments, VEILFACE_LANG=language)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("veilface: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--lang", "en", "--help"), ("--help", "--lang=en"), ("compare", "--lang", "en", "-h")]
)
def test_the_language_may_be_said_anywhere(veilface: Veilface, arguments: tuple[str, ...]) -> None:
    done = veilface(*arguments, VEILFACE_LANG="zh")
    assert done.returncode == 0
    assert CHINESE not in done.stdout


def test_chinese_is_the_default(veilface: Veilface) -> None:
    done = veilface("--help", VEILFACE_LANG="", LC_ALL="", LC_MESSAGES="", LANG="C.UTF-8")
    assert CHINESE in done.stdout


def test_help_names_every_command(veilface: Veilface) -> None:
    shown = veilface("--help").stdout
    for command in ("serve", "compare", "embed", "enrol", "renew", "verify", "delete", "keyholder", "doctor", "bench"):
        assert command in shown


def test_the_protections_are_named_and_are_those_of_the_sdk(veilface: Veilface) -> None:
    assert tuple(options.SCHEMES.split("|")) == SCHEMES
    for command in ("enrol", "renew", "verify", "compare"):
        shown = "".join(veilface(command, "--help", COLUMNS="200").stdout.split())
        assert options.SCHEMES in shown, command


def test_the_version(veilface: Veilface) -> None:
    done = veilface("--version")
    assert done.returncode == 0
    assert done.stdout.strip().count(".") == 2
