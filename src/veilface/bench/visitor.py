"""A browser that nobody is signed in with, on a device that remembers an account: what it sends to log in by face.

Programs sign in with a token, so the SDK has no such thing; this is for measuring what browsers wait for.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import httpx

from veilface.bench.errors import Unexpected
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import (
    LABEL_LOGIN,
    ZERO_HASH,
    Header,
    KeyCert,
    MessageType,
    context_hash,
    join_message,
    sha256,
    sign_header,
)
from veilface.protect.homomorphic import Embedding
from veilface.protect.scheme import protection_of
from veilface.sdk.answers import Challenge, Json, bytes_field, encode_bytes, field
from veilface.sdk.client import API, CSRF_COOKIE, CSRF_HEADER, TIMEOUT_S
from veilface.sdk.folder import DeviceFolder

OK: Final = 200
OCTETS: Final = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A permission to sign one login, and the account's public key that came with it."""

    grant: Challenge
    granted_at: float
    key: bytes

    def now_ms(self) -> int:
        """The time by the server's clock."""
        return self.grant.server_time_ms + round((time.monotonic() - self.granted_at) * 1000)


class Visitor:
    """The device of ``folder`` at ``url``, signed out; a context manager."""

    def __init__(self, url: str, folder: DeviceFolder) -> None:
        self._folder, self._account, self._key = folder, folder.account(), folder.key()
        self._http = httpx.Client(base_url=f"{url}{API}", timeout=TIMEOUT_S, trust_env=False)
        terms = _granted(self._http.get("/face-login"))
        self._server_ms, self._seen_at = field(terms, "server_time_ms", int), time.monotonic()
        self._context = context_hash(LABEL_LOGIN, self._account.origin, bytes_field(terms, "binding"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def knock(self) -> Challenge:
        """Permission to sign one login."""
        header = Header(
            type=MessageType.VERIFY,
            account_id=bytes.fromhex(self._account.account_id),
            device_id=bytes.fromhex(self._account.device_id),
            challenge=ZERO_HASH,
            issued_ms=self._server_ms + round((time.monotonic() - self._seen_at) * 1000),
            context_hash=self._context,
            body_hash=sha256(b""),
        )
        order = {"header": encode_bytes(header.to_bytes()), "signature": encode_bytes(sign_header(self._key, header))}
        return Challenge.parse(_granted(self._http.post("/face-login/challenges", json=order, headers=self._csrf())))

    def fetch_key(self, grant: Challenge) -> Opened:
        """The public key to answer ``grant`` with."""
        answer = self._http.get(f"/face-login/challenges/{grant.challenge.hex()}/key")
        if answer.status_code != OK or sha256(answer.content) != grant.key_fp:
            raise Unexpected(path="key", got=answer.status_code, expected=OK)
        return Opened(grant=grant, granted_at=time.monotonic(), key=answer.content)

    def signed(
        self, opened: Opened, face: Embedding, *, account: bytes | None = None, device: bytes | None = None
    ) -> bytes:
        """``H ‖ signature ‖ P`` with this face (128,), in the name of another account or device where one is given."""
        cert = KeyCert.parse(opened.grant.key_cert or b"")
        protection = protection_of(cert.suite)
        account_id = bytes.fromhex(self._account.account_id)
        token = self._folder.tokens.find(account=account_id, epoch=cert.epoch) if protection.token_bytes else b""
        body = protection.probe(face, key=opened.key, token=token or b"")
        header = Header(
            type=MessageType.VERIFY,
            suite=cert.suite,
            account_id=account or account_id,
            device_id=device or bytes.fromhex(self._account.device_id),
            challenge=opened.grant.challenge,
            issued_ms=opened.now_ms(),
            context_hash=self._context,
            body_hash=sha256(body),
            key_fp=opened.grant.key_fp or b"",
            model_fp=model_fp(protection.name),
            template_hash=opened.grant.template_hash or b"",
        )
        return join_message(header=header.to_bytes(), signature=sign_header(self._key, header), body=body)

    def send(self, message: bytes) -> httpx.Response:
        """The answer to a login, whatever it is."""
        return self._http.post("/face-login", content=message, headers={"Content-Type": OCTETS, **self._csrf()})

    def _csrf(self) -> Mapping[str, str]:
        return {CSRF_HEADER: self._http.cookies.get(CSRF_COOKIE) or ""}


def _granted(answer: httpx.Response) -> Json:
    if answer.status_code != OK:
        raise Unexpected(path=answer.url.path, got=answer.status_code, expected=OK)
    content: Json = answer.json()
    return content
