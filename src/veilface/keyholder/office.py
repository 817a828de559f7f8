"""What every flow works with: the database, the keys, the clock – and the steps all of them share."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from sqlite3 import Connection
from typing import Final

from veilface.keyholder import audit, challenges, epochs, gallery_limits, limits
from veilface.keyholder.admission import Message
from veilface.keyholder.audit import Cause, Entry
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.galleries import Galleries
from veilface.keyholder.gallery_work import Packs, Searches
from veilface.keyholder.keys import KeyEncryptionKey, SigningKey
from veilface.keyholder.limits import Policy
from veilface.keyholder.store import Store
from veilface.keyholder.unsealed import UnsealedKeys
from veilface.protect.envelope import Outcome
from veilface.protect.suites import Suite

TIDY_EVERY_MS: Final = 60_000
Clock = Callable[[], int]
Observer = Callable[[str, float], None]
"""Told the name of a stage (parse, reserve, unseal, decide, record) and how long it took in seconds; never a value."""


def system_clock_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(kw_only=True)
class Office:
    """One key holder's desk. ``model_fps`` – the embedding contract and threshold (32 B) accepted of each suite."""

    store: Store
    kek: KeyEncryptionKey
    key: SigningKey
    clock: Clock
    observe: Observer
    policy: Policy
    model_fps: Mapping[Suite, bytes]
    challenge_key: bytes = field(init=False, repr=False)
    unsealed: UnsealedKeys = field(init=False)
    galleries: Galleries = field(init=False)
    searches: Searches = field(init=False, default_factory=Searches)
    packs: Packs = field(init=False, default_factory=Packs)
    tidied_ms: int = 0

    def __post_init__(self) -> None:
        self.challenge_key = self.kek.derive(b"veilface challenge key")
        self.unsealed = UnsealedKeys(self.kek)
        self.galleries = Galleries(self.store, self.kek)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what happens inside, and tell the observer when it went well."""
        start = time.perf_counter()
        yield
        self.observe(name, time.perf_counter() - start)

    def admit(self, db: Connection, message: Message, *, public_key: bytes, now_ms: int) -> None:
        """Step 3 of protocol §7: challenge, signature, spent. Now and then the house is tidied as well."""
        message.admit(db, public_key=public_key, challenge_key=self.challenge_key, now_ms=now_ms)
        if now_ms - self.tidied_ms >= TIDY_EVERY_MS:
            self.tidied_ms = now_ms
            challenges.forget_expired(db, now_ms=now_ms)
            limits.forget_old(db, now_ms=now_ms)
            gallery_limits.forget_old(db, now_ms=now_ms)
            epochs.forget_abandoned(db, now_ms=now_ms)
            self.close_interrupted(db, before_ms=now_ms - TIDY_EVERY_MS, now_ms=now_ms)

    def close_interrupted(self, db: Connection, *, before_ms: int | None, now_ms: int) -> None:
        """Count attempts that never came to a receipt as the failures they were reserved as."""
        for row in limits.open_attempts(db, before_ms=before_ms):
            account, device = row["account"], row["device"]
            limits.close(db, attempt=row["id"], account=account, device=device, accepted=False, resets=False)
            limits.next_decision(db, account=account)
            entry = Entry(
                time_ms=now_ms,
                header_hash=row["header_hash"],
                account=account,
                device=device,
                type=row["type"],
                decision=Outcome.NOT_ACCEPTED,
                cause=Cause.INTERRUPTED,
            )
            audit.append(db, entry, key=self.key)
        for row in gallery_limits.still_open(db, before_ms=before_ms):
            gallery_limits.close(db, attempt=row["id"])
            entry = Entry(
                time_ms=now_ms,
                header_hash=row["header_hash"],
                account=row["gallery"],
                device=row["device"],
                type=row["type"],
                decision=Outcome.NOT_ACCEPTED,
                cause=Cause.INTERRUPTED,
            )
            audit.append(db, entry, key=self.key)

    def forget_keys(self, erased: list[Epoch]) -> None:
        """Let nothing of erased keys stay in memory or in the database's log."""
        for epoch in erased:
            self.unsealed.drop(epoch.key_fp)
        self.store.scrub()
