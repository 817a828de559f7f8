"""What anybody may ask: what this site is, whether it works, whether somebody is signed in."""

import hashlib
from typing import Literal

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest
from ninja import Router, Schema, Status

from veilface.contract import CONTRACT
from veilface.protect.calibration import model_fp
from veilface.protect.scheme import Protection, protections
from veilface.server import keyholding
from veilface.server import site as site_file
from veilface.server.readiness import keyholder_ready
from veilface.server.wire import Hash, PublicPoint, SchemeName

router = Router(tags=["site"])


class Localised(Schema):
    """One text in both languages."""

    zh: str
    en: str


class Member(Schema):
    """One person or group behind the site."""

    name: Localised
    role: Localised
    about: Localised


class KeyHolder(Schema):
    """The pinned key that signs certificates and receipts; ``ready`` – it answers now."""

    public_key: PublicPoint
    fingerprint: str
    ready: bool


class Scheme(Schema):
    """A protection to choose from: its number in headers, the contract and threshold they must name, and sizes."""

    name: SchemeName
    suite: int
    model_fp: Hash
    template_bytes: int
    probe_bytes: int
    key_bytes: int


class Contract(Schema):
    """What shapes an embedding, and how one may be protected."""

    contract_id: Hash
    preprocessing: str
    schemes: list[Scheme]


class Limits(Schema):
    """Limits of pictures; they are checked on the device, which keeps them."""

    image_bytes: int
    image_pixels: int


class Site(Schema):
    """Everything the pages show about this installation."""

    name: str
    version: str
    origin: str
    default_language: Literal["zh", "en"]
    team: list[Member]
    contact: str
    keyholder: KeyHolder
    contract: Contract
    terms_version: str
    limits: Limits


class Health(Schema):
    """What works. The server answers 503 when its database does not."""

    server: Literal["ok"]
    database: Literal["ok", "down"]
    keyholder: Literal["ok", "down"]


@router.get("/site", response=Site)
def read_site(request: HttpRequest) -> Site:  # noqa: ARG001 – ninja passes it
    """What this installation is called, who runs it, which key holder and which models it uses."""
    content = site_file.load(settings.SITE_FILE)
    return Site.model_validate(
        {
            "name": content.name,
            "contact": content.contact,
            "team": [{"name": one.name, "role": one.role, "about": one.about} for one in content.team],
            "version": settings.VERSION,
            "origin": settings.ORIGIN,
            "default_language": settings.DEFAULT_LANGUAGE,
            "keyholder": _keyholder(),
            "contract": {
                "contract_id": CONTRACT.contract_id,
                "preprocessing": CONTRACT.preprocessing,
                "schemes": [_scheme(known) for known in protections()],
            },
            "terms_version": settings.TERMS_VERSION,
            "limits": {"image_bytes": settings.IMAGE_BYTES, "image_pixels": settings.IMAGE_PIXELS},
        }
    )


@router.get("/health", response={200: Health, 503: Health})
def read_health(request: HttpRequest) -> Status[Health]:  # noqa: ARG001 – ninja passes it
    """Whether the server, its database and its key holder work."""
    database = _database_works()
    health = Health(
        server="ok",
        database="ok" if database else "down",
        keyholder="ok" if keyholder_ready().now() else "down",
    )
    return Status(200 if database else 503, health)


def _scheme(known: Protection) -> Scheme:
    return Scheme.model_validate(
        {
            "name": known.name,
            "suite": known.suite,
            "model_fp": model_fp(known.name),
            "template_bytes": known.template_bytes,
            "probe_bytes": known.probe_bytes,
            "key_bytes": known.key_bytes,
        }
    )


def _keyholder() -> KeyHolder:
    public_key = keyholding.pinned_public_key()
    fingerprint = hashlib.sha256(public_key).hexdigest()
    return KeyHolder(public_key=public_key, fingerprint=fingerprint, ready=keyholder_ready().now())


def _database_works() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True
