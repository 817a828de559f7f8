"""What happens to every request: an id and a log line, security headers, limits on the body before it is read."""

import secrets
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed

from veilface.server.errors import BodyTooLarge, LengthRequired, ServerError, UnsupportedBody, WrongMethod
from veilface.server.failures import failure_response

Next = Callable[[HttpRequest], HttpResponseBase]

API_PREFIX = "/api/"
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LARGEST_BODY = {
    "application/json": 16 * 1024,
    # a person registered at a kiosk: 161 B name, and two messages of 256 B header, 64 B signature, 73,728 B ciphertext
    "application/octet-stream": 148_257,
}

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; connect-src 'self'; "
    "media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
}

# Only where the site is reached by https: on a developer's localhost it would lock the browser out.
if settings.SECURE_ORIGIN:
    SECURITY_HEADERS["Strict-Transport-Security"] = "max-age=31536000"

log = structlog.stdlib.get_logger("veilface.server.request")


class RequestLog:
    """One line a request: id, method, path, status. No times: those of a decision would tell about it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            if request.path.startswith(API_PREFIX) or response.status_code >= 400:  # noqa: PLR2004 – HTTP
                log.info("answered", method=request.method, path=request.path, status=response.status_code)
        return response


class SecurityHeaders:
    """The same strict headers on pages, assets and API answers; a view may set its own beforehand."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith(API_PREFIX):
            response.headers.setdefault("Cache-Control", "no-store")
        return response


class ApiBodies:
    """Refuse a body by what its headers say, before a byte of it is read; and a method in the API's own words."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(API_PREFIX) and request.method in WITH_BODY:
            try:
                check_body(request)
            except ServerError as refused:
                return failure_response(request, refused)
        response = self.get_response(request)
        if request.path.startswith(API_PREFIX) and isinstance(response, HttpResponseNotAllowed):
            refusal = failure_response(request, WrongMethod())
            refusal["Allow"] = response["Allow"]
            return refusal
        return response


def check_body(request: HttpRequest) -> None:
    """Raise unless the announced body has a known length, a size we take and a type we read."""
    if "Transfer-Encoding" in request.headers:
        raise LengthRequired
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced == "0":
        return
    limit = LARGEST_BODY.get(request.content_type or "")
    if limit is None:
        raise UnsupportedBody(got=(request.content_type or "")[:60], expected=", ".join(LARGEST_BODY))
    if not (announced.isascii() and announced.isdigit() and int(announced) <= limit):
        raise BodyTooLarge(got=announced[:20], expected=limit)
