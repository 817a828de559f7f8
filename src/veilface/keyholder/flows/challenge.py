"""Issuing a challenge: what may be asked of whom, and under which key."""

from veilface.keyholder import challenges, devices, epochs, receipts
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
    epoch = _begin_epoch(office, account, device, suite) if suite else _epoch_to_name(office, type_, account, device)
    now_ms = office.clock()
    challenge = challenges.issue(
        key=office.challenge_key,
        subject=challenges.Subject(type=type_, account=account, device=device, context_hash=context_hash),
        now_ms=now_ms,
    )
    expires_ms = challenges.expiry_ms(challenge)
    if epoch is None:
        return Grant(challenge=challenge, expires_ms=expires_ms)
    if epoch.sealed:
        office.unsealed.get(epoch)  # so that the answer to the challenge need not wait for it
    return Grant(
        challenge=challenge,
        expires_ms=expires_ms,
        key_cert=receipts.certify(epoch, key=office.key, now_ms=now_ms),
        key_fp=epoch.key_fp,
        epoch=epoch.number,
        suite=epoch.suite,
        template_hash=epoch.template_hash,
    )


def _epoch_to_name(office: Office, type_: MessageType, account: bytes, device: bytes) -> Epoch | None:
    """The key a challenge of this type goes with: none, or the current one."""
    match type_:
        case MessageType.DEVICE:
            with office.store.reading() as db:
                devices.exists(db, account)  # a forgotten account gets no device
            return None
        case MessageType.REVOKE | MessageType.VERIFY | MessageType.PAY | MessageType.DELETE:
            with office.store.reading() as db:
                devices.require_active(db, account=account, device=device, now_ms=office.clock())
                return None if type_ is MessageType.REVOKE else epochs.current(db, account)
        case _:
            raise Malformed(field="type", got=int(type_), expected="10, 11, 12, 15, 16, 17")


def _begin_epoch(office: Office, account: bytes, device: bytes, suite: Suite) -> Epoch:
    with office.store.reading() as db:  # before the work of making a key, and again when it is made
        devices.require_active(db, account=account, device=device, now_ms=office.clock())
    key = protection_of(suite).generate_key()
    with office.store.transaction() as db:
        now_ms = office.clock()
        devices.require_active(db, account=account, device=device, now_ms=now_ms)
        return epochs.begin(db, account=account, suite=suite, key=key, kek=office.kek, now_ms=now_ms)
