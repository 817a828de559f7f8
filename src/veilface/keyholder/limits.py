"""How often anybody may ask: every decision reveals one bit, so decisions are counted before they are made.

An attempt is *reserved* durably before anything is decrypted and *closed* with its outcome afterwards. While it is
open it counts as a failure, so attempts side by side cannot slip past a limit together, and one that a crash cut
short was not free.

What counts. An **attempt** is an enrolment or verification that passed steps 1–3 of protocol §7 and was let through
to decryption; the hourly, daily and 30-day limits count attempts of the account. **Consecutive failures** are counted
per account and per device; an accepted verification sets both back to zero, and so does the activation of a new
enrolment, which needed the password and an active device. Nothing else resets anything: not a deletion, not a restart.
A request that a limit turned away is no attempt – nothing was decrypted, and repeating it does not lengthen the wait –
but it gets a signed receipt, and ``total_decisions`` counts **receipts**: it grows by exactly one for every signed
receipt of the account, of every class and type, plus one for every attempt that a crash left without a receipt.
A device that sums its own requests therefore sees every bit anybody else asked for.
"""

from dataclasses import dataclass
from sqlite3 import Connection, Row
from typing import Final

from veilface.keyholder.errors import Unavailable
from veilface.keyholder.store import insert, number

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
MONTH_MS: Final = 30 * DAY_MS


@dataclass(frozen=True)
class Quota:
    """How often somebody may ask in an hour and in a day."""

    per_hour: int
    per_day: int


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The numbers of protocol §7 and §9. Tests may make them smaller; nothing else changes them."""

    pause_after: int = 5
    pause_ms: int = 30_000
    disable_after: int = 50
    per_hour: int = 20
    per_day: int = 100
    failures_per_30_days: int = 50
    kiosk_searches: Quota = Quota(4_000, 40_000)
    gallery_searches: Quota = Quota(8_000, 80_000)
    kiosk_registrations: Quota = Quota(1_000, 5_000)
    gallery_registrations: Quota = Quota(2_000, 10_000)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether the next attempt would be let through. ``retry_at_ms`` None: yes, as far as waiting goes."""

    disabled: bool
    retry_at_ms: int | None
    consecutive_failures: int


def standing(db: Connection, *, account: bytes, device: bytes, policy: Policy, now_ms: int) -> Standing:
    """Where the account and this device of it stand at ``now_ms``."""
    of_account = db.execute("SELECT consecutive_failures, last_attempt_ms FROM accounts WHERE id = ?", (account,))
    of_device = db.execute(
        "SELECT consecutive_failures, last_attempt_ms FROM devices WHERE account = ? AND id = ?", (account, device)
    )
    streaks = [
        _streak(of_account.fetchone(), number(db, _OPEN_OF_ACCOUNT, account=account)),
        _streak(of_device.fetchone(), number(db, _OPEN_OF_DEVICE, account=account, device=device)),
    ]
    waits = [last_ms + policy.pause_ms for failures, last_ms in streaks if failures >= policy.pause_after]
    waits += [
        _free_at(db, account, policy.per_hour, HOUR_MS),
        _free_at(db, account, policy.per_day, DAY_MS),
        _free_at(db, account, policy.failures_per_30_days, MONTH_MS, "AND outcome <> 'accepted'"),
    ]
    retry_at_ms = max(waits)
    return Standing(
        disabled=any(failures >= policy.disable_after for failures, _ in streaks),
        retry_at_ms=retry_at_ms if retry_at_ms > now_ms else None,
        consecutive_failures=streaks[0][0],
    )


def reserve(db: Connection, *, account: bytes, device: bytes, type_: int, header_hash: bytes, now_ms: int) -> int:
    """Write the attempt down as if it had failed; its id."""
    for table, where in (("accounts", "id = :account"), ("devices", "account = :account AND id = :device")):
        statement = f"UPDATE {table} SET last_attempt_ms = :now_ms WHERE {where}"  # noqa: S608
        db.execute(statement, {"account": account, "device": device, "now_ms": now_ms})
    return insert(db, "attempts", account=account, device=device, type=type_, header_hash=header_hash, time_ms=now_ms)


def close(db: Connection, *, attempt: int, account: bytes, device: bytes, accepted: bool, resets: bool) -> int:
    """Write down how the attempt ended; the account's consecutive failures after it.

    ``resets`` – an acceptance that proves the person, which ends the row of failures.
    """
    outcome = "accepted" if accepted else "failed"
    closed = db.execute("UPDATE attempts SET outcome = ? WHERE id = ? AND outcome = 'open'", (outcome, attempt))
    if closed.rowcount != 1:  # it took so long that it was taken for interrupted
        raise Unavailable
    if resets:
        reset(db, account=account, device=device)
    elif not accepted:
        db.execute("UPDATE accounts SET consecutive_failures = consecutive_failures + 1 WHERE id = ?", (account,))
        db.execute(
            "UPDATE devices SET consecutive_failures = consecutive_failures + 1 WHERE account = ? AND id = ?",
            (account, device),
        )
    return number(db, "SELECT consecutive_failures FROM accounts WHERE id = :account", account=account)


def reset(db: Connection, *, account: bytes, device: bytes) -> None:
    """End the row of failures of the account and of one device."""
    db.execute("UPDATE accounts SET consecutive_failures = 0 WHERE id = ?", (account,))
    db.execute("UPDATE devices SET consecutive_failures = 0 WHERE account = ? AND id = ?", (account, device))


def next_decision(db: Connection, *, account: bytes) -> int:
    """Count one more receipt of the account; its number."""
    db.execute("UPDATE accounts SET total_decisions = total_decisions + 1 WHERE id = ?", (account,))
    return number(db, "SELECT total_decisions FROM accounts WHERE id = :account", account=account)


def open_attempts(db: Connection, *, before_ms: int | None) -> list[Row]:
    """Attempts without an outcome that were reserved before a time, or all of them."""
    statement = "SELECT * FROM attempts WHERE outcome = 'open' AND (:before_ms IS NULL OR time_ms < :before_ms)"
    return db.execute(statement, {"before_ms": before_ms}).fetchall()


def forget(db: Connection, *, account: bytes) -> None:
    """Drop the attempts of an account that can make no more."""
    db.execute("DELETE FROM attempts WHERE account = ?", (account,))


def forget_old(db: Connection, *, now_ms: int) -> None:
    """Drop attempts that no limit looks at any more."""
    db.execute("DELETE FROM attempts WHERE time_ms < ? AND outcome <> 'open'", (now_ms - MONTH_MS,))


_OPEN_OF_ACCOUNT: Final = "SELECT count(*) FROM attempts WHERE outcome = 'open' AND account = :account"
_OPEN_OF_DEVICE: Final = _OPEN_OF_ACCOUNT + " AND device = :device"


def _streak(row: Row | None, still_open: int) -> tuple[int, int]:
    """Consecutive failures, open attempts included, and the time of the last attempt."""
    return (row[0] + still_open, row[1]) if row else (still_open, 0)


def _free_at(db: Connection, account: bytes, limit: int, window_ms: int, only: str = "") -> int:
    """When the ``limit``-th last attempt leaves the window; 0 when there are not that many."""
    statement = f"SELECT time_ms FROM attempts WHERE account = ? {only} ORDER BY time_ms DESC LIMIT 1 OFFSET ?"  # noqa: S608
    row = db.execute(statement, (account, limit - 1)).fetchone()
    return row[0] + window_ms if row else 0
