"""From an exception to the API's one error shape, in the reader's language."""

from typing import cast

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation.trans_real import parse_accept_lang_header

from veilface.errors import VeilfaceError
from veilface.keyholder.errors import KeyHolderError, KeyHolderUnavailable
from veilface.messages import Language, explain, parse_language
from veilface.protect.errors import BadSignature, ProtectError
from veilface.server.errors import KeyHolderDown, ServerError, StorageFailed, StorageFull

# ER_DISK_FULL, ER_RECORD_FILE_FULL (1114: "the table is full") of MariaDB and MySQL; SQLITE_FULL.
MYSQL_FULL = frozenset({1021, 1114})
SQLITE_FULL = 13
BAD_REQUEST = 400
FORBIDDEN = 403


def language_of(request: HttpRequest) -> Language:
    """The first language of ``Accept-Language`` that Veilface speaks, else the site's own."""
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if language := parse_language(tag):
            return language
    return settings.DEFAULT_LANGUAGE


def failure_response(request: HttpRequest, error: VeilfaceError) -> HttpResponse:
    """The JSON answer for one of our own exceptions."""
    if isinstance(error, KeyHolderUnavailable):
        error = KeyHolderDown(**error.details)
    body = {"code": error.code, "message": explain(error, language_of(request)), "details": error.details}
    response = JsonResponse(body, status=status_of(error))
    if "retry_after_s" in error.details:
        response["Retry-After"] = str(error.details["retry_after_s"])
    return response


def status_of(error: VeilfaceError) -> int:
    """The HTTP status of an exception: its own, 403 for a bad signature, 400 for bytes that break the protocol."""
    if isinstance(error, ServerError | KeyHolderError):
        return error.status
    if isinstance(error, BadSignature):
        return FORBIDDEN
    return BAD_REQUEST if isinstance(error, ProtectError) else ServerError.status


def storage_failure(error: DatabaseError, **details: str) -> ServerError:
    """What a failed write means to the reader; a full disk is told apart from everything else."""
    cause = error.__cause__
    number = cast("object", cause.args[0]) if cause is not None and cause.args else None
    if number in MYSQL_FULL or getattr(cause, "sqlite_errorcode", None) == SQLITE_FULL:
        return StorageFull(**details)
    return StorageFailed(**details)
