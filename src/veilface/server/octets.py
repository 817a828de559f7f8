"""Binary bodies and answers: of exact lengths, refused by the announced length before they are read."""

from collections.abc import Collection

from django.http import HttpRequest

from veilface.server.documented import failure
from veilface.server.errors import BodyWrongLength, UnsupportedBody
from veilface.server.wire import Json

OCTETS = "application/octet-stream"


def read_octets(request: HttpRequest, *, lengths: Collection[int]) -> bytes:
    """The body of exactly one of these lengths; raises before reading where it is announced otherwise."""
    if request.content_type != OCTETS:
        raise UnsupportedBody(got=(request.content_type or "")[:60], expected=OCTETS)
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced not in lengths:
        raise BodyWrongLength(got=announced, expected=", ".join(map(str, sorted(lengths))))
    data = request.body
    if len(data) != announced:  # the connection broke off
        raise BodyWrongLength(got=len(data), expected=announced)
    return data


def octets_in(lengths: Collection[int]) -> Json:
    """What the schema says about a binary body."""
    return {"requestBody": {"required": True, "content": _octets(lengths)}}


def octets_out(lengths: Collection[int], *, refused: Collection[int] = ()) -> Json:
    """What the schema says about a binary answer, and about refusals that the operation's shape does not tell."""
    shown = " or ".join(map(str, sorted(lengths)))
    answer = {"description": f"{shown} bytes", "content": _octets(lengths)}
    return {"responses": {200: answer} | {status: failure(status) for status in refused}}


def _octets(lengths: Collection[int]) -> Json:
    exact = [
        {"type": "string", "format": "binary", "minLength": length, "maxLength": length} for length in sorted(lengths)
    ]
    return {OCTETS: {"schema": exact[0] if len(exact) == 1 else {"anyOf": exact}}}
