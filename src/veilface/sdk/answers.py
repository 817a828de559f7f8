"""What the server's answers carry, as inert values of checked shape.

Bytes travel as base64url without padding, ids as 32 hexadecimal characters; both are checked here, so the
code behind may rely on them.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, TypeVar, cast

from veilface.sdk.errors import KeyHolderDown, MalformedAnswer

Json = dict[str, object]
T = TypeVar("T")
ID_BYTES, HASH_BYTES, POINT_BYTES = 16, 32, 65


def encode_bytes(value: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def field(answer: Json, name: str, kind: type[T]) -> T:
    """``answer[name]``, which must be a ``kind``; a bool is no int."""
    value = answer.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise MalformedAnswer(what=name)
    return value


def optional(answer: Json, name: str, kind: type[T]) -> T | None:
    """Like :func:`field`, or None where the server says null."""
    return None if answer.get(name) is None else field(answer, name, kind)


def object_field(answer: Json, name: str) -> Json:
    """The object ``answer[name]``."""
    return cast("Json", field(answer, name, dict))


def objects_field(answer: Json, name: str) -> list[Json]:
    """The list of objects ``answer[name]``."""
    items = field(answer, name, list)
    if not all(isinstance(item, dict) for item in items):
        raise MalformedAnswer(what=name)
    return cast("list[Json]", items)


def bytes_field(answer: Json, name: str, length: int | None = None) -> bytes:
    """The base64url bytes of ``answer[name]``, of exactly ``length`` where one is given."""
    text = field(answer, name, str)
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedAnswer(what=name) from error
    if length is not None and len(value) != length:
        raise MalformedAnswer(what=name)
    return value


def optional_bytes(answer: Json, name: str, length: int | None = None) -> bytes | None:
    """Like :func:`bytes_field`, or None where the server says null."""
    return None if answer.get(name) is None else bytes_field(answer, name, length)


def id_field(answer: Json, name: str) -> str:
    """An id: 32 lower-case hexadecimal characters."""
    return _hex_field(answer, name, ID_BYTES)


def digest_field(answer: Json, name: str) -> bytes:
    """A SHA-256, written as 64 lower-case hexadecimal characters."""
    return bytes.fromhex(_hex_field(answer, name, HASH_BYTES))


def _hex_field(answer: Json, name: str, length: int) -> str:
    value = field(answer, name, str)
    if len(value) != 2 * length or set(value) - set("0123456789abcdef"):
        raise MalformedAnswer(what=name)
    return value


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a device must know of a server before it trusts it with anything.

    ``model_fps`` – of every protection the server offers, its embedding contract and threshold (32 B).
    """

    name: str
    origin: str
    terms_version: str
    keyholder_key: bytes
    model_fps: Mapping[str, bytes]

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From ``GET /site``; raises :class:`MalformedAnswer`, and :class:`KeyHolderDown` where it names none."""
        keyholder, contract = object_field(answer, "keyholder"), object_field(answer, "contract")
        if not field(keyholder, "ready", bool):
            raise KeyHolderDown
        return cls(
            name=field(answer, "name", str),
            origin=field(answer, "origin", str),
            terms_version=field(answer, "terms_version", str),
            keyholder_key=bytes_field(keyholder, "public_key", POINT_BYTES),
            model_fps={
                field(scheme, "name", str): bytes_field(scheme, "model_fp", HASH_BYTES)
                for scheme in objects_field(contract, "schemes")
            },
        )


@dataclass(frozen=True, kw_only=True)
class Token:
    """A program's login: the token and the binding that signed messages name."""

    token: str
    binding: bytes
    account_id: str
    username: str

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From ``POST /tokens``; raises :class:`MalformedAnswer`."""
        account = object_field(answer, "account")
        return cls(
            token=field(answer, "token", str),
            binding=bytes_field(answer, "binding", HASH_BYTES),
            account_id=id_field(account, "id"),
            username=field(account, "username", str),
        )


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """A single-use challenge and, where it is about a template, the key to protect it with."""

    challenge: bytes
    expires_ms: int
    server_time_ms: int
    key_cert: bytes | None
    key_fp: bytes | None
    epoch: int | None
    template_hash: bytes | None

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From ``POST /challenges``; raises :class:`MalformedAnswer`."""
        return cls(
            challenge=bytes_field(answer, "challenge", HASH_BYTES),
            expires_ms=field(answer, "expires_ms", int),
            server_time_ms=field(answer, "server_time_ms", int),
            key_cert=optional_bytes(answer, "key_cert"),
            key_fp=optional_bytes(answer, "key_fp", HASH_BYTES),
            epoch=optional(answer, "epoch", int),
            template_hash=optional_bytes(answer, "template_hash", HASH_BYTES),
        )


@dataclass(frozen=True, kw_only=True)
class DeviceRecord:
    """One device of an account, as the server lists it; ``active_from`` is ISO 8601, ``public_key`` 65 B."""

    id: str
    name: str
    state: str
    active_from: str
    public_key: bytes

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From any answer that carries a device; raises :class:`MalformedAnswer`."""
        return cls(
            id=id_field(answer, "id"),
            name=field(answer, "name", str),
            state=field(answer, "state", str),
            active_from=field(answer, "active_from", str),
            public_key=bytes_field(answer, "public_key", POINT_BYTES),
        )


@dataclass(frozen=True, kw_only=True)
class TemplateRecord:
    """The protected template, as the server describes it."""

    id: str
    scheme: str
    created_at: str
    bytes: int
    epoch: int

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From any answer that carries a template; raises :class:`MalformedAnswer`."""
        return cls(
            id=id_field(answer, "id"),
            scheme=field(answer, "scheme", str),
            created_at=field(answer, "created_at", str),
            bytes=field(answer, "bytes", int),
            epoch=field(answer, "epoch", int),
        )
