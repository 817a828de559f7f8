"""A gallery's life: made and erased by the operator's order; joined and left by people's own signature."""

from sqlite3 import Connection

from veilface.keyholder import audit, devices, epochs, galleries, gallery_limits, gallery_members, receipts
from veilface.keyholder.admission import Message
from veilface.keyholder.audit import Cause, Entry, Event
from veilface.keyholder.decide import Evidence, judge
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.errors import Refused, StaleKey, WrongContract, WrongSuite, WrongTemplate
from veilface.keyholder.gallery_errors import WrongSubject
from veilface.keyholder.gallery_keys import EPOCHS
from veilface.keyholder.gallery_messages import REGISTER_EVIDENCE_BYTES
from veilface.keyholder.messages import digest, exactly
from veilface.keyholder.office import Office
from veilface.keyholder.store import insert
from veilface.protect import envelope
from veilface.protect.envelope import ZERO_ID, MessageType, Outcome
from veilface.protect.gallery import EpochKeys
from veilface.protect.rlwe import NORM_BYTES, RANGE_BYTES, SecretKey
from veilface.protect.suites import Suite


def create(office: Office, *, gallery: bytes, epoch: int) -> EpochKeys:
    """See ``GalleryApi.gallery_create``."""
    with office.store.transaction() as db:
        if not galleries.exists(db, gallery):
            if devices.exists(db, gallery):
                raise WrongSubject
            insert(db, "accounts", id=gallery)
            _write_down(office, db, gallery, Event.GALLERY_CREATE)
        office.galleries.keys.make(db, gallery, epoch)
    return office.galleries.office(gallery).create(epoch)


def erase_before(office: Office, *, gallery: bytes, epoch: int) -> None:
    """See ``GalleryApi.gallery_erase_before``."""
    keys = office.galleries.office(gallery)
    keys.desk(epoch)
    with office.store.transaction() as db:
        if office.galleries.keys.has_before(db, gallery, epoch):
            _write_down(office, db, gallery, Event.GALLERY_ERASE)
    keys.erase_before(epoch)
    _let_go(office, gallery, before=epoch)


def forget(office: Office, *, gallery: bytes) -> None:
    """See ``GalleryApi.gallery_forget``."""
    with office.store.transaction() as db:
        now_ms = office.clock()
        if devices.is_forgotten(db, gallery):
            return
        galleries.key_fp(db, gallery)
        office.galleries.keys.forget(db, gallery)
        devices.forget(db, account=gallery, now_ms=now_ms)
        gallery_limits.forget(db, gallery=gallery)
        _write_down(office, db, gallery, Event.GALLERY_FORGET)
    office.galleries.drop(gallery)
    _let_go(office, gallery, before=EPOCHS)
    office.store.scrub()


def _let_go(office: Office, gallery: bytes, *, before: int) -> None:
    """Let no erased key stay in memory for what is under way."""
    office.searches.drop(gallery, before=before)
    office.packs.drop(gallery, before=before)


# --- people ----------------------------------------------------------------------------------------------


def opt_in(office: Office, *, header: bytes, signature: bytes) -> bytes:
    """See ``GalleryApi.gallery_opt_in``."""
    message = Message.parse(header, signature, MessageType.GALLERY_OPT_IN)
    message.require_no_body()
    with office.store.transaction() as db:
        now_ms = office.clock()
        gallery = galleries.named_by(db, message.header.context_hash, "in")
        epoch, public_key = _joining(db, message, now_ms)
        if message.header.model_fp != office.model_fps[epoch.suite] or epoch.model_fp != message.header.model_fp:
            raise WrongContract
        office.admit(db, message, public_key=public_key, now_ms=now_ms)
        gallery_members.join(db, gallery=gallery, account=message.account, key_fp=epoch.key_fp, now_ms=now_ms)
        answer = receipts.answer(message, message.header.template_hash, outcome=Outcome.ACCEPTED)
        return receipts.issue(db, answer, key=office.key, now_ms=now_ms)


def opt_out(office: Office, *, header: bytes, signature: bytes) -> bytes:
    """See ``GalleryApi.gallery_opt_out``. The header's model_fp plays no part: one can always leave."""
    message = Message.parse(header, signature, MessageType.GALLERY_OPT_IN)
    message.require_no_body()
    with office.store.transaction() as db:
        now_ms = office.clock()
        gallery = galleries.named_by(db, message.header.context_hash, "out")
        _, public_key = _joining(db, message, now_ms)
        office.admit(db, message, public_key=public_key, now_ms=now_ms)
        gallery_members.leave(db, gallery=gallery, account=message.account)
        answer = receipts.answer(message, message.header.template_hash, outcome=Outcome.ACCEPTED)
        return receipts.issue(db, answer, recorded_as=Event.GALLERY_LEAVE, key=office.key, now_ms=now_ms)


