"""What is true of a gallery: who is in it, and which slot of which block holds whom.

The blocks themselves are a cache that can be made again from this and the key holder. Every change is one transaction,
and one after which a query must look different raises the generation: what was prepared for an older layout shows.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any, Final, NamedTuple, Protocol


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """One template (73,728 B) of a person who opted in, and the account's public key (98,304 B) it is under.

    ``member`` and ``person`` are 16 B each; a person may have several templates. ``key_fp`` (32 B) – the SHA-256 of the
    public key. ``kind`` – see :class:`Known`.
    """

    member: bytes
    person: bytes
    template: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    key_fp: bytes
    kind: str = ""


class Known(NamedTuple):
    """A template (16 B), whose it is (16 B), and by which way they came in.

    No block holds two ``kind`` s: somebody who came in by two ways is two persons here, and none can tell.
    """

    member: bytes
    person: bytes
    kind: str


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A block as it should be: SHA-256 of its file, how many were packed into it, and who still is in which slot.

    ``key_fp`` – of the key it was packed under (:attr:`~veilface.protect.gallery.EpochKeys.scan_fp`): under any other,
    it is noise. ``kind`` – of everybody in it.
    """

    block: bytes
    checksum: bytes
    key_fp: bytes
    kind: str
    packed: int
    members: Mapping[int, bytes]


@dataclass(frozen=True, kw_only=True)
class Repacking:
    """New blocks in the place of ``replaced`` ones. ``gone`` members had no template that could be opened any more."""

    epoch: int
    made: Sequence[Placed]
    replaced: Sequence[bytes] = ()
    gone: Sequence[bytes] = ()


class Truth(Protocol):
    """The database of one gallery. Every method is one transaction, durable when it returns."""

    def standing(self) -> tuple[int, int]:
        """Epoch of the key and generation of the layout, both from 1 up."""

    def blocks(self) -> list[Placed]:
        """All blocks, in the order in which they were made, with those of their members who are still there."""

    def waiting(self) -> list[Known]:
        """Those who are in no block yet, first come first."""

    def known(self, members: Sequence[bytes]) -> list[Known]:
        """Those of these members who are still there."""

    def enrolments(self, members: Sequence[bytes]) -> Iterator[Enrolment]:
        """The templates of those members who are still there."""

    def add(self, enrolments: Iterable[Enrolment]) -> None:
        """Let them wait for a place in a block. A member who is known already stays as they are."""

    def remove(self, person: bytes) -> list[bytes]:
        """Forget a person and all their templates; the members that were theirs."""

    def repack(self, change: Repacking) -> None:
        """Put new blocks in the place of others, all at once. Whoever was removed meanwhile stays removed."""


_PAGE_BYTES: Final = 1 << 15
"""A template is a few pages, not a chain of many."""
_SCHEMA = """
    CREATE TABLE IF NOT EXISTS state (epoch INTEGER NOT NULL, generation INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS blocks (
        number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, checksum BLOB NOT NULL, key_fp BLOB NOT NULL,
        kind TEXT NOT NULL, packed INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS keys (fingerprint BLOB PRIMARY KEY, public_key BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS members (
        number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, person BLOB NOT NULL, kind TEXT NOT NULL,
        key_fp BLOB NOT NULL REFERENCES keys (fingerprint),
        block BLOB REFERENCES blocks (id) ON DELETE SET NULL, slot INTEGER,
        UNIQUE (block, slot), UNIQUE (block, person)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS templates (
        member INTEGER PRIMARY KEY REFERENCES members (number) ON DELETE CASCADE, template BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS members_by_key ON members (key_fp);
    CREATE INDEX IF NOT EXISTS members_by_person ON members (person);
"""


_KNOWN = "SELECT id, person, kind FROM members WHERE id = ?"
_WAITING = "SELECT id, person, kind FROM members WHERE block IS NULL ORDER BY number"
_TEMPLATE = """
    SELECT person, template, key_fp, kind FROM members JOIN templates ON templates.member = members.number WHERE id = ?
"""
_KEY = "SELECT public_key FROM keys WHERE fingerprint = ?"


