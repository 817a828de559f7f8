"""People's own part: to see galleries, to opt in, to leave – each by the signature of one of their devices."""

from datetime import UTC, datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from veilface.keyholder.errors import DeviceNotActive, WrongTemplate
from veilface.keyholder.messages import Grant
from veilface.protect.envelope import MessageType, gallery_context, split_message
from veilface.protect.scheme import Homomorphic
from veilface.server import keyholding, relaying
from veilface.server.accounts import messages
from veilface.server.accounts.models import Account, Device
from veilface.server.enrolment import challenges
from veilface.server.enrolment.models import Template
from veilface.server.enrolment.services import BODILESS_BYTES, CheckedMessage, check
from veilface.server.errors import NotFound
from veilface.server.galleries import leaving
from veilface.server.galleries.errors import TemplateUnfit
from veilface.server.galleries.models import Departure, Gallery, Member, OptIn

LENGTHS: Final = frozenset({BODILESS_BYTES})


def find(gallery_id: str) -> Gallery:
    """An open gallery; raises :class:`NotFound`."""
    gallery = Gallery.objects.filter(id=gallery_id, state=Gallery.State.OPEN).first()
    if gallery is None:
        raise NotFound
    return gallery


def allow(account: Account, *, gallery_id: str, device_id: str, leave: bool) -> Grant:
    """Permission, for 90 s, to sign that one joins or leaves."""
    gallery = find(gallery_id)
    if leave and not account.memberships.filter(gallery=gallery).exists():
        raise NotFound
    if not leave and not _templates(account).exists():
        raise TemplateUnfit
    context = gallery_context(gallery.wire_id, "out" if leave else "in")
    return challenges.issue_for_gallery(account, device_id=device_id, context_hash=context)


def join(account: Account, *, gallery_id: str, data: bytes) -> Member:
    """Let the account be found in a gallery, by ``H ‖ signature`` (320 B), which is kept as the evidence of it.

    Whoever is in it already stays in it as they are.
    """
    gallery = find(gallery_id)
    checked = _checked(account, data, context=gallery_context(gallery.wire_id, "in"))
    if member := account.memberships.filter(gallery=gallery).first():
        return member
    for departure in Departure.objects.filter(gallery=gallery, account=account.id):
        leaving.tell(departure)
    message = checked.message
    receipt = keyholding.keyholder().gallery_opt_in(header=message.header_bytes, signature=message.signature)
    with relaying.carrying(receipt):
        return _let_in(account, gallery, checked, receipt)


def leave(account: Account, *, gallery_id: str, data: bytes) -> bytes:
    """Take the account out of a gallery at once, by ``H ‖ signature`` (320 B); the key holder's receipt."""
    gallery = find(gallery_id)
    message = _checked(account, data, context=gallery_context(gallery.wire_id, "out")).message
    account.memberships.filter(gallery=gallery).delete()
    with leaving.TELLING:
        receipt = keyholding.keyholder().gallery_opt_out(header=message.header_bytes, signature=message.signature)
        with relaying.unimportant("forget_departure"):
            Departure.objects.filter(gallery=gallery, account=account.id).delete()
    return receipt


def _checked(account: Account, data: bytes, *, context: bytes) -> CheckedMessage:
    message = split_message(data, body_bytes=0)
    messages.check_bodiless(message.header)
    return check(account, message, type_=MessageType.GALLERY_OPT_IN, context=context)


def _let_in(account: Account, gallery: Gallery, checked: CheckedMessage, receipt: bytes) -> Member:
    """The row that counts, with the template it is about; a template renewed meanwhile was not agreed to.

    Nor does a device count that was revoked while the key holder was asked: it would leave nobody behind to take out.
    """
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        if not Gallery.objects.select_for_update().filter(pk=gallery.pk, state=Gallery.State.OPEN).exists():
            raise NotFound
        checked.device.refresh_from_db()
        if checked.device.state_at(datetime.now(UTC)) != Device.State.ACTIVE:
            raise DeviceNotActive
        template = _templates(account).filter(template_hash=checked.challenge.template_hash).defer("data").first()
        if template is None:
            raise WrongTemplate
        member, made = Member.objects.get_or_create(gallery=gallery, account=account, defaults={"template": template})
        if made:
            OptIn.objects.create(
                member=member,
                device_id=checked.device.device_id,
                device_public_key=checked.device.public_key,
                header=checked.message.header_bytes,
                signature=checked.message.signature,
                receipt=receipt,
            )
    return member


def _templates(account: Account) -> QuerySet[Template]:
    return account.templates.filter(state=Template.State.ACTIVE, scheme=Homomorphic.name)
