"""The device's commands against real servers, as a script would call them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Veilface
from tests.support import PASSWORD
from veilface import launcher


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with launcher.running(tmp_path_factory.mktemp("data"), port=launcher.free_port(), settings={}) as running:
        yield running.url


def register(veilface: Veilface, server: str, username: str) -> None:
    done = veilface(
        *("register", username, "--accept-terms", "--password-file", "-"), stdin=PASSWORD, VEILFACE_SERVER=server
    )
    assert done.returncode == 0, done.stderr


def test_a_life_in_commands(veilface: Veilface, server: str, photos: Path) -> None:
    register(veilface, server, "myself")
    done = veilface("enrol", photos / "obama.jpg", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["template"]["bytes"] == 73_728
    genuine = veilface("verify", photos / "obama2.jpg", "--json")
    assert genuine.returncode == 0, genuine.stderr
    answer = json.loads(genuine.stdout)
    assert set(answer) == {"scheme", "accepted", "outcome", "retry_after_s", "timings_ms"}
    assert (answer["scheme"], answer["accepted"], answer["outcome"]) == ("homomorphic", True, "accepted")
    impostor = veilface("verify", photos / "biden.jpg", "--json")
    assert (impostor.returncode, impostor.stderr) == (1, "")
    assert json.loads(impostor.stdout)["outcome"] == "not_accepted"
    assert "active" in veilface("devices").stdout
    by_stdin = ("--password-file", "-")
    renewed = veilface("renew", photos / "obama.jpg", "--scheme", "ranking", *by_stdin, "--json", stdin=PASSWORD)
    assert json.loads(renewed.stdout)["template"].items() >= {"scheme": "ranking", "bytes": 320, "epoch": 2}.items()
    renewed = veilface("renew", photos / "obama.jpg", *by_stdin, stdin=PASSWORD)
    assert renewed.stdout.startswith("Renewed: ")
    assert "320 bytes" in renewed.stdout
    assert veilface("verify", photos / "obama2.jpg", "--scheme", "ranking").returncode == 0
    insisted = veilface("verify", photos / "obama2.jpg", "--scheme", "negative")
    assert (insisted.returncode, insisted.stdout) == (1, "")
    assert "veilface renew --scheme negative" in insisted.stderr
    assert veilface("delete", "--yes", "--json").returncode == 0
    gone = veilface("verify", photos / "obama.jpg")
    assert gone.returncode == 1
    assert gone.stderr.count("\n") == 1
    assert veilface("logout").returncode == 0


def test_no_consent_no_account(veilface: Veilface, server: str) -> None:
    done = veilface("register", "reluctant", "--password-file", "-", stdin=PASSWORD, VEILFACE_SERVER=server)
    assert done.returncode == 1
    assert "--accept-terms" in done.stderr
    assert (
        veilface("login", "reluctant", "--password-file", "-", stdin=PASSWORD, VEILFACE_SERVER=server).returncode == 1
    )


def test_the_servers_refusal_comes_in_the_readers_language(veilface: Veilface, server: str) -> None:
    arguments = ("login", "nobody", "--password-file", "-")
    english = veilface(*arguments, stdin="wrong wrong wrong", VEILFACE_SERVER=server)
    chinese = veilface(*arguments, stdin="wrong wrong wrong", VEILFACE_SERVER=server, VEILFACE_LANG="zh")
    assert english.stderr.startswith("veilface: The server refused: ")
    assert chinese.stderr.startswith("veilface: 服务器拒绝：")
    assert english.returncode == chinese.returncode == 1


@pytest.mark.parametrize("command", ["devices", "logout", "revoke 00", "approve 00 --fingerprint 00"])
def test_without_a_device_there_is_nothing_to_do(veilface: Veilface, command: str) -> None:
    done = veilface(*command.split())
    assert done.returncode == 1
    assert "veilface register" in done.stderr
    assert done.stderr.count("\n") == 1
