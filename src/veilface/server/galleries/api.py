"""Galleries over HTTP, for people: see them, opt in, leave."""

from django.db.models import Count
from django.http import HttpRequest
from ninja import Router, Status

from veilface.server.access import SIGNED_IN, caller
from veilface.server.accounts.messages import now_ms
from veilface.server.enrolment.schemas import Challenge
from veilface.server.galleries import memberships, operating
from veilface.server.galleries.schemas import Galleries, Gallery, Joined, Left, Membership, MembershipRequest
from veilface.server.octets import octets_in, read_octets
from veilface.server.wire import Identifier

router = Router(tags=["galleries"], auth=SIGNED_IN)


@router.get("/galleries", response=Galleries)
def list_galleries(request: HttpRequest) -> Galleries:
    """The galleries of this site, what each is for, and since when one is in it."""
    mine = {row.gallery_id: row for row in caller(request).account.memberships.all()}
    rows = operating.everyone().annotate(people=Count("members"))
    return Galleries(
        galleries=[
            Gallery(
                id=row.id,
                name=row.name,
                purpose=row.purpose,
                people=row.people,
                membership=Joined(since=mine[row.id].since) if row.id in mine else None,
            )
            for row in rows
        ]
    )


@router.post("/galleries/{gallery_id}/challenge", response=Challenge)
def allow_membership(request: HttpRequest, gallery_id: Identifier, body: MembershipRequest) -> Challenge:
    """Permission, for 90 s, to sign that one joins or leaves."""
    account = caller(request).account
    grant = memberships.allow(account, gallery_id=gallery_id, device_id=body.device_id, leave=body.leave)
    return Challenge.of(grant, server_time_ms=now_ms())


@router.post(
    "/galleries/{gallery_id}/membership", response={201: Membership}, openapi_extra=octets_in(memberships.LENGTHS)
)
def join_gallery(request: HttpRequest, gallery_id: Identifier) -> Status[Membership]:
    """Let oneself be found in a gallery. The body is `H‖signature` of type 14; one is found a few seconds later."""
    data = read_octets(request, lengths=memberships.LENGTHS)
    member = memberships.join(caller(request).account, gallery_id=gallery_id, data=data)
    return Status(201, Membership(since=member.since, receipt=bytes(member.opt_in.receipt)))


@router.post("/galleries/{gallery_id}/leaving", response=Left, openapi_extra=octets_in(memberships.LENGTHS))
def leave_gallery(request: HttpRequest, gallery_id: Identifier) -> Left:
    """Leave a gallery: from now on nobody is told one's name. The body is `H‖signature` of type 14."""
    data = read_octets(request, lengths=memberships.LENGTHS)
    return Left(receipt=memberships.leave(caller(request).account, gallery_id=gallery_id, data=data))
