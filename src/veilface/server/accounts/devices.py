"""Devices: the key holder decides whose signature counts; here stand their names and public keys.

Every change is made at the key holder first. A repetition changes nothing there, so a change that was cut short
between the two is finished by making it again.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from veilface.keyholder.errors import DeviceKnown
from veilface.keyholder.messages import DeviceRecord
from veilface.protect.envelope import (
    Header,
    MessageType,
    device_context,
    revocation_context,
    verify_signature,
)
from veilface.server import keyholding
from veilface.server.accounts import messages
from veilface.server.accounts.labels import usable_label
from veilface.server.accounts.models import Account, Device
from veilface.server.errors import DeviceNameUnusable, NotFound
from veilface.server.galleries import leaving

NAME_CHARACTERS: Final = 60
USE_IS_NOTED_EVERY: Final = timedelta(minutes=10)


def register(account: Account, *, name: str, header: bytes, signature: bytes, public_key: bytes) -> Device:
    """Add the device whose key signed ``header``; the same registration repeated answers with the same device."""
    name = usable_label(name, limit=NAME_CHARACTERS, otherwise=DeviceNameUnusable)
    parsed = Header.parse(header)
    messages.check_addressed(parsed, type_=MessageType.DEVICE, account=account)
    messages.check_bodiless(parsed)
    messages.check_context(parsed.context_hash, expected=device_context(public_key, parsed.device_id))
    verify_signature(public_key, header, signature)
    record = keyholding.keyholder().register_device(header=header, signature=signature, public_key=public_key)
    row, _ = Device.objects.get_or_create(
        account=account,
        device_id=parsed.device_id.hex(),
        defaults={"name": name, "public_key": public_key.hex(), **_standing(record)},
    )
    if row.public_key != public_key.hex():
        raise DeviceKnown
    return row


def approve(account: Account, *, device_id: str, header: bytes, signature: bytes) -> Device:
    """Let a pending device in at once, by the word of an active one."""
    row, parsed = _find(account, device_id), Header.parse(header)
    context = device_context(bytes.fromhex(row.public_key), bytes.fromhex(device_id))
    _check_order(account, parsed, type_=MessageType.DEVICE, context=context, header=header, signature=signature)
    record = keyholding.keyholder().approve_device(
        header=header, signature=signature, device_id=bytes.fromhex(device_id)
    )
    return _update(row, record)


def revoke(account: Account, *, device_id: str, header: bytes, signature: bytes) -> Device:
    """Make a device unusable for good, by the word of an active one.

    Whoever it signed into a gallery is out of it first, whatever fails afterwards; and once more together with the
    row, after which nobody joins by this device any more.
    """
    row, parsed = _find(account, device_id), Header.parse(header)
    context = revocation_context(bytes.fromhex(device_id))
    _check_order(account, parsed, type_=MessageType.REVOKE, context=context, header=header, signature=signature)
    leaving.leave_by_device(account, device_id)
    record = keyholding.keyholder().revoke_device(
        header=header, signature=signature, device_id=bytes.fromhex(device_id)
    )
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)  # joining holds it while it looks at the device
        leaving.leave_by_device(account, device_id)
        return _update(row, record)


def note_use(device: Device) -> None:
    """Remember roughly when the device was last used; a write for every use would tell the database too much."""
    now = datetime.now(UTC)
    if device.last_used_at is None or now - device.last_used_at > USE_IS_NOTED_EVERY:
        Device.objects.filter(pk=device.pk).update(last_used_at=now)


def _find(account: Account, device_id: str) -> Device:
    row = Device.objects.filter(account=account, device_id=device_id).first()
    if row is None:
        raise NotFound
    return row


def _check_order(
    account: Account, parsed: Header, *, type_: MessageType, context: bytes, header: bytes, signature: bytes
) -> None:
    messages.check_addressed(parsed, type_=type_, account=account)
    messages.check_bodiless(parsed)
    messages.check_context(parsed.context_hash, expected=context)
    messages.check_signed(parsed, header_bytes=header, signature=signature, account=account)


def _update(row: Device, record: DeviceRecord) -> Device:
    for field, value in _standing(record).items():
        setattr(row, field, value)
    row.save(update_fields=["state", "active_from"])
    return row


def _standing(record: DeviceRecord) -> dict[str, str | datetime]:
    return {"state": record.state, "active_from": datetime.fromtimestamp(record.active_from_ms / 1000, UTC)}
