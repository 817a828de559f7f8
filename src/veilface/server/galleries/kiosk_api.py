"""Galleries over HTTP, for kiosks: join by the operator's code, search, register."""

from datetime import UTC, datetime
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import StringConstraints

from veilface.protect.envelope import MessageType, gallery_context, search_context, sha256
from veilface.server.access import address
from veilface.server.accounts.messages import now_ms
from veilface.server.enrolment.schemas import Challenge
from veilface.server.galleries import joining, messages, registering, searching
from veilface.server.galleries.access import AT_THE_DOOR, kiosk_of, working_kiosk
from veilface.server.galleries.rooms import rooms
from veilface.server.galleries.schemas import (
    Everybody,
    Found,
    JoiningChallenge,
    JoiningRequest,
    Kiosk,
    KioskChallengeRequest,
    KioskRegistration,
    KioskState,
    Named,
    NewKiosk,
    NewName,
    People,
    Person,
    Place,
    ProbeKey,
    Removed,
)
from veilface.server.octets import octets_in, read_octets
from veilface.server.wire import Identifier

router = Router(tags=["kiosks"])

Name = Annotated[str, StringConstraints(max_length=120)]


@router.post("/kiosks/challenges", response=JoiningChallenge)
def allow_joining(request: HttpRequest, body: JoiningRequest) -> JoiningChallenge:
    """What a device must sign to become a kiosk, for the operator's code. The code is not used up."""
    gallery, grant = joining.allow(
        code=body.code, device_id=body.device_id, context_hash=body.context_hash, address=address(request)
    )
    return JoiningChallenge(gallery=Place.of(gallery), challenge=Challenge.of(grant, server_time_ms=now_ms()))


@router.post("/kiosks", response={201: NewKiosk})
def join(request: HttpRequest, body: KioskRegistration) -> Status[NewKiosk]:
    """Become a kiosk of a gallery; the code is used up, and the token shown this once."""
    joined = joining.join(
        code=body.code,
        name=body.name,
        device_id=body.device_id,
        header=body.header,
        signature=body.signature,
        public_key=body.public_key,
        address=address(request),
    )
    fields = Kiosk.fields_of(joined.kiosk, now=datetime.now(UTC))
    return Status(201, NewKiosk.model_validate({**fields, "token": joined.token}))


@router.get("/kiosk", response=KioskState, auth=AT_THE_DOOR)
def read_kiosk(request: HttpRequest) -> KioskState:
    """The kiosk that asks, its gallery, and the key that probes come under."""
    kiosk = kiosk_of(request)
    probes = rooms().room(kiosk.gallery).gallery.keys.probes
    fields = Kiosk.fields_of(kiosk, now=datetime.now(UTC))
    more = {"people": kiosk.gallery.members.count(), "probe_key": ProbeKey(key_fp=sha256(probes).hex())}
    return KioskState.model_validate({**fields, **more})


@router.post("/kiosk/challenges", response=list[Challenge], auth=AT_THE_DOOR)
def allow(request: HttpRequest, body: KioskChallengeRequest) -> list[Challenge]:
    """Permission, for 90 s each, to sign so many messages."""
    kiosk = kiosk_of(request)
    if body.type == "identify":
        type_, context = MessageType.IDENTIFY, search_context(kiosk.gallery.wire_id)
    else:
        type_, context = MessageType.GALLERY_OPT_IN, gallery_context(kiosk.gallery.wire_id, "register")
    grants = joining.challenges(kiosk, type_=type_, context=context, count=body.count)
    return [Challenge.of(grant, server_time_ms=now_ms()) for grant in grants]


@router.post("/kiosk/searches", response=Found, auth=AT_THE_DOOR, openapi_extra=octets_in(messages.LENGTHS))
def search(request: HttpRequest, response: HttpResponse) -> Found:
    """Who is it? The body is `H‖signature‖P` of type 13; the probe is computed with and forgotten.

    The stages' times are in `Server-Timing`.
    """
    data = read_octets(request, lengths=messages.LENGTHS)
    found = searching.search(kiosk_of(request), data=data)
    response["Server-Timing"] = ", ".join(f"{name};dur={ms:.2f}" for name, ms in found.stages_ms.items())
    people = [Named(id=person.id, name=person.name) for person in found.people]
    return Found(outcome=found.outcome, people=people, searched=found.searched)


@router.get("/kiosk/people", response=People, auth=AT_THE_DOOR)
def list_people(request: HttpRequest, after: Identifier | None = None) -> People:
    """Who is in the gallery, first come first, a hundred at a time."""
    page, following = registering.listed(working_kiosk(request).gallery, after=after)
    return People(people=[Person.of(person) for person in page], next=following)


@router.post("/kiosk/people", response={201: Person}, auth=AT_THE_DOOR, openapi_extra=octets_in(messages.LENGTHS))
def register(request: HttpRequest, name: Query[Name], consent: Query[bool] = False) -> Status[Person]:  # noqa: FBT002 – a query's field
    """Register somebody who agreed to it. The body is `H‖signature‖T` of type 14, under the gallery's key."""
    data = read_octets(request, lengths=messages.LENGTHS)
    person = registering.register(working_kiosk(request), data=data, name=name, consent=consent)
    return Status(201, Person.of(person))


@router.patch("/kiosk/people/{person_id}", response=Person, auth=AT_THE_DOOR)
def rename(request: HttpRequest, person_id: Identifier, body: NewName) -> Person:
    """Give somebody whom a kiosk registered another name."""
    return Person.of(registering.rename(working_kiosk(request), person_id, name=body.name))


@router.delete("/kiosk/people/{person_id}", response={204: None}, auth=AT_THE_DOOR)
def remove(request: HttpRequest, person_id: Identifier) -> Status[None]:
    """Forget somebody whom a kiosk registered."""
    registering.remove(working_kiosk(request), person_id)
    return Status(204, None)


@router.delete("/kiosk/people", response=Removed, auth=AT_THE_DOOR)
def remove_all(request: HttpRequest, body: Everybody) -> Removed:
    """Forget everybody whom this gallery's kiosks registered; the gallery's name confirms it."""
    return Removed(removed=registering.remove_all(working_kiosk(request), confirm=body.confirm))
