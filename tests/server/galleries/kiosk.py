"""A kiosk, as the tests need it: joins by a code, signs, searches and registers over any transport."""

import json
import secrets
import time
from dataclasses import replace
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import OCTETS, Answer, Embedding, Message, Transport, granted
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import (
    Header,
    MessageType,
    device_context,
    gallery_context,
    public_point,
    revocation_context,
    search_context,
    sha256,
    sign_header,
)
from veilface.protect.homomorphic import protect_probe, protect_template
from veilface.server.base64url import decode, encode

Purpose = Literal["identify", "register"]
Verdict = Literal["approval", "refusal"]


class Kiosk:
    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.device_id = secrets.token_bytes(16)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.public_key = public_point(self.key.public_key())
        self.token, self.gallery = f"vk_{secrets.token_urlsafe(32)}", b""
        self.keys: dict[bytes, bytes] = {}

    def send(self, method: str, path: str, content: Any = None, **headers: str) -> Answer:
        body, kind = (b"", "") if content is None else (json.dumps(content).encode(), "application/json")
        return self.transport.send(method, f"/api/v1{path}", body, kind, self.headers | headers)

    def octets(self, path: str, body: bytes, **headers: str) -> Answer:
        return self.transport.send("POST", f"/api/v1{path}", body, OCTETS, self.headers | headers)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    # --- joining

    def registration(self, code: str) -> dict[str, str]:
        context = device_context(self.public_key, self.device_id)
        asked = {"code": code, "device_id": self.device_id.hex(), "context_hash": encode(context)}
        answer = granted(self.send("POST", "/kiosks/challenges", asked)).json
        self.gallery = bytes.fromhex(answer["gallery"]["id"])
        header = Header(
            type=MessageType.DEVICE,
            account_id=self.gallery,
            device_id=self.device_id,
            challenge=decode(answer["challenge"]["challenge"]),
            issued_ms=time.time_ns() // 1_000_000,
            context_hash=context,
            body_hash=sha256(b""),
        )
        return {
            "code": code,
            "name": "大门",
            "device_id": self.device_id.hex(),
            **self.signed(header),
            "public_key": encode(self.public_key),
            "token_hash": encode(sha256(self.token.encode())),
        }

    def join(self, code: str) -> Answer:
        return self.send("POST", "/kiosks", self.registration(code))

    # --- letting others in

    def waiting(self) -> list[str]:
        """The kiosks that wait, by their ids."""
        return [one["id"] for one in granted(self.send("GET", "/kiosk/waiting")).json]

    def verdict(self, other: "Kiosk", verdict: Verdict, **bent: Any) -> Answer:
        """What comes of letting another kiosk in, or turning it away; ``bent`` fields of the header are signed so."""
        path, refuse = f"/kiosk/waiting/{other.device_id.hex()}", verdict == "refusal"
        allowed = self.send("POST", f"{path}/challenge", {"refuse": refuse})
        if allowed.status != 200:
            return allowed
        letting_in = device_context(other.public_key, other.device_id)
        header = Header(
            type=MessageType.REVOKE if refuse else MessageType.DEVICE,
            account_id=self.gallery,
            device_id=self.device_id,
            challenge=decode(allowed.json["challenge"]),
            issued_ms=time.time_ns() // 1_000_000,
            context_hash=revocation_context(other.device_id) if refuse else letting_in,
            body_hash=sha256(b""),
        )
        return self.send("POST", f"{path}/{verdict}", self.signed(replace(header, **bent)))

    def signed(self, header: Header) -> dict[str, str]:
        return {"header": encode(header.to_bytes()), "signature": encode(sign_header(self.key, header))}

    # --- working

    def grants(self, purpose: Purpose, count: int = 1) -> list[dict[str, Any]]:
        answer = granted(self.send("POST", "/kiosk/challenges", {"type": purpose, "count": count}))
        return list(answer.json)

    def message(self, purpose: Purpose, embedding: Embedding) -> Message:
        (grant,) = self.grants(purpose)
        key_fp = decode(grant["key_fp"])
        if key_fp not in self.keys:
            self.keys[key_fp] = granted(self.send("GET", f"/keys/{key_fp.hex()}")).body
        protect = protect_probe if purpose == "identify" else protect_template
        body = protect(embedding, public_key=self.keys[key_fp])
        searching = purpose == "identify"
        header = Header(
            type=MessageType.IDENTIFY if searching else MessageType.GALLERY_OPT_IN,
            account_id=self.gallery,
            device_id=self.device_id,
            challenge=decode(grant["challenge"]),
            issued_ms=time.time_ns() // 1_000_000,
            context_hash=search_context(self.gallery) if searching else gallery_context(self.gallery, "register"),
            body_hash=sha256(body),
            key_fp=key_fp,
            model_fp=model_fp("homomorphic"),
        )
        return Message(header, body, grant)

    def sealed(self, message: Message) -> bytes:
        return message.header.to_bytes() + sign_header(self.key, message.header) + message.body

    def search(self, embedding: Embedding) -> Answer:
        return self.octets("/kiosk/searches", self.sealed(self.message("identify", embedding)))

    def names(self, embedding: Embedding) -> list[str]:
        """Whom a search names."""
        answer = granted(self.search(embedding)).json
        assert (answer["outcome"] == "nobody") == (answer["people"] == [])
        return [person["name"] for person in answer["people"]]

    def register(self, embedding: Embedding, name: str, *, consent: bool = True, replaces: str = "") -> Answer:
        return self.apply(self.application(embedding, name), consent=consent, replaces=replaces)

    def application(self, embedding: Embedding, name: str, *, searched: Embedding | None = None) -> bytes:
        """Somebody's name, probe and template; ``searched`` – whose probe it is instead."""
        probe = self.message("identify", embedding if searched is None else searched)
        return name_field(name) + self.sealed(probe) + self.sealed(self.message("register", embedding))

    def apply(self, application: bytes, *, consent: bool = True, replaces: str = "", language: str = "zh") -> Answer:
        query = f"consent={'true' if consent else 'false'}" + (f"&replaces={replaces}" if replaces else "")
        return self.octets(f"/kiosk/people?{query}", application, **{"Accept-Language": language})


def name_field(name: str) -> bytes:
    return bytes([len(name.encode())]) + name.encode().ljust(160, b"\0")
