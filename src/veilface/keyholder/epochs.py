"""Key epochs of an account: which key of which protection, and which template under it, is the current one.

An epoch begins *pending* (made for an enrolment), is *waiting* once its template was accepted, and becomes *current*
when the server has stored that template. Becoming current erases the key before it, in the same transaction, so at
every moment exactly one stored template can be opened. An account has at most one epoch of each state.
"""

from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection, Row
from typing import Final, Literal, get_args

from cryptography.exceptions import InvalidTag

from veilface.keyholder.errors import ActivationStale, KeyHolderStorageFailed, NotEnrolled, StaleKey
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.store import insert, number, one
from veilface.protect.scheme import KeyPair, OpenProtection, Protection, protection_of
from veilface.protect.suites import Suite

State = Literal["pending", "waiting", "current"]
PENDING_LIFETIME_MS: Final = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One key. ``model_fp`` and ``template_hash`` (32 B each) are None while it is pending.

    The key of a keyed protection has no secret: what is wrapped is empty, and erasing it is forgetting the public salt.
    """

    account: bytes
    number: int
    suite: Suite
    key_fp: bytes
    wrapped: bytes
    model_fp: bytes | None
    template_hash: bytes | None

    @property
    def protection(self) -> Protection:
        """What the key protects."""
        return protection_of(self.suite)

    @property
    def sealed(self) -> bool:
        """Whether judging takes the secret."""
        return not isinstance(self.protection, OpenProtection)

    def unwrap(self, kek: KeyEncryptionKey) -> bytes:
        """The packed secret (1,024 B); raises ``KeyHolderStorageFailed`` for a row that was damaged or moved."""
        try:
            return kek.unwrap(self.wrapped, bound_to=_bound_to(self.account, self.number))
        except InvalidTag as error:
            raise KeyHolderStorageFailed from error


def begin(db: Connection, *, account: bytes, suite: Suite, key: KeyPair, kek: KeyEncryptionKey, now_ms: int) -> Epoch:
    """Add a pending epoch with this key; an earlier pending one is dropped."""
    db.execute("DELETE FROM epochs WHERE account = ? AND state = 'pending'", (account,))
    db.execute("UPDATE accounts SET last_epoch = last_epoch + 1 WHERE id = ?", (account,))
    epoch = number(db, "SELECT last_epoch FROM accounts WHERE id = :account", account=account)
    insert(
        db,
        "epochs",
        account=account,
        epoch=epoch,
        state="pending",
        suite=suite,
        key_fp=sha256(key.public_key).digest(),
        public_key=key.public_key,
        wrapped=kek.wrap(key.secret, bound_to=_bound_to(account, epoch)),
        created_ms=now_ms,
    )
    return pending(db, account)


def find(db: Connection, account: bytes, state: State) -> Epoch | None:
    """The account's epoch of this state, if there is one."""
    statement = (
        "SELECT account, epoch AS number, suite, key_fp, wrapped, model_fp, template_hash "
        "FROM epochs WHERE account = :account AND state = :state"
    )
    row: Row | None = one(db, statement, account=account, state=state)
    return Epoch(**dict(row) | {"suite": Suite(row["suite"])}) if row else None


def current(db: Connection, account: bytes) -> Epoch:
    """The one epoch verifications are judged against; raises ``NotEnrolled``."""
    found = find(db, account, "current")
    if found is None:
        raise NotEnrolled
    return found


def pending(db: Connection, account: bytes) -> Epoch:
    """The epoch an enrolment is under way for; raises ``StaleKey``."""
    found = find(db, account, "pending")
    if found is None:
        raise StaleKey
    return found


def accept(db: Connection, epoch: Epoch, *, model_fp: bytes, template_hash: bytes, device: bytes) -> None:
    """Let a pending epoch wait for its activation; one that waited before never had its template stored."""
    db.execute("DELETE FROM epochs WHERE account = ? AND state = 'waiting'", (epoch.account,))
    db.execute(
        "UPDATE epochs SET state = 'waiting', model_fp = ?, template_hash = ?, device = ? "
        "WHERE account = ? AND epoch = ?",
        (model_fp, template_hash, device, epoch.account, epoch.number),
    )


def reject(db: Connection, epoch: Epoch) -> None:
    """Drop a pending epoch: a key is good for one judgement of an enrolment only. One that went on since stays."""
    db.execute(
        "DELETE FROM epochs WHERE account = ? AND epoch = ? AND state = 'pending'", (epoch.account, epoch.number)
    )


def activate(db: Connection, *, account: bytes, epoch: int, template_hash: bytes, now_ms: int) -> bytes | None:
    """Make the waiting epoch current and erase the one before; the device that enrolled it.

    None when it is current already. Raises ``ActivationStale`` for any other epoch or template.
    """
    row = one(
        db,
        "SELECT state, device FROM epochs "
        "WHERE account = :account AND epoch = :epoch AND template_hash = :template_hash",
        account=account,
        epoch=epoch,
        template_hash=template_hash,
    )
    if row is None:
        raise ActivationStale
    if row["state"] == "current":
        return None
    if replaced := find(db, account, "current"):
        _bury(db, replaced, reason="replaced", now_ms=now_ms)
    db.execute("UPDATE epochs SET state = 'current' WHERE account = ? AND epoch = ?", (account, epoch))
    return bytes(row["device"])


def erase(db: Connection, account: bytes, *, reason: Literal["deleted", "forgotten"], now_ms: int) -> list[Epoch]:
    """Erase every key of the account and leave tombstones: what was encrypted under them is noise from now on."""
    erased = [epoch for state in get_args(State) if (epoch := find(db, account, state))]
    for epoch in erased:
        _bury(db, epoch, reason=reason, now_ms=now_ms)
    return erased


def public_key(db: Connection, key_fp: bytes) -> bytes:
    """The public key, of an account or of a gallery's probes; raises ``StaleKey`` when there is none of this print."""
    statement = (
        "SELECT public_key FROM epochs WHERE key_fp = :key_fp "
        "UNION ALL SELECT public_key FROM galleries WHERE key_fp = :key_fp"
    )
    row = one(db, statement, key_fp=key_fp)
    if row is None:
        raise StaleKey
    return bytes(row["public_key"])


def forget_abandoned(db: Connection, *, now_ms: int) -> None:
    """Drop pending epochs whose challenge expired long ago."""
    db.execute("DELETE FROM epochs WHERE state = 'pending' AND created_ms < ?", (now_ms - PENDING_LIFETIME_MS,))


def _bury(db: Connection, epoch: Epoch, *, reason: str, now_ms: int) -> None:
    db.execute("DELETE FROM epochs WHERE account = ? AND epoch = ?", (epoch.account, epoch.number))
    insert(
        db,
        "tombstones",
        account=epoch.account,
        epoch=epoch.number,
        key_fp=epoch.key_fp,
        reason=reason,
        erased_ms=now_ms,
    )


def _bound_to(account: bytes, epoch: int) -> bytes:
    return account + epoch.to_bytes(4, "big")
