"""What happens to a template's key after it was accepted: it becomes current, and one day it is erased."""

from veilface.keyholder import audit, devices, epochs, galleries, gallery_members, limits, receipts
from veilface.keyholder.admission import Message
from veilface.keyholder.audit import Entry, Event
from veilface.keyholder.errors import StaleKey, WrongSuite, WrongTemplate
from veilface.keyholder.messages import digest, forget_message
from veilface.keyholder.office import Office
from veilface.keyholder.receipts import Answer
from veilface.protect.envelope import ZERO_HASH, ZERO_ID, MessageType, Outcome


def activate(office: Office, *, account: bytes, epoch: int, template_hash: bytes) -> None:
    """See ``KeyHolderApi.activate``."""
    with office.store.transaction() as db:
        now_ms = office.clock()
        devices.require_account(db, account)
        replaced = epochs.find(db, account, "current")
        device = epochs.activate(db, account=account, epoch=epoch, template_hash=template_hash, now_ms=now_ms)
        if device is None:
            return
        limits.reset(db, account=account, device=device)
        gallery_members.leave_all(db, account=account)
        entry = Entry(
            time_ms=now_ms,
            header_hash=digest(b"VFACTIVATE" + account + epoch.to_bytes(4, "big") + template_hash),
            account=account,
            device=device,
            type=Event.ACTIVATE,
            decision=Outcome.ACCEPTED,
        )
        audit.append(db, entry, key=office.key)
    office.forget_keys([replaced] if replaced else [])


def delete(office: Office, *, header: bytes, signature: bytes) -> bytes:
    """See ``KeyHolderApi.delete``. The header's model_fp plays no part: an old template can always be deleted."""
    message = Message.parse(header, signature, MessageType.DELETE)
    with office.store.transaction() as db:
        now_ms = office.clock()
        device = devices.require_active(db, account=message.account, device=message.device, now_ms=now_ms)
        epoch = epochs.current(db, message.account)
        if message.header.key_fp != epoch.key_fp:
            raise StaleKey
        if message.header.suite is not epoch.suite:
            raise WrongSuite
        if message.header.template_hash != epoch.template_hash:
            raise WrongTemplate
        office.admit(db, message, public_key=device.public_key, now_ms=now_ms)
        erased = epochs.erase(db, message.account, reason="deleted", now_ms=now_ms)
        gallery_members.leave_all(db, account=message.account)
        answer = receipts.answer(message, message.header.template_hash, outcome=Outcome.ACCEPTED)
        receipt = receipts.issue(db, answer, key=office.key, now_ms=now_ms)
    office.forget_keys(erased)
    return receipt


def forget_account(office: Office, *, account: bytes) -> bytes:
    """See ``KeyHolderApi.forget_account``."""
    with office.store.transaction() as db:
        now_ms = office.clock()
        devices.require_account(db, account)
        galleries.require_none(db, account)
        current = epochs.find(db, account, "current")
        erased = epochs.erase(db, account, reason="forgotten", now_ms=now_ms)
        devices.forget(db, account=account, now_ms=now_ms)
        limits.forget(db, account=account)
        gallery_members.leave_all(db, account=account)
        answer = Answer(
            header_hash=digest(forget_message(account)),
            account=account,
            device=ZERO_ID,
            type=MessageType.DELETE,
            template_hash=(current and current.template_hash) or ZERO_HASH,
            outcome=Outcome.ACCEPTED,
        )
        receipt = receipts.issue(db, answer, recorded_as=Event.FORGET, key=office.key, now_ms=now_ms)
    office.forget_keys(erased)
    return receipt
