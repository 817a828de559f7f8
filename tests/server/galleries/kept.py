"""The site's truth of a gallery in a database of its own, which goes wherever the folder beside it goes.

An SQLite file lies in the folder. On MariaDB the folder holds the database's name, and a copy of the folder gets a copy
of the database when it is opened. Every call is made on a connection of the truth's own, whatever else the process has
open. :meth:`KeptTruth.step` is called before every statement that changes a row, and before every commit.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import Any, TypeVar

import django
import pymysql
from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from django.db.utils import load_backend

from veilface.match.gallery_truth import Enrolment, Known, Placed, Repacking
from veilface.server import databases

if not apps.ready:
    django.setup()  # a process that was spawned knows nothing of Django yet

from veilface.server.accounts.models import Account
from veilface.server.enrolment.models import Template
from veilface.server.galleries.models import Gallery
from veilface.server.galleries.truth import DjangoTruth

CHANGES = ("INSERT", "UPDATE", "DELETE")
NOTE, FILE, KEYS = "database.json", "site.sqlite3", "keys"
READ: tuple[type[Model], ...] = (Account, Template, *apps.get_app_config("galleries").get_models())
T = TypeVar("T")


class KeptTruth(DjangoTruth):
    """The truth of the one gallery of ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._url = _moved_in(folder)
        self._here = local()
        self._keys = folder / KEYS
        with self._at_home():
            super().__init__(Gallery.objects.get().id, public_key=lambda key_fp: (self._keys / key_fp).read_bytes())

    def step(self) -> None:
        """Something is about to be changed."""

    def rows(self) -> dict[str, list[Any]]:
        """Everything that a gallery reads of the database."""
        with self._at_home():
            return {model._meta.db_table: list(model._default_manager.order_by("pk").values_list()) for model in READ}

    def standing(self) -> tuple[int, int]:
        return self._done(super().standing)

    def blocks(self) -> list[Placed]:
        return self._done(super().blocks)

    def waiting(self) -> list[Known]:
        return self._done(super().waiting)

    def known(self, members: Sequence[bytes]) -> list[Known]:
        return self._done(lambda: super(KeptTruth, self).known(members))

    def enrolments(self, members: Sequence[bytes]) -> Iterator[Enrolment]:
        return iter(self._done(lambda: list(super(KeptTruth, self).enrolments(members))))

    def add(self, enrolments: Iterable[Enrolment]) -> None:
        def noted() -> Iterator[Enrolment]:
            for one in enrolments:
                (self._keys / one.key_fp.hex()).write_bytes(one.public_key)
                yield one

        self._done(lambda: super(KeptTruth, self).add(noted()))

    def remove(self, person: bytes) -> list[bytes]:
        return self._done(lambda: super(KeptTruth, self).remove(person))

    def repack(self, change: Repacking) -> None:
        self._done(lambda: super(KeptTruth, self).repack(change))

    def _done(self, work: Callable[[], T]) -> T:
        with self._at_home():
            return work()

    @contextmanager
    def _at_home(self) -> Iterator[None]:
        if not hasattr(self._here, "connection"):
            self._here.connection = connected(self._url, self._stepping)
        before = connections["default"]
        connections["default"] = self._here.connection
        try:
            yield
        finally:
            connections["default"] = before

    def _stepping(self) -> None:
        self.step()


def connected(url: str, step: Callable[[], None]) -> BaseDatabaseWrapper:
    """A connection of its own that tells what is about to be changed."""
    usual = connections.configure_settings({"default": databases.configure(url)})["default"]
    made: BaseDatabaseWrapper = load_backend(usual["ENGINE"]).DatabaseWrapper(usual, "default")
    commit = made.commit

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(CHANGES):
            step()
        return run(sql, *rest)

    def committing() -> None:
        step()
        commit()

    made.execute_wrappers.append(execute)
    made.commit = committing  # type: ignore[method-assign]
    return made


def open_kept(folder: Path) -> KeptTruth:
    """In any process."""
    return KeptTruth(folder)


def settle(folder: Path, url: str) -> None:
    """Begin a truth in this folder: all tables, and a gallery with nobody in it."""
    (folder / KEYS).mkdir()
    _note(folder, f"sqlite:///{folder / FILE}" if url.startswith("sqlite") else url)
    fresh = connected(_moved_in(folder), lambda: None)
    before, connections["default"] = connections["default"], fresh
    with fresh.schema_editor() as editor:
        for model in apps.get_models():
            if model.__module__.startswith("veilface.server."):
                editor.create_model(model)
    Gallery.objects.create(name="前台", purpose="迎宾")
    fresh.close()
    connections["default"] = before


def _note(folder: Path, url: str) -> None:
    (folder / NOTE).write_text(json.dumps({"folder": str(folder), "url": url}))


def _moved_in(folder: Path) -> str:
    """The URL of the folder's database, which is copied where the folder was."""
    note = json.loads((folder / NOTE).read_text())
    if note["folder"] == str(folder):
        return str(note["url"])
    if (folder / FILE).exists():
        _note(folder, f"sqlite:///{folder / FILE}")
    else:
        _note(folder, _copied(note["url"]))
    return _moved_in(folder)


def _copied(url: str) -> str:
    usual = databases.configure(url)
    old, new = usual["NAME"], f"veilface_{secrets.token_hex(4)}"
    with (
        pymysql.connect(unix_socket=usual["OPTIONS"]["unix_socket"], user=usual["USER"]) as session,
        session.cursor() as cursor,
    ):
        cursor.execute(f"CREATE DATABASE {new} CHARACTER SET utf8mb4")
        for model in READ:
            table = model._meta.db_table
            cursor.execute(f"CREATE TABLE {new}.{table} LIKE {old}.{table}")
            cursor.execute(f"INSERT INTO {new}.{table} SELECT * FROM {old}.{table}")  # noqa: S608 – names of our own
        session.commit()
    return url.replace(f"/{old}?", f"/{new}?")
