"""A browser that remembers a device's key and account, and that nobody is signed in with."""

from typing import Any

from tests.support import Answer, Api, Device, Embedding, Message, Person, granted
from veilface.protect.envelope import LABEL_LOGIN, ZERO_HASH, Header, MessageType, sha256
from veilface.server.base64url import decode, encode


class Browser(Device):
    """The device again, in a browser that nobody is signed in with."""

    def __init__(self, device: Device, api: Api) -> None:
        self.__dict__ |= vars(device)
        self.api = api
        binding = decode(granted(self.api.get("/face-login")).json["binding"])
        self.person = Person(self.api, device.person.account, binding, device.person.origin)

    def knocking(self, **fields: Any) -> Header:
        context = self.person.context(LABEL_LOGIN)
        empty = {"challenge": encode(ZERO_HASH), "key_fp": encode(ZERO_HASH), "template_hash": None}
        return Message(self.header(MessageType.VERIFY, context, empty)).with_header(model_fp=ZERO_HASH, **fields).header

    def knock(self, **fields: Any) -> Answer:
        return self.api.post("/face-login/challenges", self.order(self.knocking(**fields)))

    def login(self, face: Embedding) -> Message:
        grant = granted(self.knock()).json
        key = granted(self.api.get(f"/face-login/challenges/{decode(grant['challenge']).hex()}/key")).body
        assert sha256(key) == decode(grant["key_fp"])
        body = self.protection.probe(face, key=key, token=self.token)
        return Message(self.header(MessageType.VERIFY, self.person.context(LABEL_LOGIN), grant, body), body, grant)

    def send(self, message: Message) -> Answer:
        return self.api.octets("/face-login", self.sealed(message))
