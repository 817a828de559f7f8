"""Enrolment, verification and payment: refuse, reserve, open, record (protocol §7)."""

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from veilface.keyholder import devices, epochs, limits, receipts
from veilface.keyholder.admission import Message
from veilface.keyholder.audit import Cause
from veilface.keyholder.decide import BlindedSign, Evidence, judge, read_evidence
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.errors import DeviceNotActive, StaleKey, WrongContract, WrongSuite, WrongTemplate
from veilface.keyholder.office import Office
from veilface.keyholder.receipts import Answer
from veilface.protect.envelope import MessageType, Outcome
from veilface.protect.scheme import protection_of

# A payment is a verification bound to a statement: same counters, same work, another type under both signatures.
PROBES: Final = (MessageType.VERIFY, MessageType.PAY)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What was let through to be opened, once it is durably written down."""

    id: int
    message: Message
    epoch: Epoch
    template_hash: bytes


def enrol(office: Office, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
    """See ``KeyHolderApi.enrol``."""
    with office.stage("parse"):
        message = Message.parse(header, signature, MessageType.ENROL)
        protection = protection_of(message.header.suite)
        read = read_evidence(protection, evidence, length=protection.enrol_evidence_bytes)
    attempt = _reserve(office, message, template_hash=message.header.body_hash, epoch_of=_pending)
    if isinstance(attempt, bytes):
        return attempt
    cause = _open(office, attempt.epoch, read)
    with office.stage("record"), office.store.transaction() as db:
        now_ms = office.clock()
        cause |= _superseded(db, attempt, "pending", now_ms)
        if cause is Cause.NONE:
            epochs.accept(
                db,
                attempt.epoch,
                model_fp=message.header.model_fp,
                template_hash=attempt.template_hash,
                device=message.device,
            )
        else:
            epochs.reject(db, attempt.epoch)
        return _conclude(office, db, attempt, cause, now_ms)


def verify(office: Office, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
    """See ``KeyHolderApi.verify``."""
    with office.stage("parse"):
        message = Message.parse(header, signature, *PROBES)
        protection = protection_of(message.header.suite)
        read = read_evidence(protection, evidence, length=protection.verify_evidence_bytes)
    attempt = _reserve(office, message, template_hash=message.header.template_hash, epoch_of=_current)
    if isinstance(attempt, bytes):
        return attempt
    cause = _open(office, attempt.epoch, read)
    with office.stage("record"), office.store.transaction() as db:
        now_ms = office.clock()
        cause |= _superseded(db, attempt, "current", now_ms)
        return _conclude(office, db, attempt, cause, now_ms)


# --- step 2: which key and template the message must name ------------------------------------------------


def _pending(office: Office, db: Connection, message: Message) -> Epoch:
    epoch = epochs.pending(db, message.account)
    _require_key_and_contract(office, message, epoch)
    return epoch


def _current(office: Office, db: Connection, message: Message) -> Epoch:
    epoch = epochs.current(db, message.account)
    _require_key_and_contract(office, message, epoch)
    if message.header.template_hash != epoch.template_hash:
        raise WrongTemplate
    return epoch


def _require_key_and_contract(office: Office, message: Message, epoch: Epoch) -> None:
    """No fallback to an older key, another protection or another model."""
    if message.header.key_fp != epoch.key_fp:
        raise StaleKey
    if message.header.suite is not epoch.suite:
        raise WrongSuite
    expected = office.model_fps[epoch.suite]
    if message.header.model_fp != expected or epoch.model_fp not in {None, expected}:
        raise WrongContract


# --- steps 2 to 4: all of it in one durable transaction, or nothing --------------------------------------


def _reserve(
    office: Office,
    message: Message,
    *,
    template_hash: bytes,
    epoch_of: Callable[[Office, Connection, Message], Epoch],
) -> Attempt | bytes:
    """The attempt, written down – or the receipt (class 2 or 3) of one that a limit turned away."""
    with office.stage("reserve"), office.store.transaction() as db:
        now_ms = office.clock()
        device = devices.require_active(db, account=message.account, device=message.device, now_ms=now_ms)
        epoch = epoch_of(office, db, message)
        office.admit(db, message, public_key=device.public_key, now_ms=now_ms)
        turned_away = _turned_away(office, db, message, template_hash, now_ms)
        if turned_away is not None:
            return receipts.issue(db, turned_away, key=office.key, now_ms=now_ms)
        reserved = limits.reserve(
            db,
            account=message.account,
            device=message.device,
            type_=message.header.type,
            header_hash=message.digest,
            now_ms=now_ms,
        )
        return Attempt(id=reserved, message=message, epoch=epoch, template_hash=template_hash)


def _turned_away(office: Office, db: Connection, message: Message, template_hash: bytes, now_ms: int) -> Answer | None:
    standing = limits.standing(db, account=message.account, device=message.device, policy=office.policy, now_ms=now_ms)
    if standing.disabled and message.header.type in PROBES:  # an enrolment is the way back
        outcome, cause = Outcome.DISABLED, Cause.DISABLED
    elif standing.retry_at_ms is not None:
        outcome, cause = Outcome.RETRY_LATER, Cause.RETRY_LATER
    else:
        return None
    return receipts.answer(
        message, template_hash, outcome=outcome, cause=cause, consecutive_failures=standing.consecutive_failures
    )


# --- steps 5 and 6 ---------------------------------------------------------------------------------------


def _open(office: Office, epoch: Epoch, evidence: Evidence | BlindedSign) -> Cause:
    if isinstance(evidence, BlindedSign):
        return evidence.cause
    with office.stage("unseal"):
        key = office.unsealed.get(epoch)
    with office.stage("decide"):
        return judge(key, evidence)


def _superseded(db: Connection, attempt: Attempt, state: epochs.State, now_ms: int) -> Cause:
    """Whether the key was replaced or the device revoked while the evidence was being judged."""
    found = epochs.find(db, attempt.message.account, state)
    try:
        devices.require_active(db, account=attempt.message.account, device=attempt.message.device, now_ms=now_ms)
    except DeviceNotActive:
        return Cause.SUPERSEDED
    return Cause.NONE if found and found.number == attempt.epoch.number else Cause.SUPERSEDED


def _conclude(office: Office, db: Connection, attempt: Attempt, cause: Cause, now_ms: int) -> bytes:
    """The outcome, the audit record and the receipt, inside the caller's transaction."""
    accepted = cause is Cause.NONE
    failures = limits.close(
        db,
        attempt=attempt.id,
        account=attempt.message.account,
        device=attempt.message.device,
        accepted=accepted,
        resets=accepted and attempt.message.header.type in PROBES,
    )
    answer = receipts.answer(
        attempt.message,
        attempt.template_hash,
        outcome=Outcome.ACCEPTED if accepted else Outcome.NOT_ACCEPTED,
        cause=cause,
        consecutive_failures=failures,
    )
    return receipts.issue(db, answer, key=office.key, now_ms=now_ms)
