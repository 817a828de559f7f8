"""Issuing a challenge: what may be asked of whom, and under which key."""

from dataclasses import replace
from sqlite3 import Connection

from veilface.keyholder import challenges, devices, epochs, galleries, receipts
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.errors import Malformed
from veilface.keyholder.messages import Grant
from veilface.keyholder.office import Office
from veilface.protect.envelope import MessageType
from veilface.protect.scheme import protection_of
from veilface.protect.suites import Suite


def issue(
    office: Office, *, type_: MessageType, account: bytes, device: bytes, context_hash: bytes, suite: Suite | None
) -> Grant:
    """See ``KeyHolderApi.issue_challenge``."""
    if (suite is not None) != (type_ is MessageType.ENROL):
        raise Malformed(field="suite", got=suite or 0, expected="10: 1, 3, 4; else: 0")
    if suite:
        named: Epoch | bytes | None = _begin_epoch(office, account, device, suite)
    else:
        named = _key_to_name(office, type_, account, device)
    now_ms = office.clock()
    challenge = challenges.issue(
        key=office.challenge_key,
        subject=challenges.Subject(type=type_, account=account, device=device, context_hash=context_hash),
        now_ms=now_ms,
    )
    grant = Grant(challenge=challenge, expires_ms=challenges.expiry_ms(challenge))
    match named:
        case None:
            return grant
        case bytes():
            return replace(
                grant,
                key_cert=receipts.certify_gallery(account, named, key=office.key, now_ms=now_ms),
                key_fp=named,
                epoch=receipts.INGEST_EPOCH,
                suite=Suite.HOMOMORPHIC,
            )
        case Epoch():
            if named.sealed and type_ is not MessageType.GALLERY_OPT_IN:
                office.unsealed.get(named)  # so that the answer to the challenge need not wait for it
            return replace(
                grant,
                key_cert=receipts.certify(named, key=office.key, now_ms=now_ms),
                key_fp=named.key_fp,
                epoch=named.number,
                suite=named.suite,
                template_hash=named.template_hash,
            )


def _key_to_name(office: Office, type_: MessageType, account: bytes, device: bytes) -> Epoch | bytes | None:
    """The key a challenge of this type goes with: none, the current one, or the fingerprint of an ingest key."""
    with office.store.reading() as db:
        if type_ is MessageType.DEVICE:
            devices.exists(db, account)  # a forgotten account gets no device
            return None
        ingest = _ingest_key(db, type_, account)
        devices.require_active(db, account=account, device=device, now_ms=office.clock())
        if ingest or type_ is MessageType.REVOKE:
            return ingest
        return epochs.current(db, account)


def _ingest_key(db: Connection, type_: MessageType, account: bytes) -> bytes | None:
    """The ingest key a kiosk's message is under: that of a search, and of an opt-in where the account is a gallery."""
    if type_ is MessageType.IDENTIFY or (type_ is MessageType.GALLERY_OPT_IN and galleries.exists(db, account)):
        return galleries.key_fp(db, account)
    return None


def _begin_epoch(office: Office, account: bytes, device: bytes, suite: Suite) -> Epoch:
    with office.store.reading() as db:  # before the work of making a key, and again when it is made
        galleries.require_none(db, account)
        devices.require_active(db, account=account, device=device, now_ms=office.clock())
    key = protection_of(suite).generate_key()
    with office.store.transaction() as db:
        now_ms = office.clock()
        devices.require_active(db, account=account, device=device, now_ms=now_ms)
        return epochs.begin(db, account=account, suite=suite, key=key, kek=office.kek, now_ms=now_ms)
