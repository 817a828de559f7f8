"""Devices over HTTP."""

from datetime import UTC, datetime

from django.http import HttpRequest
from ninja import Router, Status

from veilface.server.access import SIGNED_IN, caller
from veilface.server.accounts import devices
from veilface.server.accounts.models import Device as DeviceRow
from veilface.server.accounts.schemas import Device, DeviceRegistration, SignedOrder
from veilface.server.wire import Identifier

router = Router(tags=["devices"], auth=SIGNED_IN)


@router.post("/devices", response={201: Device})
def register_device(request: HttpRequest, body: DeviceRegistration) -> Status[Device]:
    """Add a device. An account's first is active at once; a further one in 24 h or when an active device approves."""
    row = devices.register(
        caller(request).account,
        name=body.name,
        header=body.header,
        signature=body.signature,
        public_key=body.public_key,
    )
    return Status(201, shown(row))


@router.get("/devices", response=list[Device])
def list_devices(request: HttpRequest) -> list[Device]:
    """All devices of the account, revoked ones too."""
    return [shown(row) for row in caller(request).account.devices.all()]


@router.post("/devices/{device_id}/approval", response=Device)
def approve_device(request: HttpRequest, device_id: Identifier, body: SignedOrder) -> Device:
    """Let a pending device in at once."""
    row = devices.approve(caller(request).account, device_id=device_id, header=body.header, signature=body.signature)
    return shown(row)


@router.post("/devices/{device_id}/revocation", response=Device)
def revoke_device(request: HttpRequest, device_id: Identifier, body: SignedOrder) -> Device:
    """Make a device unusable for good."""
    row = devices.revoke(caller(request).account, device_id=device_id, header=body.header, signature=body.signature)
    return shown(row)


def shown(row: DeviceRow) -> Device:
    """The device as it stands now."""
    return Device.of(row, now=datetime.now(UTC))
