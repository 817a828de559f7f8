"""Settings from the environment, databases by address, the data folder, the process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from tests.processes import Machine
from veilface.keyholder.errors import KeyHolderMisconfigured
from veilface.server import databases, env, run, site


def test_environment_helpers_are_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEILFACE_A", "7")
    monkeypatch.setenv("VEILFACE_B", "yes")
    monkeypatch.setenv("VEILFACE_C", " one, two ,,")
    (tmp_path / "secret").write_text("quiet\n")
    monkeypatch.setenv("VEILFACE_D_FILE", str(tmp_path / "secret"))
    assert env.integer("VEILFACE_A", 1) == 7
    assert env.integer("VEILFACE_NONE", 1) == 1
    assert env.flag("VEILFACE_B", default=False)
    assert env.words("VEILFACE_C") == ["one", "two"]
    assert env.choices("VEILFACE_C", frozenset({"one", "two", "three"})) == {"one", "two"}
    assert env.choices("VEILFACE_NONE", frozenset({"one"})) == {"one"}
    with pytest.raises(ValueError, match="VEILFACE_B"):
        env.choices("VEILFACE_B", frozenset({"one"}))
    monkeypatch.setenv("VEILFACE_B", "none")
    assert env.choices("VEILFACE_B", frozenset({"one"})) == frozenset()
    assert env.secret("VEILFACE_D") == "quiet"
    assert env.secret("VEILFACE_NONE") is None


@pytest.mark.parametrize("read", [lambda: env.integer("VEILFACE_A", 1), lambda: env.flag("VEILFACE_A", default=True)])
def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, read: object) -> None:
    monkeypatch.setenv("VEILFACE_A", "perhaps")
    with pytest.raises(ValueError, match="VEILFACE_A"):
        read()  # type: ignore[operator]


def test_sqlite_waits_for_the_disk_and_locks_at_the_beginning() -> None:
    options = databases.configure("sqlite:////srv/veilface.sqlite3")
    assert options["NAME"] == "/srv/veilface.sqlite3"
    assert options["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in options["OPTIONS"]["init_command"]


def test_mariadb_by_address() -> None:
    options = databases.configure("mariadb://veil%40face:p%3Aw@db.example:3307/veilface?unix_socket=/run/db.sock")
    assert (options["USER"], options["PASSWORD"], options["HOST"]) == ("veil@face", "p:w", "db.example")
    assert (options["PORT"], options["NAME"]) == ("3307", "veilface")
    assert options["OPTIONS"]["isolation_level"] == "read committed"
    assert options["OPTIONS"]["unix_socket"] == "/run/db.sock"
    assert databases.configure("mysql://u:p@h/d")["ENGINE"] == "django.db.backends.mysql"


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="VEILFACE_DATABASE_URL"):
        databases.configure("postgres://localhost/x")


@pytest.mark.django_db
def test_the_database_in_use_has_those_settings() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            assert cursor.fetchone() == ("wal",)
            cursor.execute("PRAGMA synchronous")
            assert cursor.fetchone() == (2,)
        else:
            cursor.execute("SELECT @@tx_isolation")
            assert cursor.fetchone() == ("READ-COMMITTED",)


def test_a_broken_site_file_names_itself(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('name = "x"\n[[team]]\nname = { zh = "只有中文" }\n', "utf-8")
    with pytest.raises(ValueError, match=r"site\.toml"):
        site.load(file)


def test_the_secret_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    first = run.secret_file(tmp_path)
    content = first.read_text()
    assert len(content) >= 48
    assert first.stat().st_mode & 0o777 == 0o600
    assert run.secret_file(tmp_path).read_text() == content


def test_settings_follow_the_origin() -> None:
    script = (
        "from veilface.server import settings as s; import json; print(json.dumps([s.SESSION_COOKIE_SECURE, "
        "s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_NAME, s.CSRF_TRUSTED_ORIGINS, s.ALLOWED_HOSTS[0]]))"
    )
    environment = os.environ | {"VEILFACE_ORIGIN": "https://face.example/", "VEILFACE_SECRET_KEY": "x"}
    printed = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, check=True).stdout
    assert json.loads(printed) == [True, True, "__Host-veilface", ["https://face.example"], "face.example"]


def test_no_migration_is_missing() -> None:
    command = [sys.executable, "-m", "veilface.server.manage", "makemigrations", "--check", "--dry-run"]
    subprocess.run(command, check=True, capture_output=True)


def test_missing_credentials_are_told_before_anything_is_served(machine: Machine) -> None:
    (machine.folder / "credentials" / "keyholder.pub").unlink()
    with pytest.raises(AssertionError, match=KeyHolderMisconfigured.code), machine.server():
        pass


def test_the_server_starts_again_and_stops_when_asked(machine: Machine) -> None:
    with machine.keyholder():
        with machine.server() as process:
            assert machine.api().get("/health").json == {"server": "ok", "database": "ok", "keyholder": "ok"}
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        with machine.server():
            assert machine.api().get("/health").json["server"] == "ok"
    folder = machine.folder / "server"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir() if file.is_file())
    assert list(machine.temporary.iterdir()) == []


def test_the_schema_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/database.md").read_text("utf-8")
    for model in apps.get_models():
        section = text.split(f"## {model._meta.db_table}\n")[1].split("\n## ")[0]
        for field in model._meta.concrete_fields:
            assert f"`{field.column}`" in section, field
