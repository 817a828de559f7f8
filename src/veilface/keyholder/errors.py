"""Everything the key holder refuses, one class a reason.

::

    KeyHolderError
    ├── Refused                    the request is wrong; nothing was changed or counted (protocol §7, steps 1–4)
    │   ├── Malformed              wrong length, magic, suite, type, reserved bytes, residue, or body hash
    │   ├── UnknownAccount · AccountForgotten · UnknownDevice · DeviceNotActive · DeviceKnown · TooManyDevices
    │   ├── NotEnrolled · StaleKey · WrongSuite · WrongContract · WrongTemplate · ActivationStale
    │   ├── ChallengeForged · ChallengeExpired · ChallengeReplayed
    │   └── BadSignature
    ├── Unavailable                nothing was decided; try again
    │   ├── KeyHolderUnavailable   no answer, or not one of the pinned key holder
    │   ├── KeyHolderBusy          it is already working on as much as it may
    │   ├── KeyHolderStorageFull   it cannot record, so it does not decide
    │   └── KeyHolderStorageFailed
    ├── KeyHolderAddressTaken      it cannot listen where it should
    ├── KeyHolderAlreadyRunning    another process works on the same data folder
    ├── KeyHolderMisconfigured     its data folder, key file or certificates are missing or do not fit
    └── AuditTampered              a record was changed, removed or added by another hand

A failure of the decision itself (range, norm, sign) is never an exception: it is a receipt of class 1.
"""

from typing import ClassVar

from veilface.errors import VeilfaceError


class KeyHolderError(VeilfaceError):
    """The root of this package's errors; ``status`` is the HTTP status the service answers with."""

    code: ClassVar[str] = "keyholder.failed"
    status: ClassVar[int] = 500


class Refused(KeyHolderError):
    """The request was refused before anything was decided, and nothing was changed."""

    code = "keyholder.refused"
    status = 400


class Malformed(Refused):
    """The bytes are not what the protocol says; ``got`` and ``expected`` name the difference."""

    code = "keyholder.malformed"


class UnknownAccount(Refused):
    """No device was ever registered for this account."""

    code = "keyholder.unknown_account"
    status = 404


class AccountForgotten(Refused):
    """The account was erased; its identifier is never used again."""

    code = "keyholder.account_forgotten"
    status = 410


class UnknownDevice(Refused):
    """The account has no such device."""

    code = "keyholder.unknown_device"
    status = 404


class DeviceNotActive(Refused):
    """The device is revoked, or still waits to become active."""

    code = "keyholder.device_not_active"
    status = 403


class DeviceKnown(Refused):
    """The device identifier is taken, by another key or by a revoked device."""

    code = "keyholder.device_known"
    status = 409


class TooManyDevices(Refused):
    """The account has as many devices as it may have (``limit``)."""

    code = "keyholder.too_many_devices"
    status = 409


class NotEnrolled(Refused):
    """The account has no current template."""

    code = "keyholder.not_enrolled"
    status = 409


class StaleKey(Refused):
    """The message names a key that is not the current one."""

    code = "keyholder.stale_key"
    status = 409


class WrongSuite(Refused):
    """The message is of another protection than the key it names."""

    code = "keyholder.wrong_suite"
    status = 409


class WrongContract(Refused):
    """The message was made with other models, another preprocessing or another threshold."""

    code = "keyholder.wrong_contract"
    status = 409


class WrongTemplate(Refused):
    """The message names a template that is not the current one."""

    code = "keyholder.wrong_template"
    status = 409


class ActivationStale(Refused):
    """The epoch to activate is neither the accepted one that waits nor the current one."""

    code = "keyholder.activation_stale"
    status = 409


class ChallengeForged(Refused):
    """The challenge was not issued here for this account, device, purpose and context."""

    code = "keyholder.challenge_forged"
    status = 403


class ChallengeExpired(Refused):
    """The challenge is older than its lifetime."""

    code = "keyholder.challenge_expired"
    status = 403


class ChallengeReplayed(Refused):
    """The challenge was used before."""

    code = "keyholder.challenge_replayed"
    status = 409


class BadSignature(Refused):
    """The signature is not the named device's over these bytes."""

    code = "keyholder.bad_signature"
    status = 403


class Unavailable(KeyHolderError):
    """Nothing was decided; the same request may be made again with a new challenge."""

    code = "keyholder.unavailable"
    status = 503


class KeyHolderUnavailable(Unavailable):
    """No answer came in time, or it did not come from the pinned key holder."""

    code = "keyholder.unreachable"


class KeyHolderBusy(Unavailable):
    """As many requests are in work as may be."""

    code = "keyholder.busy"


class KeyHolderStorageFull(Unavailable):
    """The disk is full: what cannot be recorded is not decided."""

    code = "keyholder.storage_full"


class KeyHolderStorageFailed(Unavailable):
    """The database cannot be read or written: what cannot be recorded is not decided."""

    code = "keyholder.storage_failed"


class KeyHolderAddressTaken(KeyHolderError):
    """``host`` and ``port`` are in use, or not this machine's."""

    code = "keyholder.address_taken"


class KeyHolderAlreadyRunning(KeyHolderError):
    """Another process works on this data folder (``path``)."""

    code = "keyholder.already_running"


class KeyHolderMisconfigured(KeyHolderError):
    """A file the key holder needs (``path``) is missing, readable by others, or belongs to another key holder."""

    code = "keyholder.misconfigured"


class AuditTampered(KeyHolderError):
    """The audit log is broken at record ``index``; ``got`` and ``expected`` say how."""

    code = "keyholder.audit_tampered"


class HeadsUnreadable(KeyHolderError):
    """``line`` of a witness's file at ``path`` is no signed head."""

    code = "keyholder.heads_unreadable"


def by_code(root: type[KeyHolderError] = KeyHolderError) -> dict[str, type[KeyHolderError]]:
    """Every error of this package by its code: how a client turns an answer back into an exception."""
    below = [by_code(child) for child in root.__subclasses__()]
    return {root.code: root} | {code: error for part in below for code, error in part.items()}
