"""Device keys: whose signature counts for an account, and from when."""

from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Final

from veilface.keyholder.errors import (
    AccountForgotten,
    DeviceKnown,
    DeviceNotActive,
    TooManyDevices,
    UnknownAccount,
    UnknownDevice,
)
from veilface.keyholder.messages import DeviceRecord, DeviceState
from veilface.keyholder.store import insert, number, one

WAIT_MS: Final = 24 * 3_600_000
MOST_DEVICES: Final = 16
"""How many devices that are not revoked an account may have."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device as it stands now, with the key (65 B) that speaks for it."""

    record: DeviceRecord
    public_key: bytes


def require_account(db: Connection, account: bytes) -> None:
    """Raises ``UnknownAccount``, or ``AccountForgotten`` for one that was erased."""
    if not exists(db, account):
        raise UnknownAccount


def exists(db: Connection, account: bytes) -> bool:
    """Whether any device was ever registered for the account; raises ``AccountForgotten``."""
    if is_forgotten(db, account):
        raise AccountForgotten
    return one(db, "SELECT 1 FROM accounts WHERE id = :account", account=account) is not None


def is_forgotten(db: Connection, account: bytes) -> bool:
    """Whether the account was erased."""
    erased = "SELECT 1 FROM accounts WHERE id = :account AND forgotten_ms IS NOT NULL"
    return one(db, erased, account=account) is not None


def require_active(db: Connection, *, account: bytes, device: bytes, now_ms: int) -> Device:
    """The device, if it may act for the account at ``now_ms``; raises one of the four errors about that otherwise."""
    require_account(db, account)
    found = find(db, account=account, device=device, now_ms=now_ms)
    if found.record.state != "active":
        raise DeviceNotActive
    return found


def find(db: Connection, *, account: bytes, device: bytes, now_ms: int) -> Device:
    """The device in whatever state; raises ``UnknownDevice``."""
    row = one(db, "SELECT * FROM devices WHERE account = :account AND id = :device", account=account, device=device)
    if row is None:
        raise UnknownDevice
    return _device(row, now_ms)


def every(db: Connection, *, account: bytes, now_ms: int) -> tuple[DeviceRecord, ...]:
    """All devices of the account, revoked ones too, in the order they were added."""
    rows = db.execute("SELECT * FROM devices WHERE account = ? ORDER BY rowid", (account,))
    return tuple(_device(row, now_ms).record for row in rows)


def register(db: Connection, *, account: bytes, device: bytes, public_key: bytes, now_ms: int) -> DeviceRecord:
    """Add a device: active now if the account never had one, else in 24 h. A repetition changes nothing.

    Raises ``DeviceKnown`` when the id belongs to another key or was revoked, ``TooManyDevices``, ``AccountForgotten``.
    """
    if not exists(db, account):
        insert(db, "accounts", id=account)
    row = one(db, "SELECT * FROM devices WHERE account = :account AND id = :device", account=account, device=device)
    if row is not None:
        if row["public_key"] != public_key or row["revoked_ms"] is not None:
            raise DeviceKnown
        return _device(row, now_ms).record
    in_use = "SELECT count(*) FROM devices WHERE account = :account AND revoked_ms IS NULL"
    if number(db, in_use, account=account) >= MOST_DEVICES:
        raise TooManyDevices(limit=MOST_DEVICES)
    first = number(db, "SELECT count(*) FROM devices WHERE account = :account", account=account) == 0
    active_from_ms = now_ms if first else now_ms + WAIT_MS
    insert(db, "devices", account=account, id=device, public_key=public_key, active_from_ms=active_from_ms)
    return find(db, account=account, device=device, now_ms=now_ms).record


def approve(db: Connection, *, account: bytes, device: bytes, now_ms: int) -> DeviceRecord:
    """End the waiting of a pending device; raises ``DeviceNotActive`` for a revoked one."""
    state = find(db, account=account, device=device, now_ms=now_ms).record.state
    if state == "revoked":
        raise DeviceNotActive
    if state == "pending":
        db.execute("UPDATE devices SET active_from_ms = ? WHERE account = ? AND id = ?", (now_ms, account, device))
    return find(db, account=account, device=device, now_ms=now_ms).record


def revoke(db: Connection, *, account: bytes, device: bytes, now_ms: int) -> DeviceRecord:
    """Make a device unusable for good. Repeating it changes nothing."""
    find(db, account=account, device=device, now_ms=now_ms)
    db.execute(
        "UPDATE devices SET revoked_ms = ? WHERE account = ? AND id = ? AND revoked_ms IS NULL",
        (now_ms, account, device),
    )
    return find(db, account=account, device=device, now_ms=now_ms).record


def forget(db: Connection, *, account: bytes, now_ms: int) -> None:
    """Erase the devices of the account and close it for good."""
    db.execute("DELETE FROM devices WHERE account = ?", (account,))
    db.execute("UPDATE accounts SET forgotten_ms = ? WHERE id = ?", (now_ms, account))


def _device(row: Row, now_ms: int) -> Device:
    state: DeviceState = "active" if row["active_from_ms"] <= now_ms else "pending"
    if row["revoked_ms"] is not None:
        state = "revoked"
    record = DeviceRecord(device_id=row["id"], state=state, active_from_ms=row["active_from_ms"])
    return Device(record=record, public_key=row["public_key"])
