"""The HTTP API: routers of the domains, one error shape, one reader of JSON bodies. Nothing here decides anything."""

import json
from typing import Any, cast

import structlog
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from veilface.errors import VeilfaceError
from veilface.server.account_api import router as account
from veilface.server.accounts.api import router as accounts
from veilface.server.accounts.device_api import router as devices
from veilface.server.accounts.passkey_api import router as passkeys
from veilface.server.accounts.sign_in_api import router as sign_ins
from veilface.server.documented import failures, failures_of
from veilface.server.enrolment.api import router as enrolment
from veilface.server.errors import (
    BadRequest,
    InvalidRequest,
    NotFound,
    NotSignedIn,
    ServerError,
    UnsupportedBody,
)
from veilface.server.failures import failure_response, storage_failure
from veilface.server.galleries.api import router as galleries
from veilface.server.galleries.kiosk_api import router as kiosks
from veilface.server.recognition.api import router as recognition
from veilface.server.recognition.face_login_api import router as face_login
from veilface.server.site_api import router as site
from veilface.server.wallet.api import router as wallet
from veilface.server.wire import Failure, Json

log = structlog.stdlib.get_logger("veilface.server.api")

DESCRIPTION = """\
Bytes are base64url without padding, identifiers 32 hex digits, times ISO 8601 in UTC (milliseconds since 1970 where a
name ends in `_ms`). Every failure is `{code, message, details}`; the message follows `Accept-Language` (Chinese by
default). The site signs in with a session cookie and sends `X-CSRFToken`; programs send `Authorization: Bearer vf_…`,
kiosks `Bearer vk_…`.
"""


class StrictJson(Parser):
    """JSON bodies whose size is known to be right; ninja hides what is raised here in an ``HttpError``."""

    def parse_body(self, request: HttpRequest) -> Json:
        """The body's object."""
        if request.content_type != "application/json":
            raise UnsupportedBody(got=(request.content_type or "")[:60], expected="application/json")
        try:
            return cast("Json", json.loads(request.body))
        except (ValueError, RecursionError):
            raise InvalidRequest(field="body", reason="JSON") from None


class VeilfaceApi(NinjaAPI):
    """django-ninja with our error shape in the schema."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """The schema, in which every operation names its failures."""
        schema = super().get_openapi_schema(**options)
        schema["components"]["schemas"]["Failure"] = Failure.model_json_schema()
        schema["components"]["responses"] = failures()
        for operations in schema["paths"].values():
            for method, operation in operations.items():
                answers = {str(status): answer for status, answer in operation["responses"].items()}
                operation["responses"] = dict(sorted((failures_of(method, operation) | answers).items()))
        return schema


api = VeilfaceApi(
    title="Veilface",
    version="1",
    description=DESCRIPTION,
    parser=StrictJson(),
    urls_namespace="api",
)
for router in (
    site,
    accounts,
    sign_ins,
    passkeys,
    account,
    devices,
    enrolment,
    recognition,
    face_login,
    wallet,
    galleries,
    kiosks,
):
    api.add_router("/v1", router)


@api.exception_handler(VeilfaceError)
def _refused(request: HttpRequest, error: VeilfaceError) -> HttpResponse:
    return failure_response(request, error)


@api.exception_handler(AuthenticationError)
def _not_signed_in(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    return failure_response(request, NotSignedIn())


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # The value itself is never repeated: it may be a password.
    first = error.errors[0]
    field = ".".join(str(part) for part in first["loc"][2:]) or "body"
    return failure_response(request, InvalidRequest(field=field, reason=str(first["type"])))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, _error: Http404) -> HttpResponse:
    return failure_response(request, NotFound())


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    hidden = error.__cause__
    return failure_response(request, hidden if isinstance(hidden, VeilfaceError) else BadRequest())


@api.exception_handler(OperationalError)
def _storage(request: HttpRequest, error: OperationalError) -> HttpResponse:
    log.error("storage_failed", reason=type(error.__cause__).__name__)
    return failure_response(request, storage_failure(error))


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("failed", exc_info=error)
    return failure_response(request, ServerError())
