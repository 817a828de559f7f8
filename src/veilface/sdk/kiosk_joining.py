"""How a folder becomes a kiosk, and how one kiosk lets another in.

Key and token are made and kept before the first request: an answer that is lost takes nothing with it, for whoever
joins again with the same code goes on where it was cut off.
"""

import secrets

from cryptography.hazmat.primitives.asymmetric import ec

from veilface.protect.envelope import (
    Header,
    MessageType,
    device_context,
    public_point,
    revocation_context,
    sha256,
    sign_header,
)
from veilface.sdk.answers import Challenge
from veilface.sdk.errors import MalformedAnswer, WrongKiosk
from veilface.sdk.kiosk_client import GalleryRecord, KioskClient, Verdict, WaitingKiosk
from veilface.sdk.kiosk_folder import Joining, KioskFolder, Membership
from veilface.sdk.trust import fingerprint

TOKEN_PREFIX = "vk_"  # noqa: S105 – marks a token, is none
CODE_DIGITS = 24
GROUP = 4


def begun(folder: KioskFolder, *, server: str, code: str) -> Joining:
    """What ``folder`` joins with: what it was cut off with, where it was the same code, or a new key and token."""
    known, plain = folder.joining(), "".join(filter(str.isalnum, code)).upper()
    if known is not None and (known.server, known.code) == (server, plain):
        return known
    folder.write_key(ec.generate_private_key(ec.SECP256R1()))
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    made = Joining(server=server, code=plain, kiosk_id=secrets.token_hex(16), token=token)
    folder.write_joining(made)
    return made


def join(client: KioskClient, key: ec.EllipticCurvePrivateKey, joining: Joining, *, name: str) -> GalleryRecord:
    """Proves possession of the key to the key holder, for the gallery that the code belongs to."""
    public_key, kiosk_id = public_point(key.public_key()), bytes.fromhex(joining.kiosk_id)
    context = device_context(public_key, kiosk_id)
    gallery, challenge = client.joining_challenge(code=joining.code, kiosk_id=joining.kiosk_id, context_hash=context)
    header = _header(MessageType.DEVICE, gallery.id, joining.kiosk_id, challenge, context=context)
    joined = client.join(
        code=joining.code,
        name=name,
        kiosk_id=joining.kiosk_id,
        header=header.to_bytes(),
        signature=sign_header(key, header),
        public_key=public_key,
        token_hash=sha256(joining.token.encode()),
    )
    if joined.id != gallery.id:
        raise MalformedAnswer(what="gallery")
    return gallery


def kiosk_code(public_key: bytes) -> str:
    """What two kiosks show of a key (65 B) to be compared: six groups of four hex digits, 96 bits, of its SHA-256."""
    digits = fingerprint(public_key)[:CODE_DIGITS]
    return " ".join(digits[start : start + GROUP] for start in range(0, CODE_DIGITS, GROUP))


def find_waiting(client: KioskClient, kiosk_id: str, *, code: str | None = None) -> WaitingKiosk:
    """The kiosk that waits, with the ``code`` that it shows where that is known; raises :class:`WrongKiosk`."""
    found = next((one for one in client.waiting() if one.id == kiosk_id), None)
    plain = None if code is None else "".join(code.split()).lower()
    if found is None or plain not in {None, "".join(kiosk_code(found.public_key).split())}:
        raise WrongKiosk(kiosk=kiosk_id)
    return found


def decide(
    client: KioskClient,
    key: ec.EllipticCurvePrivateKey,
    membership: Membership,
    other: WaitingKiosk,
    verdict: Verdict,
) -> None:
    """Signs that ``other`` is let in, or turned away, and says so."""
    type_, context = MessageType.DEVICE, device_context(other.public_key, bytes.fromhex(other.id))
    if verdict == "refusal":
        type_, context = MessageType.REVOKE, revocation_context(bytes.fromhex(other.id))
    challenge = client.verdict_challenge(other.id, verdict)
    header = _header(type_, membership.gallery_id, membership.kiosk_id, challenge, context=context)
    client.decide(other.id, verdict, header=header.to_bytes(), signature=sign_header(key, header))


def _header(type_: MessageType, gallery: str, kiosk: str, challenge: Challenge, *, context: bytes) -> Header:
    return Header(
        type=type_,
        account_id=bytes.fromhex(gallery),
        device_id=bytes.fromhex(kiosk),
        challenge=challenge.challenge,
        issued_ms=challenge.server_time_ms,
        context_hash=context,
        body_hash=sha256(b""),
    )
