"""The wall's only door: what anybody outside may ask of a key holder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from veilface.keyholder.messages import AccountStatus, DeviceRecord, Grant, Identity, SignedHead
    from veilface.protect.envelope import MessageType


class KeyHolderApi(Protocol):
    """The same questions, whether the key holder is in this process or behind mutual TLS.

    Headers are 256 B, signatures 64 B raw ``r‖s``, account and device ids 16 B, receipts 192 B (protocol §4).
    Every method may raise :class:`~veilface.keyholder.errors.Unavailable`: then nothing was decided. Every
    :class:`~veilface.keyholder.errors.Refused` means that nothing was changed.
    """

    def identity(self) -> Identity:
        """The key that signs certificates and receipts."""
        ...

    def register_device(self, *, header: bytes, signature: bytes, public_key: bytes) -> DeviceRecord:
        """Add the device whose key (65 B) signed ``header`` (type 17), proving possession.

        An account's first device is active at once; a further one after 24 h, or when an active device approves it.
        The same registration repeated answers with the record that exists.
        """
        ...

    def approve_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        """Make the pending ``device_id`` active, by the word of an active device (type 17)."""
        ...

    def revoke_device(self, *, header: bytes, signature: bytes, device_id: bytes) -> DeviceRecord:
        """Make ``device_id`` unusable at once, by the word of an active device (type 15)."""
        ...

    def issue_challenge(self, *, type: MessageType, account: bytes, device: bytes, context_hash: bytes) -> Grant:  # noqa: A002
        """A challenge for one message, good for 90 s; for enrolment also a fresh key, for verification the current one.

        Raises ``NotEnrolled`` for a verification or deletion without a current template.
        """
        ...

    def public_key(self, key_fp: bytes) -> bytes:
        """The public key (98,304 B) whose SHA-256 is ``key_fp``; raises ``StaleKey`` when it was erased."""
        ...

    def enrol(self, *, header: bytes, signature: bytes, norm: bytes, range_: bytes) -> bytes:
        """Judge a template's evidence; the receipt. An accepted epoch waits for :meth:`activate`."""
        ...

    def activate(self, *, account: bytes, epoch: int, template_hash: bytes) -> None:
        """Make the accepted epoch current and erase the older key. Repeating it changes nothing."""
        ...

    def verify(self, *, header: bytes, signature: bytes, score: bytes, norm: bytes, range_: bytes) -> bytes:
        """Judge a probe's evidence against the current template; the receipt."""
        ...

    def delete(self, *, header: bytes, signature: bytes) -> bytes:
        """Erase the account's keys by the word of an active device (type 16); the receipt."""
        ...

    def forget_account(self, *, account: bytes) -> bytes:
        """Erase the account's keys and devices by order of the operator; the receipt. Its id is never used again."""
        ...

    def account_status(self, account: bytes) -> AccountStatus:
        """What is current for the account; raises ``UnknownAccount``."""
        ...

    def audit_head(self) -> SignedHead:
        """The signed head of the audit log, to be kept by others."""
        ...
