"""The key holder without a network: every verb of :class:`~veilface.keyholder.client.KeyHolderApi`, in this process.

A request walks through protocol §7 in order. What is refused is refused inside a transaction that is then rolled
back, so nothing changed. What is judged is written down first (challenge spent, attempt reserved), then opened
without holding the database, then recorded with its receipt in one transaction. A crash between the two leaves the
attempt reserved, which counts as a failure and is closed at the next start.
"""

import fcntl
import os
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Final, Self

from veilface.keyholder import audit, devices, epochs, limits
from veilface.keyholder.client import PUBLIC_KEY_FILE
from veilface.keyholder.errors import KeyHolderAlreadyRunning, KeyHolderMisconfigured
from veilface.keyholder.flows import challenge, device, judgement, lifecycle
from veilface.keyholder.gallery_door import GalleryDoor
from veilface.keyholder.keys import KeyEncryptionKey, SigningKey, kek_path
from veilface.keyholder.limits import Policy
from veilface.keyholder.messages import AccountStatus, DeviceRecord, Grant, Identity, SignedHead, exactly
from veilface.keyholder.office import Clock, Observer, Office, system_clock_ms
from veilface.keyholder.store import FILE_NAME, Store, translated_errors
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import HASH_BYTES, ID_BYTES, PUBLIC_POINT_BYTES, ZERO_ID, MessageType
from veilface.protect.scheme import protections
from veilface.protect.suites import Suite

LOCK_FILE: Final = "keyholder.lock"


def initialise(data: Path, *, kek_file: Path | None = None) -> Identity:
    """Make the folder (0700), the database and the keys of a key holder; what exists already is kept.

    ``kek_file`` – where the key-encryption key goes, by default where the environment says or beside the database.
    Raises ``KeyHolderMisconfigured`` when a database exists and the key that opens it does not.
    """
    with translated_errors():
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        kek_file = kek_file or kek_path(data)
        if kek_file.exists() or (data / FILE_NAME).exists():
            kek = KeyEncryptionKey.load(kek_file)
        else:
            kek = KeyEncryptionKey.create(kek_file)
        with closing(Store(data, create=True)) as store:
            key = SigningKey.create(store, kek)
        (data / PUBLIC_KEY_FILE).write_text(key.public_key.hex() + "\n", "ascii")
    return Identity(public_key=key.public_key)


class KeyHolder(GalleryDoor):
    """One key holder over one data folder, which it locks against a second one. Safe to call from many threads.

    What each method means and raises is said once, in :class:`~veilface.keyholder.client.KeyHolderApi`; galleries are
    behind a door of their own.
    """

    def __init__(
        self,
        data: Path,
        *,
        kek_file: Path | None = None,
        clock: Clock = system_clock_ms,
        observe: Observer = lambda _stage, _seconds: None,
        policy: Policy | None = None,
        model_fps: Mapping[Suite, bytes] | None = None,
    ) -> None:
        """Open what :func:`initialise` made; raises ``KeyHolderMisconfigured`` or ``KeyHolderAlreadyRunning``.

        ``clock`` – Unix time in ms. ``model_fps`` – the embedding contract and threshold (32 B) accepted of each
        protection, by default those of this release.
        """
        kek = KeyEncryptionKey.load(kek_file or kek_path(data))
        with ExitStack() as opened:
            opened.enter_context(_lock(data))
            store = opened.enter_context(closing(Store(data)))
            self._office = Office(
                store=store,
                kek=kek,
                key=SigningKey.load(store, kek),
                clock=clock,
                observe=observe,
                policy=policy or Policy(),
                model_fps=model_fps or {known.suite: model_fp(known.name) for known in protections()},
            )
            opened.callback(self._office.unsealed.close)
            with store.transaction() as db:
                self._office.close_interrupted(db, before_ms=None, now_ms=clock())
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder. Doing it again does no harm."""
        self._opened.close()

    def identity(self) -> Identity:
        return Identity(public_key=self._office.key.public_key)

    def public_key(self, key_fp: bytes) -> bytes:
        exactly(key_fp, HASH_BYTES, "key_fp")
        with self._office.store.reading() as db:
            return epochs.public_key(db, key_fp)

    def audit_head(self) -> SignedHead:
        with self._office.store.transaction() as db:
            return audit.tip(db) or audit.first_head(db, time_ms=self._office.clock(), key=self._office.key)

    def account_status(self, account: bytes) -> AccountStatus:
        exactly(account, ID_BYTES, "account")
        policy, now_ms = self._office.policy, self._office.clock()
        with self._office.store.reading() as db:
            devices.require_account(db, account)
            current = epochs.find(db, account, "current")
            records = devices.every(db, account=account, now_ms=now_ms)
            able = [record.device_id for record in records if record.state == "active"] or [ZERO_ID]
            standings = [limits.standing(db, account=account, device=one, policy=policy, now_ms=now_ms) for one in able]
        return AccountStatus(
            epoch=current.number if current else None,
            key_fp=current.key_fp if current else None,
            template_hash=current.template_hash if current else None,
            devices=records,
            disabled=all(standing.disabled for standing in standings),
            retry_at_ms=max(standing.retry_at_ms or 0 for standing in standings) or None,
        )

    def issue_challenge(
        self,
        *,
        type: MessageType,  # noqa: A002 – the field's name in protocol §4
        account: bytes,
        device: bytes,
        context_hash: bytes,
        suite: Suite | None = None,
    ) -> Grant:
        exactly(account, ID_BYTES, "account")
        exactly(device, ID_BYTES, "device")
        exactly(context_hash, HASH_BYTES, "context_hash")
        return challenge.issue(
            self._office, type_=type, account=account, device=device, context_hash=context_hash, suite=suite
        )

    def register_device(self, *, header: bytes, signature: bytes, public_key: bytes) -> DeviceRecord:
        exactly(public_key, PUBLIC_POINT_BYTES, "public_key")
        return device.register(self._office, header=header, signature=signature, public_key=public_key)

    def approve_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        exactly(device_id, ID_BYTES, "device_id")
        return device.approve(self._office, header=header, signature=signature, device_id=device_id)

    def revoke_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        exactly(device_id, ID_BYTES, "device_id")
        return device.revoke(self._office, header=header, signature=signature, device_id=device_id)

    def enrol(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        return judgement.enrol(self._office, header=header, signature=signature, evidence=evidence)

    def activate(self, *, account: bytes, epoch: int, template_hash: bytes) -> None:
        exactly(account, ID_BYTES, "account")
        exactly(template_hash, HASH_BYTES, "template_hash")
        lifecycle.activate(self._office, account=account, epoch=epoch, template_hash=template_hash)

    def verify(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        return judgement.verify(self._office, header=header, signature=signature, evidence=evidence)

    def delete(self, *, header: bytes, signature: bytes) -> bytes:
        return lifecycle.delete(self._office, header=header, signature=signature)

    def forget_account(self, *, account: bytes) -> bytes:
        exactly(account, ID_BYTES, "account")
        return lifecycle.forget_account(self._office, account=account)


def _lock(data: Path) -> IO[bytes]:
    """Hold the folder for as long as the file is open; the lock goes with the process, however it ends."""
    try:
        file = os.fdopen(os.open(data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600), "rb")
    except OSError as error:
        raise KeyHolderMisconfigured(path=str(data)) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise KeyHolderAlreadyRunning(path=str(data)) from error
    return file
