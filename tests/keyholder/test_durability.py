"""Full disks, kills and restarts: what was recorded stays, what was not recorded never happened."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.keyholder.people import STRANGER, Clock, Person, Signed, dump
from veilface.keyholder import audit, core, errors
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.store import FILE_NAME, Store
from veilface.protect.envelope import MessageType, Outcome, Receipt

# --- a full disk -----------------------------------------------------------------------------------------


def fill_disk(holder: KeyHolder) -> None:
    """No page may be added to the file, and none is free."""
    with holder._office.store.reading() as db:
        db.execute("VACUUM")
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        assert db.execute("PRAGMA freelist_count").fetchone()[0] == 0
        assert db.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0] == pages


def make_room(holder: KeyHolder) -> None:
    with holder._office.store.reading() as db:
        db.execute("PRAGMA max_page_count = 1000000")


def test_no_key_is_made_that_cannot_be_kept(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    fill_disk(holder)
    before = dump(data)
    with pytest.raises(errors.KeyHolderStorageFull):
        enrolled.grant(MessageType.ENROL)
    assert dump(data) == before
    assert enrolled.verify().outcome == Outcome.ACCEPTED
    make_room(holder)
    assert enrolled.enrol().outcome == Outcome.ACCEPTED


@pytest.mark.parametrize("table", ["spent_challenges", "attempts", "audit", "audit_tip", "accounts"])
@pytest.mark.parametrize("error", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR])
def test_what_cannot_be_recorded_is_not_decided(
    enrolled: Person, data: Path, clock: Clock, table: str, error: int
) -> None:
    """Every table a verification writes refuses in turn; either nothing happened, or a failure was counted."""
    assert isinstance(enrolled.holder, KeyHolder)
    signed = enrolled.verification()
    enrolled.holder.close()
    with KeyHolder(data, clock=clock) as holder:
        enrolled.holder = holder
        before = dump(data)
        break_writes(holder, table, error)
        expected = errors.KeyHolderStorageFull if error == sqlite3.SQLITE_FULL else errors.KeyHolderStorageFailed
        with pytest.raises(expected):
            holder.verify(**signed.arguments)
        reserved = table in {"audit", "audit_tip"}
        assert (dump(data) == before) is not reserved
    with KeyHolder(data, clock=clock) as holder:
        enrolled.holder = holder
        receipt = enrolled.verify()
        assert receipt.outcome == Outcome.ACCEPTED
        assert receipt.total_decisions == (3 if reserved else 2)
        audit.check(data)


def break_writes(holder: KeyHolder, table: str, error: int) -> None:
    """Let every statement that writes ``table`` fail as SQLite fails on a broken or full disk."""
    store = holder._office.store
    store._connection = Breaking(store._connection, table, error)  # type: ignore[assignment]


class Breaking:
    """A connection whose writes to one table fail."""

    def __init__(self, connection: sqlite3.Connection, table: str, error: int) -> None:
        self._connection, self._table, self._error = connection, table, error

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        words = statement.split()
        if words[0] in {"INSERT", "UPDATE"} and self._table in words[1:5]:
            failure = sqlite3.OperationalError("broken")
            failure.sqlite_errorcode = self._error
            raise failure
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)


def test_a_really_full_database_decides_nothing(enrolled: Person, holder: KeyHolder, data: Path, clock: Clock) -> None:
    """Fill the last page by working on: at some request SQLite itself says no, and from then on always."""
    fill_disk(holder)
    for _ in range(500):
        clock.advance(hours=1)
        signed, before = enrolled.verification(), dump(data)
        try:
            holder.verify(**signed.arguments)
        except errors.KeyHolderStorageFull:
            break
    else:
        pytest.fail("the disk never filled")
    after = dump(data)
    lost = {line.split('"')[1] for line in before if line not in after}
    # At most the attempt was reserved: its time noted, and challenges that had expired swept out.
    assert lost <= {"accounts", "devices", "spent_challenges"}
    make_room(holder)
    assert enrolled.verify().outcome == Outcome.ACCEPTED
    audit.check(data)


# --- a kill ----------------------------------------------------------------------------------------------

KILLED = 9
CHILD = """
import json, os, sys
from pathlib import Path
from typing import Any
from veilface.keyholder.core import KeyHolder

data, now_ms, verb, stage = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
arguments = {name: bytes.fromhex(value) for name, value in json.load(sys.stdin).items()}

def die(reached, _seconds):
    if reached == stage:
        os._exit(9)

