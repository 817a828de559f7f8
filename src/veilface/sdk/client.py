"""The server's API, called by name: paths, token, errors and byte bodies, and nothing that decides.

A :class:`Client` never retries and never follows a redirect: a request that decides something must be sent
once, to the address the person named.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast
from urllib.parse import urlsplit

import httpx

from veilface.messages import preferred_language
from veilface.sdk.answers import (
    Challenge,
    DeviceRecord,
    Json,
    Site,
    TemplateRecord,
    Token,
    encode_bytes,
    field,
    object_field,
    optional_bytes,
)
from veilface.sdk.errors import MalformedAnswer, ServerRefused, ServerUnreachable

T = TypeVar("T")
API: Final = "/api/v1"
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
CSRF_COOKIE: Final = "veilface_csrf"
CSRF_HEADER: Final = "X-CSRFToken"
TIMEOUT_S: Final = 30.0
LARGEST_ANSWER: Final = 1 << 20


class Client:
    """Talks to one Veilface server, with or without a token; a context manager."""

    def __init__(self, server: str, *, token: str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._server = server.rstrip("/")
        headers: dict[str, str] = {"Accept-Language": preferred_language()}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        # A proxy of the environment is for other hosts than this one.
        away = urlsplit(self._server).hostname not in LOOPBACK
        self._http = httpx.Client(base_url=f"{self._server}{API}", headers=headers, timeout=timeout_s, trust_env=away)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def site(self) -> Site:
        """What the server says of itself and of its key holder."""
        return Site.parse(self._json("GET", "/site"))

    def health(self) -> Json:
        """How the server, its database and its key holder are."""
        return self._json("GET", "/health")

    def register(self, *, username: str, display_name: str, password: str, terms_version: str) -> None:
        """Opens an account; sending ``terms_version`` is the consent to it.

        A site takes registrations from its own pages, so this repeats its CSRF token as they do.
        """
        self._json("GET", "/session")
        body = {
            "username": username,
            "display_name": display_name,
            "password": password,
            "terms_version": terms_version,
        }
        self._json("POST", "/accounts", json=body, headers={CSRF_HEADER: self._http.cookies.get(CSRF_COOKIE, "")})
        self._http.cookies.clear()

    def create_token(self, *, username: str, password: str, name: str) -> Token:
        """Logs a program in; the token is shown this once."""
        return Token.parse(
            self._json("POST", "/tokens", json={"username": username, "password": password, "name": name})
        )

    def drop_token(self) -> None:
        """Ends this client's token."""
        self._send("DELETE", "/tokens/current")

    def challenge(
        self,
        *,
        kind: str,
        device_id: str,
        context_hash: bytes,
        scheme: str | None = None,
        password: str | None = None,
    ) -> Challenge:
        """A challenge for one action of one device.

        ``scheme`` – the protection to enrol with, given for that alone; ``password`` – to replace a template.
        """
        body = {"type": kind, "device_id": device_id, "context_hash": encode_bytes(context_hash)}
        given = {"scheme": scheme, "password": password}
        body |= {name: value for name, value in given.items() if value is not None}
        return Challenge.parse(self._json("POST", "/challenges", json=body))

    def public_key(self, key_fp: bytes) -> bytes:
        """The public key with this fingerprint, as it came: the caller recomputes the fingerprint."""
        return self._send("GET", f"/keys/{key_fp.hex()}").content

    def register_device(self, *, name: str, header: bytes, signature: bytes, public_key: bytes) -> DeviceRecord:
        """Adds a device; the signature is its own."""
        signed = _signed(header, signature) | {"name": name, "public_key": encode_bytes(public_key)}
        return DeviceRecord.parse(self._json("POST", "/devices", json=signed))

    def devices(self) -> list[DeviceRecord]:
        """The account's devices."""
        return [DeviceRecord.parse(entry) for entry in self._list("/devices")]

    def approve_device(self, *, device_id: str, header: bytes, signature: bytes) -> DeviceRecord:
        """Lets a further device act, by the signature of one that may."""
        return DeviceRecord.parse(self._json("POST", f"/devices/{device_id}/approval", json=_signed(header, signature)))

    def revoke_device(self, *, device_id: str, header: bytes, signature: bytes) -> DeviceRecord:
        """Makes a device useless from now on."""
        return DeviceRecord.parse(
            self._json("POST", f"/devices/{device_id}/revocation", json=_signed(header, signature))
        )

    def enrol(self, message: bytes) -> Json:
        """Sends ``H‖sig‖T``; the answer has ``template`` and ``receipt``."""
        return self._json("POST", "/enrolments", content=message)

    def verify(self, message: bytes) -> Json:
        """Sends ``H‖sig‖P``; the answer has ``outcome``, ``retry_after_s`` and ``receipt``."""
        return self._json("POST", "/verifications", content=message)

    def delete_template(self, template_id: str, message: bytes) -> Json:
        """Sends ``H‖sig``; the answer has ``receipt``."""
        return self._json("POST", f"/templates/{template_id}/deletion", content=message)

    def templates(self) -> list[TemplateRecord]:
        """The account's templates: none or one."""
        return [TemplateRecord.parse(entry) for entry in self._list("/templates")]

    def template_data(self, template_id: str) -> bytes:
        """The protected template's bytes, as the server has them."""
        return self._send("GET", f"/templates/{template_id}/data").content

    def _json(self, method: str, path: str, **request: Any) -> Json:
        return cast("Json", _decoded(self._send(method, path, **request), dict))

    def _list(self, path: str, *, method: str = "GET", **request: Any) -> list[Json]:
        entries = _decoded(self._send(method, path, **request), list)
        if not all(isinstance(entry, dict) for entry in entries):
            raise MalformedAnswer(what=path)
        return cast("list[Json]", entries)

    def _send(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        kind = {} if content is None else {"Content-Type": "application/octet-stream"}
        try:
            response = self._http.request(method, path, json=json, content=content, headers={**kind, **(headers or {})})
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServerUnreachable(url=self._server) from error
        if len(response.content) > LARGEST_ANSWER:
            raise MalformedAnswer(what=path)
        if not response.is_success:
            raise _refusal(response)
        return response


def _signed(header: bytes, signature: bytes) -> dict[str, str]:
    return {"header": encode_bytes(header), "signature": encode_bytes(signature)}


def _decoded(response: httpx.Response, kind: type[T]) -> T:
    try:
        answer = response.json()
    except ValueError as error:
        raise MalformedAnswer(what="JSON") from error
    if not isinstance(answer, kind):
        raise MalformedAnswer(what="JSON")
    return answer


def _refusal(response: httpx.Response) -> ServerRefused:
    try:
        answer = _decoded(response, dict)
        facts = object_field(answer, "details")
        return ServerRefused(
            status=response.status_code,
            server_code=field(answer, "code", str),
            reason=field(answer, "message", str),
            receipt=optional_bytes(facts, "receipt"),
            facts=facts,
        )
    except MalformedAnswer:
        status = response.status_code
        return ServerRefused(status=status, server_code="unknown", reason=f"HTTP {status}")