class SqliteTruth:
    """A :class:`Truth` in one SQLite file, for tools and tests; the site keeps its own in its database.

    Templates lie in a table of their own: a row is written as a whole, and where somebody stands changes often. There
    is one connection, so a write-ahead log would let nobody read meanwhile, and what is added would be written twice.
    """

    def __init__(self, path: Path) -> None:
        self._lock = RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        self._db.executescript("PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(_SCHEMA)
        self._db.execute("INSERT INTO state SELECT 1, 1 WHERE NOT EXISTS (SELECT 1 FROM state)")

    def close(self) -> None:
        self._db.close()

    def standing(self) -> tuple[int, int]:
        with self._lock:
            epoch, generation = self._db.execute("SELECT epoch, generation FROM state").fetchone()
        return epoch, generation

    def blocks(self) -> list[Placed]:
        with self._lock:
            rows = self._db.execute("SELECT id, checksum, key_fp, kind, packed FROM blocks ORDER BY number").fetchall()
            places = self._db.execute("SELECT block, slot, id FROM members WHERE block IS NOT NULL").fetchall()
        members: dict[bytes, dict[int, bytes]] = {block: {} for block, *_ in rows}
        for block, slot, member in places:
            members[block][slot] = member
        return [
            Placed(block=block, checksum=checksum, key_fp=key_fp, kind=kind, packed=packed, members=members[block])
            for block, checksum, key_fp, kind, packed in rows
        ]

    def waiting(self) -> list[Known]:
        with self._lock:
            return [Known(*row) for row in self._db.execute(_WAITING)]

    def known(self, members: Sequence[bytes]) -> list[Known]:
        return [Known(*row) for member in members if (row := self._row(_KNOWN, member))]

    def enrolments(self, members: Sequence[bytes]) -> Iterator[Enrolment]:
        keys: dict[bytes, tuple[Any, ...]] = {}
        for member in members:
            if row := self._row(_TEMPLATE, member):
                person, template, key_fp, kind = row
                if key := keys.get(key_fp) or self._row(_KEY, key_fp):
                    keys[key_fp] = key
                    yield Enrolment(
                        member=member,
                        person=person,
                        template=template,
                        public_key=key[0],
                        key_fp=key_fp,
                        kind=kind,
                    )

    def add(self, enrolments: Iterable[Enrolment]) -> None:
        keys = set[bytes]()
        with self._transaction():
            for one in enrolments:
                if one.key_fp not in keys:
                    key = one.key_fp, one.public_key
                    self._db.execute("INSERT INTO keys VALUES (?, ?) ON CONFLICT (fingerprint) DO NOTHING", key)
                    keys.add(one.key_fp)
                added = self._db.execute(
                    "INSERT INTO members (id, person, key_fp, kind) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING "
                    "RETURNING number",
                    (one.member, one.person, one.key_fp, one.kind),
                ).fetchall()
                self._db.executemany(
                    "INSERT INTO templates VALUES (?, ?)", ((number, one.template) for (number,) in added)
                )

    def remove(self, person: bytes) -> list[bytes]:
        with self._transaction():
            removed = self._db.execute(
                "DELETE FROM members WHERE person = ? RETURNING id, key_fp", (person,)
            ).fetchall()
            if removed:
                self._drop_keys(removed)
                self._change_layout()
        return [member for member, _ in removed]

    def repack(self, change: Repacking) -> None:
        with self._transaction():
            self._db.executemany("DELETE FROM blocks WHERE id = ?", ((block,) for block in change.replaced))
            for member in change.gone:
                gone = self._db.execute("DELETE FROM members WHERE id = ? RETURNING id, key_fp", (member,)).fetchall()
                self._drop_keys(gone)
            for placed in change.made:
                self._db.execute(
                    "INSERT INTO blocks (id, checksum, key_fp, kind, packed) VALUES (?, ?, ?, ?, ?)",
                    (placed.block, placed.checksum, placed.key_fp, placed.kind, placed.packed),
                )
                self._db.executemany(
                    "UPDATE members SET block = ?, slot = ? WHERE id = ? AND block IS NULL",
                    ((placed.block, slot, member) for slot, member in placed.members.items()),
                )
            self._db.execute("UPDATE state SET epoch = ?", (change.epoch,))
            self._change_layout()

    def _change_layout(self) -> None:
        self._db.execute("UPDATE state SET generation = generation + 1")

    def _drop_keys(self, removed: Sequence[tuple[bytes, bytes]]) -> None:
        """Forget the keys of (member, key_fp) that nothing is under any more."""
        self._db.executemany(
            "DELETE FROM keys WHERE fingerprint = ? AND NOT EXISTS (SELECT 1 FROM members WHERE key_fp = fingerprint)",
            ((key_fp,) for _, key_fp in removed),
        )

    def _row(self, query: str, member: bytes) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._db.execute(query, (member,)).fetchone()
        return row

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
