"""An authenticator in software: makes passkeys (ES256, no attestation) and signs with them, as WebAuthn says."""

import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from tests.server.conftest import ORIGIN
from veilface.protect.envelope import public_point, sha256
from veilface.server.base64url import encode

PRESENT, VERIFIED, BACKED_UP, ATTESTED = 0x01, 0x04, 0x18, 0x40


@dataclass
class Authenticator:
    """One passkey. Every field may be bent before it speaks."""

    origin: str = ORIGIN
    rp_id: str = "testserver"
    flags: int = PRESENT | VERIFIED
    sign_count: int = 1
    user_handle: bytes | None = None
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, creation: dict[str, Any], *, name: str = "钥匙", fmt: str = "none") -> dict[str, Any]:
        """What ``navigator.credentials.create`` answers with."""
        point = public_point(self.key.public_key())
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        content = {"fmt": fmt, "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return {
            "name": name,
            "credential_id": encode(self.credential_id),
            "client_data": encode(self._client_data("webauthn.create", creation["challenge"])),
            "attestation_object": encode(cbor2.dumps(content)),
        }

    def sign(self, request: dict[str, Any]) -> dict[str, Any]:
        """What ``navigator.credentials.get`` answers with; the count grows."""
        self.sign_count += 1
        client_data, data = self._client_data("webauthn.get", request["challenge"]), self._data(0)
        signature = self.key.sign(data + sha256(client_data), ec.ECDSA(SHA256()))
        return {
            "credential_id": encode(self.credential_id),
            "client_data": encode(client_data),
            "authenticator_data": encode(data),
            "signature": encode(signature),
            "user_handle": encode(self.user_handle) if self.user_handle else None,
        }

    def _data(self, more: int) -> bytes:
        return sha256(self.rp_id.encode()) + bytes([self.flags | more]) + struct.pack(">I", self.sign_count)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        content = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(content).encode()