def drop(office: Office, *, gallery: bytes, account: bytes) -> None:
    """See ``GalleryApi.gallery_drop``."""
    with office.store.transaction() as db:
        if devices.is_forgotten(db, gallery):
            return
        galleries.key_fp(db, gallery)
        if gallery_members.leave(db, gallery=gallery, account=account):
            _write_down(office, db, account, Event.GALLERY_LEAVE, about=gallery)


def revoke_kiosk(office: Office, *, gallery: bytes, device_id: bytes) -> None:
    """See ``GalleryApi.gallery_revoke_kiosk``."""
    with office.store.transaction() as db:
        if devices.is_forgotten(db, gallery):
            return
        galleries.key_fp(db, gallery)  # an account's devices are revoked by their owner's signature alone
        now_ms = office.clock()
        if devices.find(db, account=gallery, device=device_id, now_ms=now_ms).record.state != "revoked":
            devices.revoke(db, account=gallery, device=device_id, now_ms=now_ms)
            _write_down(office, db, gallery, Event.KIOSK_REVOKE, about=device_id)


def _joining(db: Connection, message: Message, now_ms: int) -> tuple[Epoch, bytes]:
    """The key and template that the message must name, and the key (65 B) of the device that signs."""
    galleries.require_none(db, message.account)
    device = devices.require_active(db, account=message.account, device=message.device, now_ms=now_ms)
    epoch = epochs.current(db, message.account)
    if message.header.key_fp != epoch.key_fp:
        raise StaleKey
    if message.header.suite is not epoch.suite or epoch.suite is not Suite.HOMOMORPHIC:
        raise WrongSuite
    if message.header.template_hash != epoch.template_hash:
        raise WrongTemplate
    return epoch, device.public_key


# --- a person whom a kiosk registers ---------------------------------------------------------------------


def register(office: Office, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
    """See ``GalleryApi.gallery_register``."""
    message = Message.parse(header, signature, MessageType.GALLERY_OPT_IN)
    gallery = message.account
    message.require_context(envelope.gallery_context(gallery, "register"))
    message.require_no_template()
    exactly(evidence, REGISTER_EVIDENCE_BYTES, "evidence")
    template = Evidence.split(evidence[: NORM_BYTES + RANGE_BYTES])
    searched = Evidence.split(evidence[NORM_BYTES + RANGE_BYTES :])
    with office.stage("reserve"), office.store.transaction() as db:
        reserve(office, db, message, now_ms=office.clock())
    key = SecretKey.unpack(office.galleries.keys.ingest_key(gallery).secret)
    cause = judge(key, template) | judge(key, searched)
    with office.stage("record"), office.store.transaction() as db:
        now_ms = office.clock()
        cause |= superseded(db, gallery, message.device, now_ms)
        answer = receipts.answer(
            message,
            message.header.body_hash,
            outcome=Outcome.ACCEPTED if cause is Cause.NONE else Outcome.NOT_ACCEPTED,
            cause=cause,
        )
        return receipts.issue(db, answer, recorded_as=Event.GALLERY_REGISTER, key=office.key, now_ms=now_ms)


def reserve(office: Office, db: Connection, message: Message, *, now_ms: int) -> int:
    """Steps 2 to 4 of protocol §7 for a kiosk's message; the id of its row."""
    ingest = galleries.key_fp(db, message.account)
    device = devices.require_active(db, account=message.account, device=message.device, now_ms=now_ms)
    if message.header.key_fp != ingest:
        raise StaleKey
    if message.header.suite is not Suite.HOMOMORPHIC:
        raise WrongSuite
    if message.header.model_fp != office.model_fps[Suite.HOMOMORPHIC]:
        raise WrongContract
    office.admit(db, message, public_key=device.public_key, now_ms=now_ms)
    return gallery_limits.reserve(
        db,
        gallery=message.account,
        device=message.device,
        type_=message.header.type,
        header_hash=message.digest,
        policy=office.policy,
        now_ms=now_ms,
    )


def superseded(db: Connection, gallery: bytes, device: bytes, now_ms: int, *, epoch: int = EPOCHS) -> Cause:
    """Whether the kiosk was revoked, or gallery or epoch erased, while its message was being worked on."""
    try:
        galleries.require_epoch(db, gallery, epoch)
        devices.require_active(db, account=gallery, device=device, now_ms=now_ms)
    except Refused:
        return Cause.SUPERSEDED
    return Cause.NONE


def _write_down(office: Office, db: Connection, account: bytes, event: Event, *, about: bytes = b"") -> None:
    entry = Entry(
        time_ms=office.clock(),
        header_hash=digest(b"VFORDER" + bytes([event]) + account + about),
        account=account,
        device=ZERO_ID,
        type=event,
        decision=Outcome.ACCEPTED,
    )
    audit.append(db, entry, key=office.key)
