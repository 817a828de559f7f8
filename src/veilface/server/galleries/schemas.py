"""Galleries and kiosks on the JSON wire. Nothing here has a place for a score."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from veilface.server.enrolment.schemas import Challenge
from veilface.server.galleries.models import Gallery as GalleryRow
from veilface.server.galleries.models import Kiosk as KioskRow
from veilface.server.galleries.people import Person as PersonRow
from veilface.server.wire import Digest, Hash, HeaderBytes, Identifier, PublicPoint, Request, SignatureBytes, WireBytes

Text = Annotated[str, StringConstraints(max_length=200)]
Code = Annotated[str, StringConstraints(max_length=40)]


# --- people ----------------------------------------------------------------------------------------------


class Joined(Schema):
    """Since when one is in a gallery."""

    since: datetime


class Gallery(Schema):
    """A gallery one may join: who runs it says what it is for."""

    id: Identifier
    name: str
    purpose: str
    people: int
    membership: Joined | None


class Galleries(Schema):
    """All galleries of this site."""

    galleries: list[Gallery]


class MembershipRequest(Request):
    """Which device will sign, and whether it is to leave."""

    device_id: Identifier
    leave: bool = False


class Membership(Schema):
    """In since then, and the key holder's receipt (192 B)."""

    since: datetime
    receipt: WireBytes


class Left(Schema):
    """The key holder's receipt (192 B): no template of the account is opened for this gallery any more."""

    receipt: WireBytes


# --- kiosks ----------------------------------------------------------------------------------------------


class Place(Schema):
    """The gallery a kiosk is for."""

    id: Identifier
    name: str
    purpose: str
    may_register: bool

    @classmethod
    def of(cls, row: GalleryRow) -> "Place":
        """The row in short."""
        return cls(id=row.id, name=row.name, purpose=row.purpose, may_register=row.may_register)


class JoiningRequest(Request):
    """The operator's code, and the device that wants to be a kiosk; `context_hash` is that of its registration."""

    code: Code
    device_id: Identifier
    context_hash: Hash


class JoiningChallenge(Schema):
    """The gallery, whose id stands in the header as the account's, and the challenge."""

    gallery: Place
    challenge: Challenge


class KioskRegistration(Request):
    """The operator's code, and the header (type 17) that the kiosk signed with the key of `public_key`.

    `token_hash` – the SHA-256 of the token that the kiosk chose: `vk_` and 32 random bytes in base64url.
    """

    code: Code
    name: Text
    device_id: Identifier
    header: HeaderBytes
    signature: SignatureBytes
    public_key: PublicPoint
    token_hash: Hash


class Kiosk(Schema):
    """A kiosk as it sees itself. One that is pending may not search before `active_from`."""

    id: Identifier
    name: str
    state: Literal["pending", "active", "revoked"]
    active_from: datetime
    gallery: Place

    @classmethod
    def fields_of(cls, row: KioskRow, *, now: datetime) -> dict[str, object]:
        """The row as it stands at ``now``."""
        return {
            "id": row.device_id,
            "name": row.name,
            "state": row.state_at(now),
            "active_from": row.active_from,
            "gallery": Place.of(row.gallery),
        }


class FurtherKiosk(Schema):
    """Another kiosk of the gallery. Whoever lets it in signs for its `public_key`."""

    id: Identifier
    name: str
    public_key: PublicPoint
    state: Literal["pending", "active", "revoked"]
    active_from: datetime
    joined_at: datetime

    @classmethod
    def of(cls, row: KioskRow, *, now: datetime) -> "FurtherKiosk":
        """The row as it stands at ``now``."""
        return cls.model_validate(
            {
                "id": row.device_id,
                "name": row.name,
                "public_key": bytes.fromhex(row.public_key),
                "state": row.state_at(now),
                "active_from": row.active_from,
                "joined_at": row.created_at,
            }
        )


class KioskApprovalRequest(Request):
    """What will be signed about a kiosk that waits: that it is let in, or that it is turned away."""

    refuse: bool = False


class ProbeKey(Schema):
    """The key that probes, and templates registered here, come under; `GET /keys/{key_fp}` has it."""

    key_fp: Digest


class KioskState(Kiosk):
    """The kiosk, how many people its gallery has, and the key to make probes with."""

    people: int
    probe_key: ProbeKey


class KioskChallengeRequest(Request):
    """What for, and how many: a kiosk may fetch some ahead."""

    type: Literal["identify", "register"]
    count: Annotated[int, Field(ge=1, le=4)] = 1


class Named(Schema):
    """Somebody who was found."""

    id: Identifier
    name: str


class Found(Schema):
    """Who it is. `ambiguous`: several are too much alike to tell, or more than four, and then nobody is named.

    `searched` – how many people were compared.
    """

    outcome: Literal["found", "nobody", "ambiguous"]
    people: list[Named]
    searched: int


class Person(Schema):
    """Somebody in the gallery: by an account of their own, or registered at a kiosk."""

    id: Identifier
    name: str
    registered_at: datetime
    kind: Literal["account", "kiosk"]

    @classmethod
    def of(cls, person: PersonRow) -> "Person":
        """The person."""
        return cls(id=person.id, name=person.name, registered_at=person.registered_at, kind=person.kind)


class People(Schema):
    """A page of them; `next` goes into `after` for the page that follows."""

    people: list[Person]
    next: Identifier | None


class Part(Request):
    """What the names wanted have in them, and after whom the page begins."""

    name: Text
    after: Identifier | None = None


class NewName(Request):
    """Another name."""

    name: Text


class Everybody(Request):
    """The gallery's name, so that nobody is deleted by mistake."""

    confirm: Text


class Removed(Schema):
    """How many were deleted."""

    removed: int