getattr(KeyHolder(data, clock=lambda: now_ms, observe=die), verb)(**arguments)
"""


def killed_after(stage: str, data: Path, clock: Clock, verb: str, signed: Signed) -> None:
    """Let another process do it, and die when ``stage`` is done."""
    arguments = json.dumps({name: value.hex() for name, value in signed.arguments.items()})
    command = [sys.executable, "-c", CHILD, str(data), str(clock.now_ms), verb, stage]
    done = subprocess.run(command, input=arguments, text=True, capture_output=True, check=False)
    assert done.returncode == KILLED, done.stderr


STAGES = {"parse": 0, "reserve": 1, "unseal": 1, "decide": 1, "record": 1}
"""How many decisions a kill after each stage of a verification has cost."""


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_during_a_verification(enrolled: Person, data: Path, clock: Clock, stage: str) -> None:
    assert isinstance(enrolled.holder, KeyHolder)
    signed = enrolled.verification(STRANGER)
    records = audit.check(data).records
    before = dump(data)
    enrolled.holder.close()
    killed_after(stage, data, clock, "verify", signed)
    counted = STAGES[stage]
    with KeyHolder(data, clock=clock) as holder:
        enrolled.holder = holder
        assert audit.check(data).records == records + counted
        if not counted:
            assert dump(data) == before
        else:
            with pytest.raises(errors.ChallengeReplayed):
                holder.verify(**signed.arguments)
        receipt = enrolled.verify(STRANGER)
        assert receipt.consecutive_failures == 1 + counted
        assert receipt.total_decisions == 2 + counted


def test_a_kill_is_no_free_try(enrolled: Person, data: Path, clock: Clock) -> None:
    assert isinstance(enrolled.holder, KeyHolder)
    enrolled.holder.close()
    for _ in range(5):
        with KeyHolder(data, clock=clock) as holder:
            enrolled.holder = holder
            signed = enrolled.verification(STRANGER)
        killed_after("decide", data, clock, "verify", signed)
    with KeyHolder(data, clock=clock) as holder:
        enrolled.holder = holder
        assert enrolled.verify().outcome == Outcome.RETRY_LATER


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_during_a_reenrolment_leaves_the_old_template_working(
    enrolled: Person, data: Path, clock: Clock, stage: str
) -> None:
    assert isinstance(enrolled.holder, KeyHolder)
    old_template = enrolled.template
    signed = enrolled.enrolment(STRANGER)
    new_template, enrolled.template = enrolled.template, old_template
    enrolled.holder.close()
    killed_after(stage, data, clock, "enrol", signed)
    with KeyHolder(data, clock=clock) as holder:
        enrolled.holder = holder
        status = holder.account_status(enrolled.account)
        assert status.epoch == 1
        assert enrolled.verify().outcome == Outcome.ACCEPTED
        if stage == "record":  # the receipt was lost, the acceptance was not: the server may still activate
            enrolled.activate(signed)
            enrolled.template = new_template
            assert enrolled.verify(STRANGER).outcome == Outcome.ACCEPTED
        else:
            with pytest.raises(errors.ActivationStale):
                holder.activate(account=enrolled.account, epoch=2, template_hash=signed.header.body_hash)


def test_an_attempt_left_open_is_closed_while_running(enrolled: Person, holder: KeyHolder, clock: Clock) -> None:
    """A record that could not be written is made up for later, without a restart."""
    signed = enrolled.verification(STRANGER)
    whole = holder._office.store._connection
    break_writes(holder, "audit", sqlite3.SQLITE_FULL)
    with pytest.raises(errors.KeyHolderStorageFull):
        holder.verify(**signed.arguments)
    holder._office.store._connection = whole
    clock.advance(seconds=121)
    receipt = enrolled.verify(STRANGER)
    assert (receipt.consecutive_failures, receipt.total_decisions) == (2, 3)


# --- folders and versions --------------------------------------------------------------------------------


def test_only_one_process_works_on_a_folder(holder: KeyHolder, data: Path) -> None:
    assert holder.identity().public_key
    with pytest.raises(errors.KeyHolderAlreadyRunning):
        KeyHolder(data)


def test_initialising_twice_keeps_everything(enrolled: Person, holder: KeyHolder, data: Path) -> None:
    before = dump(data)
    assert core.initialise(data) == holder.identity()
    assert dump(data) == before
    assert enrolled.verify().outcome == Outcome.ACCEPTED


def test_files_are_for_the_owner_only(holder: KeyHolder, data: Path) -> None:
    assert holder.identity().public_key
    assert data.stat().st_mode & 0o777 == 0o700
    private = [path for path in data.iterdir() if path.name != "keyholder.pub"]
    assert len(private) >= 4
    assert all(path.stat().st_mode & 0o077 == 0 for path in private)


def test_a_database_from_the_future_is_left_alone(data: Path) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(errors.KeyHolderMisconfigured):
        Store(data)


def test_every_commit_reaches_the_disk(data: Path) -> None:
    with closing(Store(data)) as store, store.reading() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert db.execute("PRAGMA secure_delete").fetchone()[0] == 1
        assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"not a database" * 99), lambda path: path.unlink()])
def test_a_damaged_database_stops_the_start(data: Path, damage: Callable[[Path], object]) -> None:
    damage(data / FILE_NAME)
    with pytest.raises((errors.KeyHolderStorageFailed, errors.KeyHolderMisconfigured)):
        KeyHolder(data)


def test_the_receipt_was_durable_before_it_was_given(enrolled: Person, data: Path) -> None:
    """What another connection sees the moment the answer is there."""
    receipt = Receipt.parse(enrolled.holder.verify(**enrolled.verification().arguments))
    report = audit.check(data)
    assert report.head is not None
    assert (report.head.index, report.head.head) == (receipt.log_index, receipt.log_head)
