"""Binary bodies and answers: of one exact length, refused by the announced length before they are read."""

from django.http import HttpRequest

from veilface.server.errors import BodyWrongLength, UnsupportedBody
from veilface.server.wire import Json

OCTETS = "application/octet-stream"


def read_octets(request: HttpRequest, *, length: int) -> bytes:
    """The body of exactly ``length`` bytes; raises before reading where it is announced otherwise."""
    if request.content_type != OCTETS:
        raise UnsupportedBody(got=(request.content_type or "")[:60], expected=OCTETS)
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced != length:
        raise BodyWrongLength(got=announced, expected=length)
    data = request.body
    if len(data) != length:  # the connection broke off
        raise BodyWrongLength(got=len(data), expected=length)
    return data


def octets_in(length: int) -> Json:
    """What the schema says about a binary body."""
    return {"requestBody": {"required": True, "content": _octets(length)}}


def octets_out(length: int) -> Json:
    """What the schema says about a binary answer."""
    return {"responses": {200: {"description": f"{length} bytes", "content": _octets(length)}}}


def _octets(length: int) -> Json:
    return {OCTETS: {"schema": {"type": "string", "format": "binary", "minLength": length, "maxLength": length}}}
