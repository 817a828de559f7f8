"""What anybody may ask: what this site is, whether it works, whether somebody is signed in."""

import hashlib
from typing import Literal

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest
from ninja import Router, Schema, Status

from veilface.contract import CONTRACT
from veilface.protect.calibration import model_fp, threshold_units
from veilface.server import keyholding
from veilface.server import site as site_file
from veilface.server.readiness import keyholder_ready
from veilface.server.wire import Hash, PublicPoint

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


class Contract(Schema):
    """The embedding contract that every message must name."""

    contract_id: Hash
    model_fp: Hash
    threshold_millionths: int
    preprocessing: str


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
                "model_fp": model_fp("homomorphic"),
                "threshold_millionths": threshold_units("homomorphic"),
                "preprocessing": CONTRACT.preprocessing,
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
