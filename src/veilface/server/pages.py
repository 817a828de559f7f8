"""The pages: one built shell for every front-end address, and what is shown when there is none."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from veilface.server.errors import BadRequest, NotFound, ServerError
from veilface.server.failures import failure_response
from veilface.server.middleware import API_PREFIX

PERMANENT_KEEPING_METHOD = 308
EVERYWHERE = "/"


def shell(request: HttpRequest) -> HttpResponse:
    """The front end. Signed messages are bound to one origin, so a loopback address is sent to that origin."""
    origin = urlsplit(settings.ORIGIN)
    if request.get_host() != origin.netloc and origin.hostname == "localhost":
        return HttpResponseRedirect(settings.ORIGIN + request.get_full_path(), status=PERMANENT_KEEPING_METHOD)
    return _shell(status=200)


def service_worker(request: HttpRequest) -> HttpResponse:
    """The program that keeps the app for use without a network.

    Browsers give a page's workers, which load models and runtimes, to the program that rules *their* address: below
    ``/app`` alone it would never see them.
    """
    try:
        content = (settings.WEB_ROOT / "sw.js").read_bytes()
    except FileNotFoundError:
        return not_found(request, NotFound())
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": EVERYWHERE}
    return HttpResponse(content, content_type="text/javascript; charset=utf-8", headers=headers)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 – Django names it
    """The same shell, which shows its own page; an API address answers in JSON."""
    if request.path.startswith(API_PREFIX):
        return failure_response(request, NotFound())
    return _shell(status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 – Django names it
    """A request Django itself refuses: an unknown host, a broken header."""
    if request.path.startswith(API_PREFIX):
        return failure_response(request, BadRequest())
    return _plain("400.html", status=400)


def failed(request: HttpRequest) -> HttpResponse:
    """An error of ours; the page needs nothing else to work."""
    if request.path.startswith(API_PREFIX):
        return failure_response(request, ServerError())
    return _plain("500.html", status=500)


def _shell(*, status: int) -> HttpResponse:
    try:
        content = (settings.WEB_ROOT / "index.html").read_bytes()
    except FileNotFoundError:
        return _plain("unbuilt.html", status=503)
    return HttpResponse(content, status=status, headers={"Cache-Control": "no-cache"})


def _plain(name: str, *, status: int) -> HttpResponse:
    content, policy = _page(name)
    return HttpResponse(content, status=status, headers={"Content-Security-Policy": policy})


@cache
def _page(name: str) -> tuple[bytes, str]:
    """A self-contained page, and the policy that lets it use its one style element and nothing else."""
    content = files("veilface.server").joinpath("error_pages", name).read_bytes()
    style = content.split(b"<style>", 1)[1].split(b"</style>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode("ascii")
    return content, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
