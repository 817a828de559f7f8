"""A person's phone with the wallet on it, over any transport."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.support import Answer, Device, Embedding, Message, granted, unit
from veilface.protect.envelope import MessageType
from veilface.protect.payment import PaymentStatement, payee_name_hash
from veilface.server.base64url import decode

ME = unit(1)


def new_key() -> str:
    return secrets.token_urlsafe(24)


@dataclass
class Phone:
    """What the app does: make codes, read them, show a statement, sign for it."""

    device: Device
    face: Embedding = field(default_factory=lambda: ME)
    kept: dict[bytes, bytes] = field(default_factory=dict)

    def post(self, path: str, content: Any, *, key: str | None = None) -> Answer:
        headers = {"Idempotency-Key": key} if key else {}
        body = json.dumps(content).encode()
        return self.device.api.transport.send("POST", f"/api/v1/wallet{path}", body, "application/json", headers)

    def get(self, path: str = "") -> Any:
        return granted(self.device.api.get(f"/wallet{path}")).json

    @property
    def balance(self) -> int:
        return int(self.get()["balance"])

    def code(self, amount: int | None = None) -> str:
        answer = self.post("/codes", {"amount": amount})
        assert answer.status == 201, answer.body
        return str(answer.json["code"])

    def order(self, code: str, amount: int | None = None) -> dict[str, Any]:
        answer = self.post("/orders", {"code": code, "amount": amount})
        assert answer.status == 201, answer.body
        return dict(answer.json)

    def statement(self, order: dict[str, Any]) -> PaymentStatement:
        """Made of what is shown, never taken from the server."""
        return PaymentStatement(
            payee_id=bytes.fromhex(order["payee_id"]),
            amount_minor=order["amount"],
            currency=order["currency"],
            exponent=order["exponent"],
            order_nonce=bytes.fromhex(order["nonce"]),
            payee_name_hash=payee_name_hash(order["payee_name"]),
            expires_ms=order["expires_ms"],
        )

    def challenge(self, order: dict[str, Any], *, password: str | None = None) -> Answer:
        return self.post(
            f"/orders/{order['id']}/challenge", {"device_id": self.device.device_id.hex(), "password": password}
        )

    def message(self, order: dict[str, Any], face: Embedding | None = None, *, password: str | None = None) -> Message:
        statement, grant = self.statement(order), granted(self.challenge(order, password=password)).json
        assert statement.to_bytes() == decode(order["statement"])
        probe = self.face if face is None else face
        body = self.device.protection.probe(probe, key=self.device.key_bytes(grant), token=self.device.token)
        return Message(self.device.header(MessageType.PAY, statement.context_hash(), grant, body), body, grant)

    def send(self, order: dict[str, Any], message: Message, *, key: str) -> Answer:
        path, octets = f"/api/v1/wallet/orders/{order['id']}/payment", "application/octet-stream"
        # A message is signed once and kept until it is answered: no two signatures are alike.
        sealed = self.kept.setdefault(message.header.to_bytes(), self.device.sealed(message))
        return self.device.api.transport.send("POST", path, sealed, octets, {"Idempotency-Key": key})

    def pay(self, code: str, amount: int | None = None, *, face: Embedding | None = None) -> Answer:
        order = self.order(code, amount)
        return self.send(order, self.message(order, face), key=new_key())
