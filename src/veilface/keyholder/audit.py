"""The audit log: an append-only chain in which no record can be changed, dropped or slipped in unseen.

A record is 83 bytes, big-endian: ``number(u64)‖time_ms(u64)‖SHA-256(H)(32)‖account(16)‖device(16)‖type(1)‖
decision(1)‖cause(1)``, and ``head_i = SHA-256(head_{i-1}‖record_i)``. The last head is always under the key holder's
signature, so a chain cut short shows as well, unless the whole file is put back to an older state: against that,
heads are given to others, who hand them to :func:`check`. The cause never leaves the key holder.

Recorded are: everything that got a receipt, attempts a crash cut short, changes of devices, activations. Requests
refused before a decision are not: nobody shall be able to fill the disk with noise.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from hashlib import sha256
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Final

from veilface.keyholder.client import read_public_key
from veilface.keyholder.errors import AuditTampered
from veilface.keyholder.keys import SigningKey
from veilface.keyholder.messages import SignedHead
from veilface.keyholder.store import FILE_NAME, connect, insert, one, translated_errors
from veilface.protect.errors import BadSignature

GENESIS: Final = sha256(b"VFAUDIT1").digest()
_LAYOUT: Final = struct.Struct(">QQ32s16s16sBBB")


class Event(IntEnum):
    """What happened beyond the message types of protocol §4, in the same byte."""

    ACTIVATE = 128
    FORGET = 129
    GALLERY_CREATE = 130
    GALLERY_ERASE = 131
    GALLERY_FORGET = 132
    GALLERY_LEAVE = 133
    GALLERY_REGISTER = 134
    PACK = 135
    SEARCH_BEGUN = 136
    CONFIRM = 137
    KIOSK_REVOKE = 138


class Cause(IntFlag):
    """Why a decision was not 'accepted'. Known to the key holder alone."""

    NONE = 0
    RANGE = 1
    NORM = 2
    SCORE = 4
    SUPERSEDED = 8
    INTERRUPTED = 16
    RETRY_LATER = 32
    DISABLED = 64
    AMBIGUOUS = 128


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What a record says, besides its number."""

    time_ms: int
    header_hash: bytes
    account: bytes
    device: bytes
    type: int
    decision: int
    cause: Cause = Cause.NONE


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """A chain that holds: how many records, and the signed head over them (None when there are none)."""

    records: int
    head: SignedHead | None


def append(db: Connection, entry: Entry, *, key: SigningKey) -> SignedHead:
    """Add a record inside the caller's transaction and sign the new head."""
    tip = one(db, "SELECT number, head FROM audit_tip")
    number, previous = (tip["number"] + 1, tip["head"]) if tip else (1, GENESIS)
    record = _LAYOUT.pack(
        number,
        entry.time_ms,
        entry.header_hash,
        entry.account,
        entry.device,
        entry.type,
        entry.decision,
        entry.cause,
    )
    head = sha256(previous + record).digest()
    insert(db, "audit", number=number, record=record, head=head)
    return _sign(db, index=number, head=head, time_ms=entry.time_ms, key=key)


def first_head(db: Connection, *, time_ms: int, key: SigningKey) -> SignedHead:
    """The signed head of a log that has no record yet."""
    return _sign(db, index=0, head=GENESIS, time_ms=time_ms, key=key)


def _sign(db: Connection, *, index: int, head: bytes, time_ms: int, key: SigningKey) -> SignedHead:
    """Sign the head and keep it as the one tip."""
    unsigned = SignedHead(index=index, head=head, time_ms=time_ms, signature=b"")
    signed = SignedHead(index=index, head=head, time_ms=time_ms, signature=key.sign(unsigned.unsigned_bytes()))
    db.execute(
        "INSERT OR REPLACE INTO audit_tip (one, number, head, time_ms, signature) VALUES (1, ?, ?, ?, ?)",
        (index, head, time_ms, signed.signature),
    )
    return signed


def tip(db: Connection) -> SignedHead | None:
    """The signed head as stored, None before the first record."""
    row = one(db, "SELECT number, head, time_ms, signature FROM audit_tip")
    if row is None:
        return None
    return SignedHead(index=row["number"], head=row["head"], time_ms=row["time_ms"], signature=row["signature"])


def check(data: Path, *, heads: Iterable[SignedHead] = ()) -> AuditReport:
    """Walk the whole log of the key holder in ``data``, which may be running.

    ``heads`` – signed heads kept elsewhere, which the log must still contain. Raises ``AuditTampered`` at the first
    record that does not follow from the one before, and for a head that is not signed or no longer there.
    """
    public_key = read_public_key(data)
    with translated_errors():
        db = connect(data / FILE_NAME, read_only=True)
        try:
            db.execute("BEGIN")
            last = tip(db)
            wanted = [*heads, *([last] if last else [])]
            records = _walk(db, wanted)
        finally:
            db.close()
    for head in wanted:
        _check_signature(head, public_key)
    if records != (last.index if last else 0):
        raise AuditTampered(index=records, got=records, expected=last.index if last else 0)
    return AuditReport(records=records, head=last)


def _walk(db: Connection, wanted: list[SignedHead]) -> int:
    """Recompute every head and compare it with those wanted at its number; how many records there are."""
    expected: defaultdict[int, set[bytes]] = defaultdict(set)
    for signed in wanted:
        expected[signed.index].add(signed.head)
    number, head = 0, GENESIS
    _compare(number, head, expected.pop(0, set()))
    for row in db.execute("SELECT number, record, head FROM audit ORDER BY number"):
        number += 1
        head = _follow(row, number, head)
        _compare(number, head, expected.pop(number, set()))
    if expected:
        raise AuditTampered(index=number, got=number, expected=max(expected))
    return number


def _compare(number: int, head: bytes, expected: set[bytes]) -> None:
    for other in expected - {head}:
        raise AuditTampered(index=number, got=head.hex(), expected=other.hex())


def _follow(row: Row, number: int, previous: bytes) -> bytes:
    record = bytes(row["record"])
    if row["number"] != number or len(record) != _LAYOUT.size or _LAYOUT.unpack(record)[0] != number:
        raise AuditTampered(index=number, got=row["number"], expected=number)
    head = sha256(previous + record).digest()
    if row["head"] != head:
        raise AuditTampered(index=number, got=bytes(row["head"]).hex(), expected=head.hex())
    return head


def _check_signature(head: SignedHead, public_key: bytes) -> None:
    try:
        head.verify(public_key)
    except BadSignature as error:
        raise AuditTampered(index=head.index, got="signature", expected="keyholder") from error
