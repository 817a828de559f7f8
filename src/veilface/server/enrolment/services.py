"""Enrolment and deletion of templates: the key holder decides, the old template works until the new one does."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from veilface.keyholder.errors import ActivationStale, Unavailable, WrongTemplate
from veilface.match.evidence import enrol_evidence
from veilface.protect.envelope import (
    HEADER_BYTES,
    LABEL_DELETE,
    LABEL_ENROL,
    SIGNATURE_BYTES,
    MessageType,
    Outcome,
    Receipt,
    SignedMessage,
    sha256,
    split_message,
)
from veilface.protect.scheme import TEMPLATE_BYTES, OpenProtection, protection, protection_of, protections
from veilface.server import keyholding, relaying
from veilface.server.accounts import devices, messages
from veilface.server.accounts.models import Account, Device
from veilface.server.base64url import encode
from veilface.server.enrolment import challenges, evidence, settling
from veilface.server.enrolment.models import Challenge, Deletion, Template
from veilface.server.errors import EnrolmentPaused, NotFound, TemplateNotAccepted, TemplateStays
from veilface.server.galleries import leaving

BODILESS_BYTES: Final = HEADER_BYTES + SIGNATURE_BYTES
TEMPLATE_LENGTHS: Final = frozenset(TEMPLATE_BYTES.values())
SEALED_LENGTHS: Final = frozenset(
    known.template_bytes for known in protections() if not isinstance(known, OpenProtection)
)
KEY_LENGTHS: Final = frozenset(known.key_bytes for known in protections())
ENROLMENT_LENGTHS: Final = frozenset(BODILESS_BYTES + length for length in TEMPLATE_LENGTHS)
DELETION_LENGTHS: Final = frozenset({BODILESS_BYTES})
ASSUMED_WAIT_S: Final = 30  # the shortest pause the key holder makes (protocol §7)


@dataclass(frozen=True, kw_only=True)
class CheckedMessage:
    """A message that may be judged: signed by an active device, in context, its challenge now spent."""

    message: SignedMessage
    challenge: Challenge
    device: Device


def enrol(account: Account, *, data: bytes, binding: bytes) -> Template:
    """Store ``H ‖ signature ‖ T`` as the account's template, if the key holder accepts it.

    The same message again answers with the template it made. Whatever is raised, the template before still works, or
    a later enrolment's does (:class:`ActivationStale`).
    """
    message = split_message(data, body_bytes=TEMPLATE_BYTES)
    if made := _made_by(account, message):
        return made
    context = messages.session_context(LABEL_ENROL, binding)
    checked = check(account, message, type_=MessageType.ENROL, context=context)
    challenge = checked.challenge
    masks = partial(evidence.masks, challenge=challenge.challenge, key_fp=challenge.key_fp, purpose="enrol")
    proof = enrol_evidence(protection_of(message.header.suite), message.body, masks=masks)
    receipt = keyholding.keyholder().enrol(header=message.header_bytes, signature=message.signature, evidence=proof)
    _require_accepted(account, receipt)
    with relaying.carrying(receipt):
        template = _store(account, checked, receipt)
        _activate(account, template)
        _finish(account, template)
    return template


def delete(account: Account, *, template_id: str, data: bytes, binding: bytes) -> bytes:
    """Have the template's key erased by ``H ‖ signature`` (320 B), then delete the row; the receipt.

    The same deletion again answers with the same receipt.
    """
    message = split_message(data, body_bytes=0)
    if done := Deletion.objects.filter(account=account, template_id=template_id).first():
        return bytes(done.receipt)
    template = Template.objects.filter(account=account, id=template_id).defer("data").first()
    if template is None:
        raise NotFound
    if message.header.template_hash.hex() != template.template_hash:
        raise WrongTemplate
    check(account, message, type_=MessageType.DELETE, context=messages.session_context(LABEL_DELETE, binding))
    with transaction.atomic():
        Template.objects.filter(pk=template.pk).update(state=Template.State.DELETING)
        leaving.leave_all(account)
    receipt = keyholding.keyholder().delete(header=message.header_bytes, signature=message.signature)
    with relaying.unimportant("remove_template"):  # its key is erased; the row is left to the next settling
        _remove(account, template_id=template_id, receipt=receipt)
    return receipt


def current(account: Account) -> Template | None:
    """The account's template, without its ciphertext; leftovers are settled first where the key holder answers."""
    with suppress(Unavailable):
        settling.settle_by_asking(account)
    return readable(account).defer("data").first()


