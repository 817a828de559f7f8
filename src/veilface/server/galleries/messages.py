"""What every signed message of a kiosk must satisfy before anything is computed with it."""

from datetime import UTC, datetime
from typing import Final

from veilface.keyholder.errors import DeviceNotActive
from veilface.protect.envelope import HEADER_BYTES, SIGNATURE_BYTES, MessageType, SignedMessage, split_message
from veilface.protect.envelope import verify_signature as verify
from veilface.protect.rlwe import CIPHERTEXT_BYTES
from veilface.protect.suites import Suite
from veilface.server.accounts import messages
from veilface.server.errors import WrongMessage
from veilface.server.galleries.models import Kiosk

LENGTHS: Final = frozenset({HEADER_BYTES + SIGNATURE_BYTES + CIPHERTEXT_BYTES})


def check(kiosk: Kiosk, data: bytes, *, type_: MessageType, context: bytes) -> SignedMessage:
    """``H ‖ signature ‖ ciphertext`` (74,048 B) of this kiosk; raises what is wrong with it.

    Its challenge is the key holder's to spend.
    """
    message = split_message(data, body_bytes=CIPHERTEXT_BYTES)
    header = message.header
    messages.check_addressed(header, type_=type_, account=kiosk.gallery)
    if header.device_id.hex() != kiosk.device_id:
        raise WrongMessage(field="device_id", got=header.device_id.hex(), expected=kiosk.device_id)
    if header.suite != Suite.HOMOMORPHIC:
        raise WrongMessage(field="suite", got=int(header.suite), expected=int(Suite.HOMOMORPHIC))
    messages.check_context(header.context_hash, expected=context)
    messages.check_contract(header)
    if kiosk.state_at(datetime.now(UTC)) != Kiosk.State.ACTIVE:
        raise DeviceNotActive
    verify(bytes.fromhex(kiosk.public_key), message.header_bytes, message.signature)
    return message
