"""What a payee shows to be paid: a sealed text that only this site can read, that expires, and that names no account.

``version(1) ‖ nonce(12) ‖ AES-256-GCM(wallet(16) ‖ amount(u64, 0 = open) ‖ expiry(u64)) ‖ tag(16)``, in base64url. Two
codes of one person have nothing in common, and whoever photographs one learns nothing.
"""

import hmac
import secrets
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from veilface.server.accounts.messages import now_ms
from veilface.server.base64url import decode, encode
from veilface.server.wallet import limits
from veilface.server.wallet.errors import OwnPayeeCode, PayeeCodeExpired, PayeeCodeUnusable, PayeeGone
from veilface.server.wallet.models import Wallet

VERSION: Final = b"\x01"
NONCE_BYTES: Final = 12
CONTENT: Final = struct.Struct(">16sQQ")
CODE_BYTES: Final = 1 + NONCE_BYTES + CONTENT.size + 16
PURPOSE: Final = b"veilface payee code"


@dataclass(frozen=True, kw_only=True)
class PayeeCode:
    """Who is to be paid, and how much where the payee said so; times in milliseconds."""

    wallet_id: str
    amount: int | None
    expires_ms: int


def make(wallet: Wallet, *, amount: int | None) -> tuple[str, PayeeCode]:
    """A code of this wallet, good for some minutes; raises :class:`AmountOutOfRange`."""
    if amount is not None:
        limits.check_amount(amount)
    expires_ms = now_ms() + settings.WALLET_CODE_S * 1000
    nonce = secrets.token_bytes(NONCE_BYTES)
    content = CONTENT.pack(bytes.fromhex(wallet.id), amount or 0, expires_ms)
    sealed = VERSION + nonce + _cipher().encrypt(nonce, content, VERSION + _origin())
    return encode(sealed), PayeeCode(wallet_id=wallet.id, amount=amount, expires_ms=expires_ms)


def read(text: str) -> PayeeCode:
    """What the code says; raises :class:`PayeeCodeUnusable` or :class:`PayeeCodeExpired`."""
    try:
        sealed = decode(text)
        nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        content = _cipher().decrypt(nonce, rest, sealed[:1] + _origin())
    except (ValueError, InvalidTag):
        raise PayeeCodeUnusable from None
    if sealed[:1] != VERSION or len(sealed) != CODE_BYTES:
        raise PayeeCodeUnusable
    wallet, amount, expires_ms = CONTENT.unpack(content)
    if expires_ms <= now_ms():
        raise PayeeCodeExpired
    return PayeeCode(wallet_id=wallet.hex(), amount=amount or None, expires_ms=expires_ms)


def payee_of(code: PayeeCode, *, payer: Wallet) -> Wallet:
    """The payee's wallet with its owner; raises :class:`PayeeGone` or :class:`OwnPayeeCode`."""
    payee = Wallet.objects.select_related("owner").filter(id=code.wallet_id, owner__isnull=False).first()
    if payee is None:
        raise PayeeGone
    if payee.id == payer.id:
        raise OwnPayeeCode
    return payee


def _cipher() -> AESGCM:
    return AESGCM(hmac.digest(settings.SECRET_KEY.encode(), PURPOSE, "sha256"))


def _origin() -> bytes:
    return str(settings.ORIGIN).encode()
