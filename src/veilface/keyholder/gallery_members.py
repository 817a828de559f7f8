"""Who joined which gallery: an account's word, by its device's signature, for the one key it was given under."""

from sqlite3 import Connection, Row

from veilface.keyholder.store import one


def join(db: Connection, *, gallery: bytes, account: bytes, key_fp: bytes, now_ms: int) -> None:
    """Let the gallery use what is under this key of the account. Joining again keeps the day of the first time."""
    db.execute(
        "INSERT INTO gallery_members (gallery, account, key_fp, since_ms) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (gallery, account) DO UPDATE SET key_fp = excluded.key_fp",
        (gallery, account, key_fp, now_ms),
    )


def leave(db: Connection, *, gallery: bytes, account: bytes) -> bool:
    """Take the permission back; whether there was one."""
    statement = "DELETE FROM gallery_members WHERE gallery = ? AND account = ?"
    return db.execute(statement, (gallery, account)).rowcount > 0


def leave_all(db: Connection, *, account: bytes) -> None:
    """Take back every permission of an account whose key is replaced or erased."""
    db.execute("DELETE FROM gallery_members WHERE account = ?", (account,))


def account_of(db: Connection, *, gallery: bytes, key_fp: bytes) -> bytes | None:
    """The account that joined with this key, if the key is its current one still."""
    row: Row | None = one(
        db,
        "SELECT m.account FROM gallery_members AS m JOIN epochs AS e ON e.account = m.account "
        "WHERE e.key_fp = :key_fp AND e.state = 'current' AND m.key_fp = :key_fp AND m.gallery = :gallery",
        gallery=gallery,
        key_fp=key_fp,
    )
    return bytes(row["account"]) if row else None
