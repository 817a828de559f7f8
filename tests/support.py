"""A device, as the tests need it: registers itself, signs, enrols and verifies over any transport."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec
from numpy.typing import NDArray

from veilface.protect.calibration import model_fp
from veilface.protect.envelope import (
    LABEL_DELETE,
    LABEL_ENROL,
    LABEL_LOGIN,
    ZERO_HASH,
    Header,
    MessageType,
    Receipt,
    context_hash,
    device_context,
    public_point,
    revocation_context,
    sha256,
    sign_header,
)
from veilface.protect.scheme import Protection, protection
from veilface.protect.suites import Suite
from veilface.server.base64url import decode, encode

OCTETS = "application/octet-stream"
PASSWORD = "seven quiet herons"
Embedding = NDArray[np.float64]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


class Refused(AssertionError):
    """A step on the way was refused with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status, answer.body)
        self.answer = answer


def granted(answer: Answer) -> Answer:
    """The answer, if it is 200."""
    if answer.status != 200:
        raise Refused(answer)
    return answer


class Transport(Protocol):
    """Sends one request of a signed-in caller (or of nobody) and brings the answer back."""

    def send(
        self, method: str, path: str, body: bytes = b"", kind: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer: ...


@dataclass
class Api:
    """JSON and octets over a transport, below ``/api/v1``."""

    transport: Transport

    def get(self, path: str) -> Answer:
        return self.transport.send("GET", f"/api/v1{path}")

    def post(self, path: str, content: Any) -> Answer:
        return self.transport.send("POST", f"/api/v1{path}", json.dumps(content).encode(), "application/json")

    def patch(self, path: str, content: Any) -> Answer:
        return self.transport.send("PATCH", f"/api/v1{path}", json.dumps(content).encode(), "application/json")

    def delete(self, path: str) -> Answer:
        return self.transport.send("DELETE", f"/api/v1{path}")

    def octets(self, path: str, body: bytes, kind: str = OCTETS) -> Answer:
        return self.transport.send("POST", f"/api/v1{path}", body, kind)

    def register(self, username: str, password: str = PASSWORD) -> "Person":
        terms = self.get("/site").json["terms_version"]
        content = {"username": username, "display_name": "测试者", "password": password, "terms_version": terms}
        answer = self.post("/accounts", content)
        assert answer.status == 201, answer.body
        return Person.of(self, answer)


@dataclass
class Person:
    """A signed-in account."""

    api: Api
    account: bytes
    binding: bytes
    origin: str
    password: str = PASSWORD

    @classmethod
    def of(cls, api: Api, answer: Answer) -> "Person":
        return cls(
            api=api,
            account=bytes.fromhex(answer.json["account"]["id"]),
            binding=decode(answer.json["binding"]),
            origin=api.get("/site").json["origin"],
        )

    def context(self, label: bytes) -> bytes:
        return context_hash(label, self.origin, self.binding)

    def profile(self) -> Any:
        return granted(self.api.get("/account")).json


@dataclass
class Message:
    """A header and a body that a test may bend before they are signed and sent."""

    header: Header
    body: bytes = b""
    grant: dict[str, Any] = field(default_factory=dict)

    def with_body(self, body: bytes) -> "Message":
        return Message(replace(self.header, body_hash=sha256(body)), body, self.grant)

    def with_header(self, **fields: Any) -> "Message":
        return Message(replace(self.header, **fields), self.body, self.grant)


class Device:
    """One device key of one person, and the protection and token of the latest enrolment."""

    def __init__(self, person: Person, device_id: bytes) -> None:
        self.person, self.api, self.device_id = person, person.api, device_id
        self.scheme, self.token = "homomorphic", secrets.token_bytes(32)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.public_key = public_point(self.key.public_key())

    # --- the plumbing

    @property
    def protection(self) -> Protection:
        return protection(self.scheme)

    def challenge(self, kind: str, context: bytes, *, password: str | None = None) -> Answer:
        content = {"type": kind, "device_id": self.device_id.hex(), "context_hash": encode(context)}
        content |= {"scheme": self.scheme} if kind == "enrol" else {}
        return self.api.post("/challenges", content | ({"password": password} if password else {}))

    def grant(self, kind: str, context: bytes, *, password: str | None = None) -> dict[str, Any]:
        return dict(granted(self.challenge(kind, context, password=password)).json)

    def header(self, type_: MessageType, context: bytes, grant: dict[str, Any], body: bytes = b"") -> Header:
        about_template = type_ not in (MessageType.DEVICE, MessageType.REVOKE)
        return Header(
            type=type_,
            account_id=self.person.account,
            device_id=self.device_id,
            challenge=decode(grant["challenge"]),
            issued_ms=time.time_ns() // 1_000_000,
            context_hash=context,
            body_hash=sha256(body),
            suite=self.protection.suite if about_template else Suite.HOMOMORPHIC,
            key_fp=decode(grant["key_fp"]) if about_template else ZERO_HASH,
            model_fp=model_fp(self.scheme) if about_template else ZERO_HASH,
            template_hash=decode(grant["template_hash"]) if about_template and grant["template_hash"] else ZERO_HASH,
        )

    def sealed(self, message: Message) -> bytes:
        return message.header.to_bytes() + sign_header(self.key, message.header) + message.body

    def order(self, header: Header) -> dict[str, str]:
        return {"header": encode(header.to_bytes()), "signature": encode(sign_header(self.key, header))}

    def key_bytes(self, grant: dict[str, Any]) -> bytes:
        return granted(self.api.get(f"/keys/{decode(grant['key_fp']).hex()}")).body

    # --- what a device does

    def register(self, name: str = "测试设备") -> Answer:
        context = device_context(self.public_key, self.device_id)
        header = self.header(MessageType.DEVICE, context, self.grant("device", context))
        return self.api.post("/devices", self.order(header) | {"name": name, "public_key": encode(self.public_key)})

    def approve(self, other: "Device") -> Answer:
        context = device_context(other.public_key, other.device_id)
        header = self.header(MessageType.DEVICE, context, self.grant("approve", context))
        return self.api.post(f"/devices/{other.device_id.hex()}/approval", self.order(header))

    def revoke(self, other: "Device") -> Answer:
        context = revocation_context(other.device_id)
        header = self.header(MessageType.REVOKE, context, self.grant("revoke", context))
        return self.api.post(f"/devices/{other.device_id.hex()}/revocation", self.order(header))

    def enrolment(self, embedding: Embedding, *, password: str | None = None) -> Message:
        context = self.person.context(LABEL_ENROL)
        grant = self.grant("enrol", context, password=password)
        body = self.protection.enrol(embedding, key=self.key_bytes(grant), token=self.token)
        return Message(self.header(MessageType.ENROL, context, grant, body), body, grant)

    def enrol(self, embedding: Embedding, *, password: str | None = None) -> Answer:
        return self.api.octets("/enrolments", self.sealed(self.enrolment(embedding, password=password)))

    def verification(self, embedding: Embedding) -> Message:
        context = self.person.context(LABEL_LOGIN)
        grant = self.grant("verify", context)
        body = self.protection.probe(embedding, key=self.key_bytes(grant), token=self.token)
        return Message(self.header(MessageType.VERIFY, context, grant, body), body, grant)

    def verify(self, embedding: Embedding) -> Answer:
        return self.api.octets("/verifications", self.sealed(self.verification(embedding)))

    def accepted(self, embedding: Embedding) -> bool:
        answer = self.verify(embedding)
        assert answer.status == 200, answer.body
        return bool(answer.json["accepted"])

    def deletion(self) -> tuple[str, Message]:
        template = self.person.profile()["template"]["id"]
        context = self.person.context(LABEL_DELETE)
        grant = self.grant("delete", context)
        return template, Message(self.header(MessageType.DELETE, context, grant), b"", grant)

    def delete_template(self) -> Answer:
        template, message = self.deletion()
        return self.api.octets(f"/templates/{template}/deletion", self.sealed(message))


def unit(seed: int) -> Embedding:
    """A unit vector (128,): nobody's face."""
    vector = np.random.default_rng(seed).standard_normal(128)
    return np.asarray(vector / np.linalg.norm(vector))


def near(embedding: Embedding, *, cosine: float, seed: int = 0) -> Embedding:
    """A unit vector (128,) at this cosine to ``embedding``."""
    other = unit(10_000 + seed)
    other -= (other @ embedding) * embedding
    other /= np.linalg.norm(other)
    return np.asarray(cosine * embedding + np.sqrt(1 - cosine**2) * other)


def receipt_of(answer: Answer) -> Receipt:
    return Receipt.parse(decode(answer.json["receipt"]))
