"""Challenges: short-lived permissions to sign one message, bound to what the message will be about.

``expiry(8)‖random(8)‖HMAC-SHA-256/128(K, type‖account‖device‖context_hash‖expiry‖random)`` (protocol §4). Issuing one
stores nothing; spending one stores it until it would have expired.
"""

import hmac
import secrets
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from veilface.keyholder.errors import ChallengeExpired, ChallengeForged, ChallengeReplayed
from veilface.keyholder.store import insert, one

LIFETIME_MS: Final = 90_000
_MAC_FROM: Final = 16


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Which message may carry the challenge: its type, account (16 B), device (16 B) and context hash (32 B)."""

    type: int
    account: bytes
    device: bytes
    context_hash: bytes

    def mac(self, key: bytes, stem: bytes) -> bytes:
        """The last 16 bytes of a challenge that begins with ``stem`` (expiry and random)."""
        message = bytes([self.type]) + self.account + self.device + self.context_hash + stem
        return hmac.digest(key, message, "sha256")[:16]


def issue(*, key: bytes, subject: Subject, now_ms: int) -> bytes:
    """A fresh challenge (32 B) that expires 90 s after ``now_ms``."""
    stem = (now_ms + LIFETIME_MS).to_bytes(8, "big") + secrets.token_bytes(8)
    return stem + subject.mac(key, stem)


def expiry_ms(challenge: bytes) -> int:
    """When a challenge stops being good (Unix ms)."""
    return int.from_bytes(challenge[:8], "big")


def check(db: Connection, *, key: bytes, challenge: bytes, subject: Subject, now_ms: int) -> None:
    """Raises unless ``challenge`` was issued here for exactly this, is in time, and is unspent."""
    stem, mac = challenge[:_MAC_FROM], challenge[_MAC_FROM:]
    if not hmac.compare_digest(mac, subject.mac(key, stem)):
        raise ChallengeForged
    if now_ms >= expiry_ms(challenge):
        raise ChallengeExpired
    if one(db, "SELECT 1 FROM spent_challenges WHERE challenge = :challenge", challenge=challenge):
        raise ChallengeReplayed


def spend(db: Connection, *, challenge: bytes) -> None:
    """Remember the challenge as used, until its expiry refuses it anyway."""
    insert(db, "spent_challenges", challenge=challenge, expires_ms=expiry_ms(challenge))


def forget_expired(db: Connection, *, now_ms: int) -> None:
    """Drop spent challenges that expired a lifetime ago: a clock set back by less lets none return."""
    db.execute("DELETE FROM spent_challenges WHERE expires_ms < ?", (now_ms - LIFETIME_MS,))
