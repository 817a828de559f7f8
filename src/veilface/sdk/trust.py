"""What a device checks before it believes a server: protocol §3 (key certificates) and §4 (receipts).

The server only relays; the key holder's key was pinned when the device first saw it. Every check raises an
:class:`~veilface.sdk.errors.Alarm`, and none of them returns a verdict that could be ignored.
"""

import hashlib
from urllib.parse import SplitResult, urlsplit

from veilface.protect.envelope import Header, KeyCert, KeyPurpose, MessageType, Outcome, Receipt
from veilface.protect.errors import ProtectError
from veilface.sdk.client import LOOPBACK
from veilface.sdk.errors import (
    ClockWrong,
    KeyHolderChanged,
    KeyNotTrusted,
    OriginMismatch,
    ReceiptGap,
    ReceiptNotTrusted,
)
from veilface.sdk.folder import Pins

CLOCK_SLACK_MS = 5 * 60_000


def fingerprint(public_key: bytes) -> str:
    """How people compare key holders and devices: SHA-256 of the 65-byte point, in hex."""
    return hashlib.sha256(public_key).hexdigest()


def check_keyholder(*, offered: bytes, expected_fingerprint: str) -> None:
    """Raises :class:`KeyHolderChanged` unless the offered key has the expected fingerprint."""
    got = fingerprint(offered)
    if got != expected_fingerprint.replace(":", "").replace(" ", "").lower():
        raise KeyHolderChanged(got=got[:16], expected=expected_fingerprint[:16])


def check_origin(*, server: str, origin: str) -> None:
    """Raises :class:`OriginMismatch` unless ``origin``, which will be signed, is where ``server`` is.

    Otherwise one site could have messages signed that are meant for another. Loopback names are one place.
    """
    if _place(urlsplit(server)) != _place(urlsplit(origin)):
        raise OriginMismatch(got=origin, expected=server)


def check_key(
    *,
    pins: Pins,
    account_id: bytes,
    certificate: bytes,
    public_key: bytes,
    now_ms: int,
    purpose: KeyPurpose = KeyPurpose.ACCOUNT,
) -> KeyCert:
    """The certificate for the key to encrypt under: an account's, or for ``purpose`` GALLERY a gallery's.

    Checks signature, purpose, subject, dates and fingerprint, that the epoch never falls, and that one epoch
    never has two keys; raises :class:`KeyNotTrusted` with what was wrong as ``check``, :class:`ClockWrong` for dates.
    """
    try:
        cert = KeyCert.parse(certificate)
        cert.verify(bytes.fromhex(pins.keyholder_key))
    except ProtectError as error:
        raise KeyNotTrusted(check="signature") from error
    checks = {
        "purpose": cert.purpose == purpose,
        "subject": cert.subject_id == account_id,
        "dates": cert.not_before - CLOCK_SLACK_MS <= now_ms <= cert.not_after + CLOCK_SLACK_MS,
        "fingerprint": cert.key_fp == hashlib.sha256(public_key).digest(),
        "epoch": cert.epoch >= pins.epoch,
        "pinned key": cert.epoch > pins.epoch or cert.key_fp.hex() == pins.key_fp,
    }
    for name, held in checks.items():
        if not held:
            raise (ClockWrong if name == "dates" else KeyNotTrusted)(check=name)
    return cert


def check_receipt(*, pins: Pins, receipt: bytes, header: Header, stated: Outcome | None = None) -> Receipt:
    """The key holder's receipt for exactly ``header``; raises :class:`ReceiptNotTrusted`.

    ``stated`` is what the server said the outcome was; it may not differ from what was signed.
    """
    try:
        parsed = Receipt.parse(receipt)
        parsed.verify(bytes.fromhex(pins.keyholder_key), header=header.to_bytes())
    except ProtectError as error:
        raise ReceiptNotTrusted(check="signature") from error
    if parsed.decision != header.type:
        raise ReceiptNotTrusted(check="type")
    if stated is not None and parsed.outcome != stated:
        raise ReceiptNotTrusted(check="outcome")
    named = header.body_hash if header.type == MessageType.ENROL else header.template_hash
    if parsed.template_hash != named:
        raise ReceiptNotTrusted(check="template")
    return parsed


def check_count(*, pins: Pins, receipt: Receipt) -> None:
    """Raises :class:`ReceiptGap` unless the key holder's count grew by what this device asked for.

    It counts every receipt of the account. ``pins.unanswered`` counts this request and those whose receipt was
    lost. Somebody who asks in this account's name, or a key holder whose memory was set back, shows here.
    """
    if pins.decisions is None:
        return
    if not pins.decisions < receipt.total_decisions <= pins.decisions + pins.unanswered:
        raise ReceiptGap(got=receipt.total_decisions, expected=pins.decisions + pins.unanswered)


def _place(url: SplitResult) -> tuple[str, str, int | None]:
    host = url.hostname or ""
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, LOOPBACK[0] if host in LOOPBACK else host, url.port or default