def readable(account: Account) -> QuerySet[Template]:
    """The account's templates that took effect."""
    return account.templates.exclude(state=Template.State.STORED)


def shown(account: Account, *, template_id: str) -> bytes:
    """A template for its owner to look at.

    Raises :class:`NotFound`, and :class:`TemplateStays` where it scores in the open: there a template is as good as a
    probe, and whoever holds a session but no token could answer with it.
    """
    row = readable(account).filter(id=template_id).first()
    if row is None:
        raise NotFound
    if isinstance(protection(row.scheme), OpenProtection):
        raise TemplateStays
    return bytes(row.data)


def check(account: Account, message: SignedMessage, *, type_: MessageType, context: bytes) -> CheckedMessage:
    """Everything that can be known to be wrong before anything is computed; spends the challenge last."""
    header = message.header
    messages.check_addressed(header, type_=type_, account=account)
    messages.check_context(header.context_hash, expected=context)
    if type_ != MessageType.DELETE:  # a template made under an older contract must be deletable
        messages.check_contract(header)
    device = messages.check_signed(
        header, header_bytes=message.header_bytes, signature=message.signature, account=account
    )
    checked = CheckedMessage(message=message, challenge=challenges.take(account, header), device=device)
    with relaying.unimportant("note_use"):  # before the decision: a slow database must not hold a receipt back
        devices.note_use(device)
    return checked


def retry_after_s(account: Account) -> int:
    """Seconds until the key holder judges the account's next attempt; a guess where it no longer answers."""
    retry_at_ms: int | None = messages.now_ms() + ASSUMED_WAIT_S * 1000
    with relaying.unimportant("retry_after"):
        retry_at_ms = keyholding.keyholder().account_status(account.wire_id).retry_at_ms
    return 0 if retry_at_ms is None else max(1, -((messages.now_ms() - retry_at_ms) // 1000))


def _made_by(account: Account, message: SignedMessage) -> Template | None:
    made = account.templates.filter(state=Template.State.ACTIVE, header_hash=sha256(message.header_bytes).hex())
    return made.defer("data").first()


def _require_accepted(account: Account, receipt: bytes) -> None:
    outcome = Receipt.parse(receipt).outcome
    if outcome is Outcome.RETRY_LATER:
        raise EnrolmentPaused(retry_after_s=retry_after_s(account), receipt=encode(receipt))
    if outcome is not Outcome.ACCEPTED:
        raise TemplateNotAccepted(receipt=encode(receipt))


def _store(account: Account, checked: CheckedMessage, receipt: bytes) -> Template:
    header = checked.message.header
    return Template.objects.create(
        account=account,
        scheme=protection_of(header.suite).name,
        data=checked.message.body,
        template_hash=header.body_hash.hex(),
        key_fp=header.key_fp.hex(),
        model_fp=header.model_fp.hex(),
        epoch=checked.challenge.epoch,
        header_hash=sha256(checked.message.header_bytes).hex(),
        receipt=receipt,
    )


def _activate(account: Account, template: Template) -> None:
    try:
        keyholding.keyholder().activate(
            account=account.wire_id, epoch=template.epoch, template_hash=bytes.fromhex(template.template_hash)
        )
    except ActivationStale:
        # Another enrolment of this account was accepted meanwhile: it wins, this one never counted.
        template.delete()
        raise


def _finish(account: Account, template: Template) -> None:
    """Make the row say what the key holder says; where it cannot be written, the next request settles it.

    Raises :class:`ActivationStale` when the row is gone: a later enrolment replaced it, or a deletion took it.
    """
    current = True
    with relaying.unimportant("finish_enrolment"), transaction.atomic():
        Account.objects.select_for_update().filter(pk=account.pk).first()
        current = settling.make_active(template)
    if not current:
        raise ActivationStale
    template.state = Template.State.ACTIVE


def _remove(account: Account, *, template_id: str, receipt: bytes) -> None:
    """Delete every template of the account: the key holder erased all its keys."""
    with transaction.atomic():
        Deletion.objects.create(account=account, template_id=template_id, receipt=receipt)
        Template.objects.filter(account=account).delete()
