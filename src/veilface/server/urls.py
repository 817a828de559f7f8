from django.urls import path, re_path

from veilface.server import pages
from veilface.server.api import api

APP_PAGES = (
    "login(?:/password)?|register|wallet|top-up|receive|pay|history|movements/[0-9a-f]{32}"
    "|face(?:/enrol|/recognise)?|me(?:/devices|/security|/galleries|/consent)?"
)

urlpatterns = [
    path("api/", api.urls),
    path("", pages.shell),
    path("app/sw.js", pages.service_worker),
    re_path(rf"^app(?:/(?:{APP_PAGES}))?$", pages.shell),
    re_path(r"^(?:enrol|me|recognise|watch|breach|about|terms|login|register)$", pages.shell),
]

handler400 = "veilface.server.pages.bad_request"
handler403 = "veilface.server.pages.bad_request"
handler404 = "veilface.server.pages.not_found"
handler500 = "veilface.server.pages.failed"
