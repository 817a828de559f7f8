"""``veilface doctor``: it finds what is broken, says what to do, and changes nothing."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Veilface
from veilface import launcher
from veilface.cli import checks

LOCAL = ["python", "models", "onnxruntime", "seal", "keyed", "web", "permissions", "database", "disk"]


def found(veilface: Veilface, *arguments: str | Path) -> dict[str, dict[str, str]]:
    done = veilface("doctor", "--json", *arguments)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert done.returncode == (0 if answer["healthy"] else 1)
    return {entry.pop("check"): entry for entry in answer["checks"]}


def test_a_sound_installation_before_its_first_start(veilface: Veilface, tmp_path: Path) -> None:
    findings = found(veilface, "--server", f"http://localhost:{launcher.free_port()}")
    assert list(findings) == [*LOCAL, "server", "clock"]
    assert {name for name, finding in findings.items() if finding["state"] == "broken"} <= {"web"}
    assert findings["server"]["state"] == "notice"
    assert not (tmp_path / "data").exists()


def test_a_running_installation(veilface: Veilface, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with launcher.running(data, port=launcher.free_port(), settings={}) as pair:
        findings = found(veilface, "--data", data, "--server", pair.url)
        for name in ("permissions", "database", "server", "keyholder", "clock"):
            assert findings[name]["state"] == "good", name
        (data / "keyholder").chmod(0o755)
        assert found(veilface, "--data", data, "--server", pair.url)["permissions"]["state"] == "good"
        data.chmod(0o755)
        finding = found(veilface, "--data", data, "--server", pair.url)["permissions"]
        assert finding["state"] == "broken"
        assert "chmod" in finding["advice"]


def test_what_is_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "veilface.sqlite3").write_bytes(b"scrambled" * 1000)
    monkeypatch.setattr(checks, "FREE_BYTES", 1 << 62)
    monkeypatch.setattr(checks, "OLDEST_PYTHON", (99, 0))
    findings = {finding.check: finding for finding in checks.examine(tmp_path, "http://localhost:1")}
    for name in ("database", "disk", "python"):
        assert findings[name].state == "broken", name


def test_a_database_elsewhere_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEILFACE_DATABASE_URL", f"mariadb://user:hush@127.0.0.1:{launcher.free_port()}/veilface")
    finding = next(one for one in checks.examine(tmp_path, "http://localhost:1") if one.check == "database")
    assert finding.state == "broken"
    assert "hush" not in finding.found


@pytest.mark.parametrize(
    ("health", "broken"),
    [
        ({"server": "ok", "database": "ok", "keyholder": "down"}, "keyholder"),
        ({"server": "ok", "database": "down", "keyholder": "ok"}, "server"),
    ],
)
def test_what_the_server_says_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, health: dict[str, str], broken: str
) -> None:
    monkeypatch.setattr(httpx, "get", lambda *_, **__: httpx.Response(503, json=health))
    findings = {finding.check: finding.state for finding in checks.examine(tmp_path, "http://localhost:1")}
    assert findings[broken] == "broken"


def test_a_clock_that_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: Any, **__: Any) -> httpx.Response:
        date = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)
        return httpx.Response(200, json={"server": "ok", "database": "ok", "keyholder": "ok"}, headers={"date": date})

    monkeypatch.setattr(httpx, "get", answer)
    assert checks.examine(tmp_path, "http://localhost:1")[-1].state == "broken"
