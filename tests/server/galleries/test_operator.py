"""An operator at the terminal, beside the running server; and galleries of a server that is killed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.processes import HttpTransport, Machine
from tests.server.conftest import DatabaseServer, SiteTransport, machine_in
from tests.server.galleries.kiosk import Kiosk
from tests.support import unit
from veilface.cli import gallery as cli
from veilface.cli.main import run
from veilface.server.galleries.keeper import Keeper
from veilface.server.galleries.models import Gallery, Invitation
from veilface.server.galleries.models import Kiosk as KioskRow

Operator = Callable[..., Any]


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], db: None) -> Operator:
    """Runs a command on this test's database; its JSON."""
    monkeypatch.setattr(cli, "_open", lambda _data: None)
    monkeypatch.setenv("VEILFACE_LANG", "en")

    def command(*arguments: str, status: int = 0) -> Any:
        assert run(["gallery", *arguments, "--json"]) == status
        said = capsys.readouterr()
        return json.loads(said.out) if status == 0 else said.err

    return command


def test_every_command(operator: Operator, gallery: Gallery, keeper: Keeper, kiosk: Kiosk) -> None:
    assert operator("create", "后门", "--purpose", "员工")["register"] is False
    assert "called “后门” already" in operator("create", "后门", "--purpose", "x", status=1)
    assert "what the gallery is for" in operator("create", "x", "--purpose", " ", status=1)
    assert kiosk.register(unit(1), "张三").status == 201
    assert operator("rotate", "前台")["order"] == "rotate"
    assert operator("rebuild", gallery.id)["order"] == "rebuild"
    keeper.round()
    row, _ = operator("list")["galleries"]
    assert (row["people"], row["waiting"], row["kiosks"][0]["name"]) == (1, 0, "大门")
    gallery.refresh_from_db()
    assert (row["key_days"], row["rotates_at"][:10]) == (0, f"{gallery.keyed_at + timedelta(days=30):%F}")
    assert [(one["order"], one["done"], one["failure"]) for one in row["orders"]] == [
        ("rotate", True, ""),
        ("rebuild", True, ""),
    ]
    assert operator("verify", "前台") == {"blocks": 1, "damaged": []}
    (file,) = (Path(settings.GALLERIES) / gallery.id).iterdir()
    file.unlink()
    operator("verify", "前台", status=1)
    other = Kiosk(SiteTransport())
    assert other.join(operator("kiosk", "前台")["code"]).status == 201
    said, ids = operator("kiosk", "前台", "--revoke", "大门", status=1), [one.device_id.hex() for one in (kiosk, other)]
    assert f"{ids[0]}, {ids[1]}" in said
    assert not KioskRow.objects.filter(state="revoked").exists()
    assert operator("kiosk", "前台", "--revoke", ids[1]) == {"revoked": ids[1]}
    assert operator("kiosk", "前台", "--revoke", "大门") == {"revoked": kiosk.device_id.hex()}
    assert "kiosk" in operator("kiosk", "前台", "--revoke", "大门", status=1)
    assert len(operator("kiosk", "前台")["code"]) == 14
    assert Invitation.objects.filter(used_at=None).count() == 1
    assert "--yes" in operator("close", "前台", status=2)
    assert Gallery.objects.filter(state="open").count() == 2
    assert operator("close", "前台", "--yes") == {"closed": gallery.id}
    assert [one["name"] for one in operator("list")["galleries"]] == ["后门"]
    assert "前台" in operator("verify", "前台", status=1)


def test_people_read_it_in_both_languages(
    operator: Operator, gallery: Gallery, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for language, said in (("zh", "只能用一次"), ("en", "good once")):
        monkeypatch.setenv("VEILFACE_LANG", language)
        for command in (("list",), ("kiosk", "前台"), ("verify", "前台"), ("rotate", "前台")):
            assert run(["gallery", *command]) == 0
        shown = capsys.readouterr().out
        assert said in shown
        assert "前台" in shown


def test_a_folder_without_a_server_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in cli.SECRETS:
        monkeypatch.delenv(name, raising=False)
    assert run(["gallery", "list", "--data", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []


# --- beside a running server -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, database_server: DatabaseServer) -> Iterator[Machine]:
    with machine_in(tmp_path_factory.mktemp("machine"), database_server) as machine, machine.keyholder():
        yield machine


def told(machine: Machine, *arguments: str) -> Any:
    """What ``veilface gallery`` says, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VEILFACE_")}
    command = [sys.executable, "-m", "veilface", "gallery", *arguments, "--data", str(machine.folder), "--json"]
    settings = {"VEILFACE_DATABASE_URL": machine.database}
    done = subprocess.run(command, env=environment | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def until(condition: Callable[[], bool], machine: Machine) -> None:
    patience = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < patience, (machine.folder / "server.log").read_text("utf-8")[-4_000:]
        time.sleep(0.2)


def test_a_killed_server_finds_everybody_again_and_nobody_who_left(running: Machine) -> None:
    with running.server() as process:
        told(running, "create", "前台", "--purpose", "迎宾", "--register")
        kiosk = Kiosk(HttpTransport(running.url))
        assert kiosk.join(told(running, "kiosk", "前台")["code"]).status == 201
        people = [kiosk.register(unit(seed), str(seed)).json["id"] for seed in (1, 2, 3)]
        until(lambda: kiosk.names(unit(3)) == ["3"], running)
        assert kiosk.send("DELETE", f"/kiosk/people/{people[0]}").status == 204
        os.killpg(process.pid, 9)
    with running.server():
        until(lambda: kiosk.names(unit(2)) == ["2"], running)
        assert kiosk.names(unit(1)) == []
        assert kiosk.names(unit(3)) == ["3"]
    kiosk.transport.http.close()  # type: ignore[attr-defined]
