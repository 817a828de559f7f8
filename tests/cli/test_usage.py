"""Wrong use is one line on stderr and exit status 2, in the reader's language; help speaks both."""

import re

import pytest

from tests.cli.conftest import Veilface
from veilface.cli import options
from veilface.cli.main import run
from veilface.sdk import SCHEMES

CHINESE = "的"
TWO_WORDS = re.compile(r"(?<![-\w])[a-z]{2,} [a-z]{2,}")
NAMED = ("veilface register", "veilface serve")


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
        ("gallery", "list", "--data", "missing"),
        ("serve", "now"),
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
def test_wrong_use(
    arguments: tuple[str, ...], language: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEILFACE_LANG", language)
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("veilface: ")
    assert printed.err.count("\n") == 1
    if language == "zh":  # what Typer says in English does not get through
        assert not TWO_WORDS.search(re.sub("|".join(NAMED), "", printed.err)), printed.err


def test_wrong_use_of_the_program(veilface: Veilface) -> None:
    done = veilface("serve", "--port", "eighty")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "veilface: --port cannot be used: “eighty” is no whole number.\n"


def test_what_the_system_refuses_is_said_in_words(veilface: Veilface) -> None:
    done = veilface("serve", "--data", "/dev/null/data", VEILFACE_LANG="zh")
    assert (done.returncode, done.stdout) == (1, "")
    assert "路径中有一段不是文件夹" in done.stderr


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
