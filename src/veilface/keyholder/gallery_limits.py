"""How often a kiosk may search or register people, and a gallery's kiosks together: counted before anything is opened.

One row an attempt, written in the transaction that spends its challenge. Rows that no limit looks at any more are
dropped. A search's row stays *open* until its first answer; one that a crash or the matcher left so is recorded as
interrupted.
"""

from sqlite3 import Connection, Row
from typing import Final

from veilface.keyholder.gallery_errors import LimitReached
from veilface.keyholder.limits import DAY_MS, HOUR_MS, Policy, Quota
from veilface.keyholder.store import insert
from veilface.protect.envelope import MessageType


def reserve(
    db: Connection,
    *,
    gallery: bytes,
    device: bytes,
    type_: MessageType,
    header_hash: bytes,
    policy: Policy,
    now_ms: int,
) -> int:
    """Write the attempt down, if kiosk and gallery have one left; its id. Raises ``LimitReached``."""
    search = type_ is MessageType.IDENTIFY
    of_kiosk, of_gallery = (
        (policy.kiosk_searches, policy.gallery_searches)
        if search
        else (policy.kiosk_registrations, policy.gallery_registrations)
    )
    free_at_ms = max(
        _free_at(db, of_kiosk, gallery, type_, device),
        _free_at(db, of_gallery, gallery, type_, None),
    )
    if free_at_ms > now_ms:
        raise LimitReached(retry_after_s=-(-(free_at_ms - now_ms) // 1000))
    return insert(
        db,
        "gallery_attempts",
        gallery=gallery,
        device=device,
        type=type_,
        header_hash=header_hash,
        time_ms=now_ms,
        open=int(search),
    )


def close(db: Connection, *, attempt: int) -> None:
    """The attempt has its first answer. Doing it again does no harm."""
    db.execute("UPDATE gallery_attempts SET open = 0 WHERE id = ?", (attempt,))


def still_open(db: Connection, *, before_ms: int | None) -> list[Row]:
    """Searches without an answer that were reserved before a time, or all of them."""
    statement = "SELECT * FROM gallery_attempts WHERE open = 1 AND (:before_ms IS NULL OR time_ms < :before_ms)"
    return db.execute(statement, {"before_ms": before_ms}).fetchall()


def forget_old(db: Connection, *, now_ms: int) -> None:
    """Drop attempts that no limit looks at any more."""
    db.execute("DELETE FROM gallery_attempts WHERE time_ms < ? AND open = 0", (now_ms - DAY_MS,))


def forget(db: Connection, *, gallery: bytes) -> None:
    """Drop the attempts of a gallery that can make no more."""
    db.execute("DELETE FROM gallery_attempts WHERE gallery = ?", (gallery,))


_OF_GALLERY: Final = "SELECT time_ms FROM gallery_attempts WHERE gallery = :gallery AND type = :type"
_OF_KIOSK: Final = _OF_GALLERY + " AND device = :device"


def _free_at(db: Connection, quota: Quota, gallery: bytes, type_: MessageType, device: bytes | None) -> int:
    """When the last attempt but so many leaves its hour and its day; 0 while there are not that many."""
    statement = (_OF_GALLERY if device is None else _OF_KIOSK) + " ORDER BY time_ms DESC LIMIT 1 OFFSET :skipped"
    values = {"gallery": gallery, "type": type_, "device": device}
    free_at_ms = 0
    for limit, window_ms in ((quota.per_hour, HOUR_MS), (quota.per_day, DAY_MS)):
        row = db.execute(statement, values | {"skipped": limit - 1}).fetchone()
        if row:
            free_at_ms = max(free_at_ms, row[0] + window_ms)
    return free_at_ms
