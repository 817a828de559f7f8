"""What every signed message of a kiosk must satisfy before anything is computed with it."""

from typing import Final

from veilface.protect.envelope import HEADER_BYTES, SIGNATURE_BYTES, Header, MessageType, SignedMessage, split_message
from veilface.protect.envelope import verify_signature as verify
from veilface.protect.rlwe import CIPHERTEXT_BYTES
from veilface.protect.suites import Suite
from veilface.server.accounts import messages
from veilface.server.errors import WrongMessage
from veilface.server.galleries.models import Kiosk

LENGTHS: Final = frozenset({HEADER_BYTES + SIGNATURE_BYTES + CIPHERTEXT_BYTES})


def check(kiosk: Kiosk, data: bytes, *, type_: MessageType, context: bytes) -> SignedMessage:
    """``H ‖ signature ‖ ciphertext`` (74,048 B) of this kiosk, which is active; raises what is wrong with it.

    Its challenge is the key holder's to spend.
    """
    message = split_message(data, body_bytes=CIPHERTEXT_BYTES)
    header = message.header
    _check_from(kiosk, header, type_=type_)
    if header.suite != Suite.HOMOMORPHIC:
        raise WrongMessage(field="suite", got=int(header.suite), expected=int(Suite.HOMOMORPHIC))
    messages.check_context(header.context_hash, expected=context)
    messages.check_contract(header)
    verify(bytes.fromhex(kiosk.public_key), message.header_bytes, message.signature)
    return message


def check_order(kiosk: Kiosk, *, header: bytes, signature: bytes, type_: MessageType, context: bytes) -> None:
    """A header (256 B) without a body of this kiosk, which is active; raises what is wrong with it."""
    parsed = Header.parse(header)
    _check_from(kiosk, parsed, type_=type_)
    messages.check_bodiless(parsed)
    messages.check_context(parsed.context_hash, expected=context)
    verify(bytes.fromhex(kiosk.public_key), header, signature)


def _check_from(kiosk: Kiosk, header: Header, *, type_: MessageType) -> None:
    messages.check_addressed(header, type_=type_, account=kiosk.gallery)
    if header.device_id.hex() != kiosk.device_id:
        raise WrongMessage(field="device_id", got=header.device_id.hex(), expected=kiosk.device_id)
