"""Which failures an operation may answer with, told by its shape; every one of them is a ``Failure``."""

from collections.abc import Iterator
from typing import Final

from veilface.server.wire import Json

MEANINGS: Final = {
    400: "Breaks the protocol, or cannot be handled",
    401: "Not signed in, or not recognised",
    403: "Not allowed, or not confirmed",
    404: "No such thing, or none of the caller's",
    409: "Does not fit what is there now",
    410: "Over, or gone",
    411: "A body without its length",
    413: "A body too large",
    415: "A body of another type",
    422: "Breaks this schema, or cannot be used",
    429: "Too often; `Retry-After` says when again",
    500: "Our mistake",
    503: "The key holder or the database does not answer",
    507: "The disk is full",
}
ALWAYS: Final = (400, 500, 503)
WITH_BODY: Final = (411, 413, 415, 422)
CHANGING: Final = (401, 403, 409, 410, 429, 507)


def failures() -> Json:
    """All of them, as the schema's shared responses."""
    answer = {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}}
    return {_name(status): {"description": meaning, "content": answer} for status, meaning in MEANINGS.items()}


def failures_of(method: str, operation: Json) -> Json:
    """Those of one operation, by status."""
    statuses = sorted(set(_statuses(method, operation)))
    return {str(status): failure(status) for status in statuses}


def failure(status: int) -> Json:
    """One of the shared responses, as an operation names it."""
    return {"$ref": f"#/components/responses/{_name(status)}"}


def _name(status: int) -> str:
    return f"Failure{status}"


def _statuses(method: str, operation: Json) -> Iterator[int]:
    yield from ALWAYS
    places = {parameter["in"] for parameter in operation["parameters"]}
    if operation.get("security"):
        yield 401
    if "path" in places:
        yield from (404, 409)
    if "after" in {parameter["name"] for parameter in operation["parameters"]}:  # a page begins behind somebody
        yield 404
    if {"KioskAccess": []} in operation.get("security", ()):  # one that waits gets to see next to nothing
        yield 403
    if places:
        yield 422
    if method != "get":
        yield from (*CHANGING, *WITH_BODY)
        yield 404
