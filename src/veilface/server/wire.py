"""Types of the JSON wire: base64url bytes of known length, hex identifiers, the shape of an error."""

from typing import Annotated, Any, Literal

from annotated_types import Len
from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, PlainSerializer, StringConstraints, WithJsonSchema

from veilface.server.base64url import decode, encode

Detail = str | int | float

Json = dict[str, Any]

SchemeName = Literal["homomorphic", "ranking", "negative"]
"""What a person may choose: the names of ``protect.scheme.protections()``."""


def _read(value: object) -> object:
    return decode(value) if isinstance(value, str) else value


_WIRE = (
    BeforeValidator(_read),
    PlainSerializer(encode, return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64url"}),
)

WireBytes = Annotated[bytes, *_WIRE]
Hash = Annotated[bytes, *_WIRE, Len(32, 32)]
PublicPoint = Annotated[bytes, *_WIRE, Len(65, 65)]
HeaderBytes = Annotated[bytes, *_WIRE, Len(256, 256)]
SignatureBytes = Annotated[bytes, *_WIRE, Len(64, 64)]
PasskeyBytes = Annotated[bytes, *_WIRE, Len(1, 4096)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class Request(Schema):
    """A JSON body: exactly these fields, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Failure(Schema):
    """Every answer that is no success: a stable code, the sentence for it, and what fills the sentence."""

    code: str
    message: str
    details: dict[str, Detail]
