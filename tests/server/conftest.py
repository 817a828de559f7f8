"""The server on a real database – SQLite, or MariaDB with VEILFACE_TEST_DATABASE=mariadb – and a real key holder."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from pytest_django import Settings

from tests.processes import Machine, free_port
from tests.support import Answer, Api, Device, Person
from veilface.keyholder import service
from veilface.keyholder.core import KeyHolder
from veilface.server import databases, keyholding, readiness
from veilface.server.enrolment import evidence

ORIGIN = "http://testserver"
MARIADB = os.environ.get("VEILFACE_TEST_DATABASE", "sqlite") == "mariadb"


# --- the database ----------------------------------------------------------------------------------------


@contextmanager
def mariadb(folder: Path, *options: str) -> Iterator[str]:
    """A MariaDB server of our own on a private folder and socket; its URL."""
    data, socket = folder / "data", folder / "db.sock"
    # A server that starts removes every temporary table in its folder, also another server's.
    private = ["--no-defaults", f"--datadir={data}", f"--tmpdir={folder}"]
    subprocess.run(
        [_program("mariadb-install-db"), *private, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    quick = [
        "--skip-networking",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=16M",
        "--skip-log-bin",
        f"--socket={socket}",
    ]
    user = ["--user=root"] if os.geteuid() == 0 else []
    command = [_program("mariadbd"), *private, *quick, *user, f"--pid-file={folder / 'db.pid'}", *options]
    with (folder / "db.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not socket.exists():
            assert process.poll() is None, (folder / "db.log").read_text()
            assert time.monotonic() < deadline, "MariaDB did not start"
            time.sleep(0.05)
        yield f"mariadb://root@localhost/veilface?unix_socket={socket}"
    finally:
        process.terminate()
        process.wait(30)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    assert found, f"{name} is missing: install mariadb-server"
    return found


@dataclass(frozen=True)
class DatabaseServer:
    """Where this run's databases are. ``folder`` holds their files."""

    folder: Path
    url: str

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        name = f"veilface_{secrets.token_hex(4)}"
        if self.url.startswith("sqlite"):
            return f"sqlite:///{self.folder / name}.sqlite3"
        with pymysql.connect(unix_socket=str(self.folder / "db.sock"), user="root") as session:
            session.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return self.url.replace("/veilface?", f"/{name}?")


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """SQLite files in a folder, or a MariaDB server of our own."""
    folder = tmp_path_factory.mktemp("database")
    if MARIADB:
        with mariadb(folder) as url:
            yield DatabaseServer(folder, url)
    else:
        yield DatabaseServer(folder, f"sqlite:///{folder / 'veilface.sqlite3'}")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(database_server: DatabaseServer) -> None:
    """Point Django at this run's database before pytest-django makes it."""
    django_settings.DATABASES["default"].update(databases.configure(database_server.url))
    del connections["default"]
    connections.settings = connections.configure_settings(django_settings.DATABASES)


@contextmanager
def machine_in(folder: Path, database_server: DatabaseServer) -> Iterator[Machine]:
    """A folder for real processes, with an empty database."""
    made = Machine(folder, database_server.fresh(), free_port(), free_port())
    made.initialise()
    with closing(made):
        yield made


@pytest.fixture
def machine(tmp_path: Path, database_server: DatabaseServer) -> Iterator[Machine]:
    with machine_in(tmp_path, database_server) as made:
        yield made


# --- the server ------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def site(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation of its own, with quick password hashes, that asks the key holder whenever it is asked."""
    settings.ORIGIN = ORIGIN
    settings.KEYHOLDER_CREDENTIALS = tmp_path / "credentials"
    settings.PASSWORD_HASHERS = ["tests.server.hashers.QuickArgon2"]
    settings.LIVENESS = frozenset()  # asked for where a test is about it
    monkeypatch.setattr(readiness, "FRESH_S", 0.0)
    readiness.keyholder_ready.cache_clear()
    evidence.public_key.cache_clear()
    return settings


class Switchable:
    """A key holder that can be out of reach."""

    def __init__(self, inner: KeyHolder) -> None:
        self.inner = inner
        self.fails: dict[str, Exception] = {}

    def __getattr__(self, verb: str) -> Any:
        if error := self.fails.get(verb) or self.fails.get("*"):
            raise error
        return getattr(self.inner, verb)


class Clock:
    """The key holder's clock, which a test may turn."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keyholder(site: Settings, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switchable]:
    """The real key holder, in this process."""
    folder = tmp_path / "keyholder"
    service.initialise(folder, server_credentials=Path(site.KEYHOLDER_CREDENTIALS))
    with KeyHolder(folder, clock=clock) as inner:
        switchable = Switchable(inner)
        monkeypatch.setattr(keyholding, "keyholder", lambda: switchable)
        yield switchable


# --- who asks --------------------------------------------------------------------------------------------


class SiteTransport:
    """The site in a browser: cookies, CSRF token, JSON."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.client.get("/api/v1/session")

    def send(
        self, method: str, path: str, body: bytes = b"", kind: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        sent = {"X-CSRFToken": self.client.cookies["veilface_csrf"].value} | dict(headers or {})
        response = self.client.generic(method, path, body, content_type=kind, headers=sent)
        return Answer(response.status_code, b"".join(response), response.headers)


@pytest.fixture
def api(db: None, keyholder: Switchable) -> Api:
    return Api(SiteTransport())


@pytest.fixture
def people(db: None, keyholder: Switchable) -> Callable[[str], Person]:
    """Registers one person a call, each in a browser of their own."""
    return lambda username: Api(SiteTransport()).register(username)


@pytest.fixture
def device(people: Callable[[str], Person]) -> Device:
    """A registered device of a new account."""
    return with_device(people("person-one"))


def with_device(person: Person) -> Device:
    made = Device(person, secrets.token_bytes(16))
    answer = made.register()
    assert answer.status == 201, answer.body
    return made
