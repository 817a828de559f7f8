"""The audit log: what it holds, and that no other hand can change it unseen."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.keyholder.people import STRANGER, Clock, Person
from veilface.keyholder import audit, core
from veilface.keyholder.audit import Cause, Event
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.errors import AuditTampered, KeyHolderMisconfigured
from veilface.keyholder.messages import SignedHead
from veilface.keyholder.store import FILE_NAME
from veilface.protect.envelope import MessageType, Outcome


@pytest.fixture
def log(enrolled: Person, holder: KeyHolder, data: Path) -> Path:
    """A closed key holder with six records."""
    enrolled.verify()
    enrolled.verify(STRANGER)
    holder.delete(**enrolled.deletion().arguments)
    holder.close()
    return data


def edit(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def entries(data: Path) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(data / FILE_NAME)) as db:
        records = [row[0] for row in db.execute("SELECT record FROM audit ORDER BY number")]
    return [tuple(record[-3:]) for record in records]


def test_what_is_recorded(log: Path) -> None:
    accepted, not_accepted = Outcome.ACCEPTED, Outcome.NOT_ACCEPTED
    assert entries(log) == [
        (MessageType.DEVICE, accepted, Cause.NONE),
        (MessageType.ENROL, accepted, Cause.NONE),
        (Event.ACTIVATE, accepted, Cause.NONE),
        (MessageType.VERIFY, accepted, Cause.NONE),
        (MessageType.VERIFY, not_accepted, Cause.SCORE),
        (MessageType.DELETE, accepted, Cause.NONE),
    ]
    report = audit.check(log)
    assert report.records == 6
    assert report.head is not None
    report.head.verify(core.initialise(log).public_key)


def test_a_log_can_be_checked_while_it_is_written(enrolled: Person, data: Path) -> None:
    assert audit.check(data).records == 3
    enrolled.verify()
    assert audit.check(data).records == 4


def test_an_empty_log_has_a_signed_head(holder: KeyHolder, data: Path) -> None:
    assert audit.check(data) == audit.AuditReport(records=0, head=None)
    head = holder.audit_head()
    head.verify(holder.identity().public_key)
    assert (head.index, head.head) == (0, audit.GENESIS)
    assert audit.check(data, heads=[head]).records == 0


TAMPERING = {
    "a decision flipped": "UPDATE audit SET record = CAST(substr(record, 1, 81) || x'0000' AS BLOB) WHERE number = 5",
    "a record removed": "DELETE FROM audit WHERE number = 3",
    "the first removed": "DELETE FROM audit WHERE number = 1",
    "the last removed": "DELETE FROM audit WHERE number = 6",
    "all removed": "DELETE FROM audit",
    "a record doubled": "INSERT INTO audit SELECT 7, record, head FROM audit WHERE number = 6",
    "two swapped": "UPDATE audit SET number = CASE number WHEN 4 THEN -5 ELSE -4 END WHERE number IN (4, 5)",
    "a head changed": "UPDATE audit SET head = zeroblob(32) WHERE number = 2",
    "a record shortened": "UPDATE audit SET record = substr(record, 1, 82) WHERE number = 2",
    "the tip put back": "UPDATE audit_tip SET number = 5, head = (SELECT head FROM audit WHERE number = 5)",
    "the tip's signature": "UPDATE audit_tip SET signature = zeroblob(64)",
    "the tip removed": "DELETE FROM audit_tip",
}


@pytest.mark.parametrize("statement", TAMPERING.values(), ids=TAMPERING.keys())
def test_tampering_shows(log: Path, statement: str) -> None:
    edit(log, statement, "UPDATE audit SET number = -number WHERE number < 0")
    with pytest.raises(AuditTampered):
        audit.check(log)


def test_a_chain_computed_anew_lacks_the_signature(log: Path) -> None:
    """Whoever can write the file, but not sign, drops the last record and puts the tip on the one before."""
    edit(
        log,
        "DELETE FROM audit WHERE number = 6",
        "UPDATE audit_tip SET number = 5, head = (SELECT head FROM audit WHERE number = 5)",
    )
    with pytest.raises(AuditTampered) as caught:
        audit.check(log)
    assert caught.value.details["got"] == "signature"


def test_a_whole_older_file_shows_against_a_head_kept_elsewhere(
    enrolled: Person, holder: KeyHolder, data: Path, tmp_path: Path, clock: Clock
) -> None:
    older = tmp_path / "older.sqlite3"
    with closing(sqlite3.connect(older)) as copy, holder._office.store.reading() as db:
        db.backup(copy)
    enrolled.verify(STRANGER)
    kept = holder.audit_head()
    holder.close()
    assert audit.check(data, heads=[kept]).records == 4
    for leftover in data.glob(f"{FILE_NAME}-*"):
        leftover.unlink()
    (data / FILE_NAME).write_bytes(older.read_bytes())
    assert audit.check(data).records == 3  # by itself the older state is whole
    with pytest.raises(AuditTampered):
        audit.check(data, heads=[kept])
    with KeyHolder(data, clock=clock) as put_back:  # nor does writing on from there help
        enrolled.holder = put_back
        enrolled.verify()
    with pytest.raises(AuditTampered):
        audit.check(data, heads=[kept])


def test_a_head_nobody_signed_is_not_believed(log: Path) -> None:
    report = audit.check(log)
    assert report.head is not None
    forged = replace(report.head, signature=bytes(64))
    with pytest.raises(AuditTampered):
        audit.check(log, heads=[forged])


def test_heads_follow_the_chain(log: Path) -> None:
    with closing(sqlite3.connect(log / FILE_NAME)) as db:
        stored = db.execute("SELECT record, head FROM audit ORDER BY number").fetchall()
    head = audit.GENESIS
    for record, stored_head in stored:
        head = sha256(head + record).digest()
        assert stored_head == head


def test_without_the_public_key_nothing_is_checked(log: Path) -> None:
    (log / "keyholder.pub").write_text("04ff")
    with pytest.raises(KeyHolderMisconfigured):
        audit.check(log)
    (log / "keyholder.pub").unlink()
    with pytest.raises(KeyHolderMisconfigured):
        audit.check(log)


def test_a_signed_head_says_what_it_signs() -> None:
    head = SignedHead(index=1, head=bytes(32), time_ms=2, signature=bytes(64))
    assert head.unsigned_bytes() == b"VFAH" + (1).to_bytes(8, "big") + bytes(32) + (2).to_bytes(8, "big")
