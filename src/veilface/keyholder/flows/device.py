"""Adding, approving and revoking devices: always by a signature, never by the server's word."""

from sqlite3 import Connection

from veilface.keyholder import audit, devices
from veilface.keyholder.admission import Message
from veilface.keyholder.audit import Entry
from veilface.keyholder.messages import DeviceRecord
from veilface.keyholder.office import Office
from veilface.protect import envelope
from veilface.protect.envelope import MessageType, Outcome


def register(office: Office, *, header: bytes, signature: bytes, public_key: bytes) -> DeviceRecord:
    """See ``KeyHolderApi.register_device``."""
    message = Message.parse(header, signature, MessageType.DEVICE)
    message.require_context(envelope.device_context(public_key, message.device))
    with office.store.transaction() as db:
        now_ms = office.clock()
        office.admit(db, message, public_key=public_key, now_ms=now_ms)
        record = devices.register(
            db, account=message.account, device=message.device, public_key=public_key, now_ms=now_ms
        )
        _write_down(office, db, message, now_ms)
        return record


def approve(office: Office, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
    """See ``KeyHolderApi.approve_device``."""
    message = Message.parse(header, signature, MessageType.DEVICE)
    with office.store.transaction() as db:
        now_ms = office.clock()
        approver = devices.require_active(db, account=message.account, device=message.device, now_ms=now_ms)
        approved = devices.find(db, account=message.account, device=device_id, now_ms=now_ms)
        message.require_context(envelope.device_context(approved.public_key, device_id))
        office.admit(db, message, public_key=approver.public_key, now_ms=now_ms)
        record = devices.approve(db, account=message.account, device=device_id, now_ms=now_ms)
        _write_down(office, db, message, now_ms)
        return record


def revoke(office: Office, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
    """See ``KeyHolderApi.revoke_device``."""
    message = Message.parse(header, signature, MessageType.REVOKE)
    message.require_context(envelope.revocation_context(device_id))
    with office.store.transaction() as db:
        now_ms = office.clock()
        signer = devices.require_active(db, account=message.account, device=message.device, now_ms=now_ms)
        office.admit(db, message, public_key=signer.public_key, now_ms=now_ms)
        record = devices.revoke(db, account=message.account, device=device_id, now_ms=now_ms)
        _write_down(office, db, message, now_ms)
        return record


def _write_down(office: Office, db: Connection, message: Message, now_ms: int) -> None:
    entry = Entry(
        time_ms=now_ms,
        header_hash=message.digest,
        account=message.account,
        device=message.device,
        type=message.header.type,
        decision=Outcome.ACCEPTED,
    )
    audit.append(db, entry, key=office.key)
