"""Types of the JSON wire: base64url bytes of known length, hex identifiers, the shape of an error."""

import base64
import binascii
import re
from typing import Annotated, Any

from annotated_types import Len
from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema

Detail = str | int | float

BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 4648 §5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(value: object) -> bytes:
    """The bytes of one base64url text; raises ``ValueError`` for padding, other alphabets or stray bits."""
    if isinstance(value, bytes):  # our own answers on their way out
        return value
    if not isinstance(value, str) or not BASE64URL.fullmatch(value):
        raise ValueError("base64url without padding expected")
    try:
        data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except binascii.Error:
        raise ValueError("base64url without padding expected") from None
    if encode(data) != value:
        raise ValueError("base64url without padding expected")
    return data


_WIRE = (
    BeforeValidator(decode),
    PlainSerializer(encode, return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64url"}),
)

WireBytes = Annotated[bytes, *_WIRE]
Hash = Annotated[bytes, *_WIRE, Len(32, 32)]
PublicPoint = Annotated[bytes, *_WIRE, Len(65, 65)]
HeaderBytes = Annotated[bytes, *_WIRE, Len(256, 256)]
SignatureBytes = Annotated[bytes, *_WIRE, Len(64, 64)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Request(Schema):
    """A JSON body: exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Failure(Schema):
    """Every answer that is no success: a stable code, the sentence for it, and what fills the sentence."""

    code: str
    message: str
    details: dict[str, Detail]


Json = dict[str, Any]
