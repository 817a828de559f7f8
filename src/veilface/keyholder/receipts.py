"""What the key holder signs: receipts, each with its audit record, and key certificates."""

from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Final

from veilface.keyholder import audit, limits
from veilface.keyholder.admission import Message
from veilface.keyholder.audit import Cause, Entry
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.keys import SigningKey
from veilface.protect.envelope import KeyCert, KeyPurpose, MessageType, Outcome, Receipt

CERT_SKEW_MS: Final = 300_000
CERT_LIFETIME_MS: Final = 24 * 3_600_000
INGEST_EPOCH: Final = 1
"""An ingest key is the only one its gallery ever has."""
_MOST_FAILURES: Final = 0xFFFF


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was asked, by whom, and what came of it. ``cause`` goes into the audit log only."""

    header_hash: bytes
    account: bytes
    device: bytes
    type: MessageType
    template_hash: bytes
    outcome: Outcome
    cause: Cause = Cause.NONE
    consecutive_failures: int = 0


def answer(
    message: Message,
    template_hash: bytes,
    *,
    outcome: Outcome,
    cause: Cause = Cause.NONE,
    consecutive_failures: int = 0,
) -> Answer:
    """The answer to one signed message."""
    return Answer(
        header_hash=message.digest,
        account=message.account,
        device=message.device,
        type=message.header.type,
        template_hash=template_hash,
        outcome=outcome,
        cause=cause,
        consecutive_failures=consecutive_failures,
    )


def issue(db: Connection, answer: Answer, *, recorded_as: int | None = None, key: SigningKey, now_ms: int) -> bytes:
    """Count, record and sign one answer inside the caller's transaction; the receipt (192 B).

    ``recorded_as`` – the audit type, where it is not the message type.
    """
    total = limits.next_decision(db, account=answer.account)
    entry = Entry(
        time_ms=now_ms,
        header_hash=answer.header_hash,
        account=answer.account,
        device=answer.device,
        type=answer.type if recorded_as is None else recorded_as,
        decision=answer.outcome,
        cause=answer.cause,
    )
    head = audit.append(db, entry, key=key)
    receipt = Receipt(
        header_hash=answer.header_hash,
        template_hash=answer.template_hash,
        decision=answer.type,
        outcome=answer.outcome,
        consecutive_failures=min(answer.consecutive_failures, _MOST_FAILURES),
        total_decisions=total,
        time_ms=now_ms,
        log_index=head.index,
        log_head=head.head,
    )
    return replace(receipt, signature=key.sign(receipt.unsigned_bytes())).to_bytes()


def certify(epoch: Epoch, *, key: SigningKey, now_ms: int) -> bytes:
    """A fresh certificate (138 B) that this key is the account's, good for a day."""
    return _certified(
        KeyCert(
            purpose=KeyPurpose.ACCOUNT,
            suite=epoch.suite,
            subject_id=epoch.account,
            epoch=epoch.number,
            not_before=now_ms - CERT_SKEW_MS,
            not_after=now_ms + CERT_LIFETIME_MS,
            key_fp=epoch.key_fp,
        ),
        key,
    )


def certify_gallery(gallery: bytes, key_fp: bytes, *, key: SigningKey, now_ms: int) -> bytes:
    """A fresh certificate (138 B) that this key is a gallery's ingest key, good for a day."""
    return _certified(
        KeyCert(
            purpose=KeyPurpose.GALLERY,
            subject_id=gallery,
            epoch=INGEST_EPOCH,
            not_before=now_ms - CERT_SKEW_MS,
            not_after=now_ms + CERT_LIFETIME_MS,
            key_fp=key_fp,
        ),
        key,
    )


def _certified(certificate: KeyCert, key: SigningKey) -> bytes:
    return replace(certificate, signature=key.sign(certificate.unsigned_bytes())).to_bytes()
