"""Somebody is registered at a kiosk: under the gallery's own key, with a name, once nobody was found who is like them.

Two templates of one person in one block would tell its rotation, and an answer could not tell the two persons apart.
So a registration is a search as well (ADR 15): the server looks for the probe that comes with it, and the key holder
judges that template and probe are of one embedding. Registrations of a gallery wait for one another, so that of two
kiosks with the same person before them the second one finds what the first one did. They wait for seconds, and
not for a rotation of everybody: few threads serve the whole site.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from veilface.match.gallery_errors import GalleryBusy
from veilface.match.masks import prepare
from veilface.match.verification import registration_evidence
from veilface.protect.envelope import (
    HEADER_BYTES,
    SIGNATURE_BYTES,
    MessageType,
    Outcome,
    Receipt,
    SignedMessage,
    gallery_context,
    sha256,
)
from veilface.protect.rlwe import CIPHERTEXT_BYTES
from veilface.server import keyholding, relaying
from veilface.server.accounts.services import usable_display_name
from veilface.server.base64url import encode
from veilface.server.enrolment import evidence
from veilface.server.errors import NotFound
from veilface.server.galleries import messages, searching
from veilface.server.galleries.errors import (
    ConsentMissing,
    GalleryUnusable,
    NameUnreadable,
    PersonAmbiguous,
    PersonKnown,
    PersonNotAccepted,
    RegisteringBusy,
)
from veilface.server.galleries.models import Gallery, Kiosk, Member, Registration
from veilface.server.galleries.people import Person, person_of, registered, require_allowed, take_out
from veilface.server.galleries.rooms import Room, rooms

NAME_BYTES: Final = 160
"""Of a name in UTF-8: 40 characters of four. What is shorter is filled up, so that no length is told."""
MESSAGE_BYTES: Final = HEADER_BYTES + SIGNATURE_BYTES + CIPHERTEXT_BYTES
PATIENCE_S: Final = 3.0
"""For whoever is being registered, and as long again for who is being packed."""
LENGTHS: Final = frozenset({1 + NAME_BYTES + 2 * MESSAGE_BYTES})


@dataclass(frozen=True, kw_only=True)
class Application:
    """What a kiosk sends: a name, ``H ‖ signature ‖ P`` of a search and ``H ‖ signature ‖ T`` (74,048 B each)."""

    name: str
    probe: bytes
    template: bytes

    @classmethod
    def parse(cls, data: bytes) -> "Application":
        """Read ``length ‖ name, filled up with zeros to 160 B ‖ search ‖ registration`` (148,257 B).

        Raises :class:`NameUnreadable`.
        """
        length, name, signed = data[0], data[1 : 1 + NAME_BYTES], data[1 + NAME_BYTES :]
        if length > NAME_BYTES or any(name[length:]):
            raise NameUnreadable
        try:
            return cls(name=name[:length].decode(), probe=signed[:MESSAGE_BYTES], template=signed[MESSAGE_BYTES:])
        except UnicodeDecodeError:
            raise NameUnreadable from None


def register(kiosk: Kiosk, *, data: bytes, consent: bool, replaces: str | None = None) -> Person:
    """Take in an :class:`Application` of somebody who agreed; the same again finds the same person.

    ``replaces`` – whom the template is a new one of: they keep their id, and only they may be found. Raises
    :class:`PersonKnown` and :class:`PersonAmbiguous`. They are found once they are packed, within seconds.
    """
    require_allowed(kiosk)
    if not consent:
        raise ConsentMissing
    application = Application.parse(data)
    name, context = usable_display_name(application.name), gallery_context(kiosk.gallery.wire_id, "register")
    message = messages.check(kiosk, application.template, type_=MessageType.GALLERY_OPT_IN, context=context)
    room = rooms().room(kiosk.gallery)
    with _alone(room):
        made = Registration.objects.filter(
            member__gallery=kiosk.gallery, header_hash=sha256(message.header_bytes).hex()
        )
        if known := Member.objects.filter(registration__in=made).first():
            return person_of(known)
        if replaces is not None:
            registered(kiosk, replaces)
        _have_everybody_packed(room, kiosk.gallery)
        probe = searching.check(kiosk, application.probe)
        _require_nobody_else(searching.search_for(kiosk, probe), replaces=replaces)
        receipt = _judged(room, message, probe)
        with relaying.carrying(receipt):
            return person_of(_store(kiosk, message, name=name, receipt=receipt, replaces=replaces))


@contextmanager
def _alone(room: Room) -> Iterator[None]:
    """Nobody else is registered meanwhile; raises :class:`RegisteringBusy`."""
    if not room.registering.acquire(timeout=PATIENCE_S):
        raise RegisteringBusy
    try:
        yield
    finally:
        room.registering.release()


def _have_everybody_packed(room: Room, gallery: Gallery) -> None:
    """Whoever waits for a block is found by no search, and was often registered a moment ago."""
    waiting = Member.objects.filter(gallery=gallery, block=None)
    try:
        if waiting.exists():
            room.gallery.pack(patience_s=PATIENCE_S)
    except GalleryBusy:
        raise RegisteringBusy from None
    except searching.UNUSABLE as error:
        raise GalleryUnusable from error
    if waiting.exists():  # more than one block of them: the keeper is at it
        raise RegisteringBusy


def _require_nobody_else(answer: searching.Answer, *, replaces: str | None) -> None:
    """A kiosk learns here what a search had told it."""
    if answer.outcome == "ambiguous":
        raise PersonAmbiguous
    for person in answer.people:
        if person.id != replaces:
            raise PersonKnown(person=person.id, name=person.name, kind=person.kind)


def _judged(room: Room, message: SignedMessage, probe: SignedMessage) -> bytes:
    """The key holder's receipt that the template is sound, and of one embedding with the probe."""
    header, ingest_key = message.header, room.gallery.keys.probes
    judged = registration_evidence(
        message.body,
        probe.body,
        masks=evidence.masks(challenge=header.challenge.hex(), key_fp=header.key_fp.hex(), purpose="enrol"),
        probe_masks=prepare(ingest_key, purpose="verify"),
    )
    receipt = keyholding.keyholder().gallery_register(
        header=message.header_bytes, signature=message.signature, evidence=judged
    )
    if Receipt.parse(receipt).outcome is not Outcome.ACCEPTED:
        raise PersonNotAccepted(receipt=encode(receipt))
    return receipt


def _store(kiosk: Kiosk, message: SignedMessage, *, name: str, receipt: bytes, replaces: str | None) -> Member:
    kept = {} if replaces is None else {"person": replaces}
    with transaction.atomic():
        if replaces is not None:  # before the gallery is locked, as everywhere: see DjangoTruth
            take_out(kiosk, replaces)
        if not Gallery.objects.select_for_update().filter(pk=kiosk.gallery_id, state=Gallery.State.OPEN).exists():
            raise NotFound
        member = Member.objects.create(gallery=kiosk.gallery, name=name, **kept)
        Registration.objects.create(
            member=member,
            kiosk=kiosk,
            data=message.body,
            key_fp=message.header.key_fp.hex(),
            header_hash=sha256(message.header_bytes).hex(),
            header=message.header_bytes,
            signature=message.signature,
            receipt=receipt,
        )
    return member
