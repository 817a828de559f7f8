"""The key holder's memory: one SQLite file, written durably or not at all.

Write-ahead log with ``synchronous=FULL``: a transaction that returned survives a power cut, and one that did not
leaves no trace. ``secure_delete`` overwrites what is erased. One connection, one writer at a time: whoever holds the
transaction sees no half-made change of another thread.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, Final

from veilface.keyholder.errors import KeyHolderMisconfigured, KeyHolderStorageFailed, KeyHolderStorageFull

FILE_NAME: Final = "keyholder.sqlite3"

MIGRATIONS: Final = (
    """
    CREATE TABLE secrets (name TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;

    CREATE TABLE accounts (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        last_epoch INTEGER NOT NULL DEFAULT 0,
        total_decisions INTEGER NOT NULL DEFAULT 0,
        consecutive_failures INTEGER NOT NULL DEFAULT 0,
        last_attempt_ms INTEGER NOT NULL DEFAULT 0,
        forgotten_ms INTEGER
    ) STRICT;

    CREATE TABLE devices (
        account BLOB NOT NULL REFERENCES accounts (id),
        id BLOB NOT NULL CHECK (length(id) = 16),
        public_key BLOB NOT NULL CHECK (length(public_key) = 65),
        active_from_ms INTEGER NOT NULL,
        revoked_ms INTEGER,
        consecutive_failures INTEGER NOT NULL DEFAULT 0,
        last_attempt_ms INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (account, id)
    ) STRICT;

    CREATE TABLE epochs (
        account BLOB NOT NULL REFERENCES accounts (id),
        epoch INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'waiting', 'current')),
        key_fp BLOB NOT NULL UNIQUE CHECK (length(key_fp) = 32),
        public_key BLOB NOT NULL,
        wrapped BLOB NOT NULL,
        created_ms INTEGER NOT NULL,
        device BLOB CHECK (length(device) = 16),
        model_fp BLOB CHECK (length(model_fp) = 32),
        template_hash BLOB CHECK (length(template_hash) = 32),
        PRIMARY KEY (account, epoch),
        UNIQUE (account, state)
    ) STRICT;

    CREATE TABLE tombstones (
        account BLOB NOT NULL,
        epoch INTEGER NOT NULL,
        key_fp BLOB NOT NULL,
        reason TEXT NOT NULL CHECK (reason IN ('replaced', 'deleted', 'forgotten')),
        erased_ms INTEGER NOT NULL,
        PRIMARY KEY (account, epoch)
    ) STRICT;

    CREATE TABLE spent_challenges (challenge BLOB PRIMARY KEY, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX spent_challenges_expiry ON spent_challenges (expires_ms);

    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY,
        account BLOB NOT NULL,
        device BLOB NOT NULL,
        type INTEGER NOT NULL,
        header_hash BLOB NOT NULL CHECK (length(header_hash) = 32),
        time_ms INTEGER NOT NULL,
        outcome TEXT NOT NULL DEFAULT 'open' CHECK (outcome IN ('open', 'accepted', 'failed'))
    ) STRICT;
    CREATE INDEX attempts_by_account ON attempts (account, time_ms);
    CREATE INDEX attempts_by_time ON attempts (time_ms);
    CREATE INDEX attempts_open ON attempts (outcome) WHERE outcome = 'open';

    CREATE TABLE audit (number INTEGER PRIMARY KEY, record BLOB NOT NULL, head BLOB NOT NULL) STRICT;
    CREATE TABLE audit_tip (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        number INTEGER NOT NULL,
        head BLOB NOT NULL,
        time_ms INTEGER NOT NULL,
        signature BLOB NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE epochs ADD COLUMN suite INTEGER NOT NULL DEFAULT 1 CHECK (suite IN (1, 3, 4));
    """,
    """
    CREATE TABLE galleries (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        key_fp BLOB NOT NULL UNIQUE CHECK (length(key_fp) = 32),
        public_key BLOB NOT NULL,
        wrapped BLOB NOT NULL,
        first_epoch INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    CREATE TABLE gallery_members (
        gallery BLOB NOT NULL REFERENCES galleries (id) ON DELETE CASCADE,
        account BLOB NOT NULL REFERENCES accounts (id),
        key_fp BLOB NOT NULL CHECK (length(key_fp) = 32),
        since_ms INTEGER NOT NULL,
        PRIMARY KEY (gallery, account)
    ) STRICT;
    CREATE INDEX gallery_members_by_account ON gallery_members (account);

    CREATE TABLE gallery_attempts (
        id INTEGER PRIMARY KEY,
        gallery BLOB NOT NULL,
        device BLOB NOT NULL,
        type INTEGER NOT NULL,
        header_hash BLOB NOT NULL CHECK (length(header_hash) = 32),
        time_ms INTEGER NOT NULL,
        open INTEGER NOT NULL DEFAULT 1 CHECK (open IN (0, 1))
    ) STRICT;
    CREATE INDEX gallery_attempts_by_gallery ON gallery_attempts (gallery, type, time_ms);
    CREATE INDEX gallery_attempts_by_device ON gallery_attempts (gallery, device, type, time_ms);
    CREATE INDEX gallery_attempts_by_time ON gallery_attempts (time_ms);
    CREATE INDEX gallery_attempts_open ON gallery_attempts (open) WHERE open = 1;
    """,
)
"""SQL that leads from schema version i to i + 1; ``PRAGMA user_version`` says where a file stands."""


class Store:
    """The database of one key holder. Rows come back as :class:`sqlite3.Row`."""

    def __init__(self, data: Path, *, create: bool = False) -> None:
        """Open ``data/keyholder.sqlite3``; raises ``KeyHolderMisconfigured`` when there is none or it is from later."""
        self._path = data / FILE_NAME
        self._lock = RLock()
        if create:
            self._path.touch(mode=0o600)
        elif not self._path.is_file():
            raise KeyHolderMisconfigured(path=str(self._path))
        with translated_errors():
            self._connection = connect(self._path)
            self._connection.executescript(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
            )
            self._migrate()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside happens durably, or – on any exception – not at all."""
        with self._lock, translated_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A view that no writer changes meanwhile."""
        with self._lock, translated_errors():
            yield self._connection

    def scrub(self) -> None:
        """Write erased pages through to the file and empty the log that still holds their older state."""
        with self._lock, suppress(sqlite3.Error):  # what is erased stays erased; a later checkpoint catches up
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise KeyHolderMisconfigured(path=str(self._path))
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode that waits up to 5 s for another process's lock."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """Every failure of the disk or of SQLite as :class:`Unavailable`: who cannot record does not decide."""
    try:
        yield
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise (KeyHolderStorageFull() if full else KeyHolderStorageFailed()) from error
    except OSError as error:
        raise (KeyHolderStorageFull() if error.errno == errno.ENOSPC else KeyHolderStorageFailed()) from error


def one(db: sqlite3.Connection, sql: str, **values: object) -> sqlite3.Row | None:
    """The first row, or None."""
    row: sqlite3.Row | None = db.execute(sql, values).fetchone()
    return row


def number(db: sqlite3.Connection, sql: str, **values: object) -> int:
    """The integer a query of one row and one column answers with."""
    return int(db.execute(sql, values).fetchone()[0])


def insert(db: sqlite3.Connection, table: str, **values: Any) -> int:
    """Add one row; its row id. ``table`` and the names are constants of this package, never input."""
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    cursor = db.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", values)  # noqa: S608
    return cursor.lastrowid or 0
