"""What can go wrong between this device and a Veilface server.

::

    SdkError
    ├── ServerUnreachable        nobody answers at the address
    ├── ServerRefused            the server's own sentence and code
    ├── KeyHolderDown            the server runs and its key holder does not: nothing can be decided
    ├── MalformedAnswer          an answer of the wrong shape or length
    ├── FolderError              UnsafeFolder, NoDevice, DeviceExists, FolderBusy, NoKiosk, KioskExists
    ├── TermsNotAccepted         no account without consent
    ├── OtherModels              this version and the server's measure faces differently
    ├── NothingEnrolled          verify or delete without a template
    ├── TokenElsewhere           the template's secret is on the device that enrolled it
    ├── OtherProtection          the template is protected otherwise than was asked for
    ├── ProtectionUnknown        which protection the template has is not known here, and none was named
    ├── ConsentMissing           nobody is registered at a kiosk who did not agree to it
    ├── MayNotRegister           the operator lets this gallery's kiosks search alone
    ├── PersonKnown              nobody is registered twice at the kiosks of a gallery
    ├── NameTooLong              a person's name that the server would not take
    ├── WrongDevice              the device to approve is unknown or has another key
    ├── WrongKiosk               the kiosk to let in or to turn away does not wait, or has another key
    └── Alarm                    what must never be passed over in silence
        ├── OriginMismatch       a site that wants messages signed for another
        ├── KeyHolderChanged     another key holder than the pinned one
        ├── KeyNotTrusted        a key certificate that does not hold
        │   └── ClockWrong       or whose dates do not, by this device's clock
        ├── ReceiptNotTrusted    a receipt that is not about this request
        └── ReceiptGap           decisions happened that this device did not ask for
"""

from veilface.errors import VeilfaceError


class SdkError(VeilfaceError):
    """The device could not do what was asked."""

    code = "sdk.failed"


class ServerUnreachable(SdkError):
    """No answer from ``url``: no connection, or none in time."""

    code = "sdk.server_unreachable"


class ServerRefused(SdkError):
    """The server answered with an error.

    ``status`` is HTTP's, ``server_code`` stable; ``receipt`` is the key holder's where it had decided by then;
    ``facts`` are the error's details.
    """

    code = "sdk.server_refused"

    def __init__(
        self,
        *,
        status: int,
        server_code: str,
        reason: str,
        receipt: bytes | None = None,
        facts: dict[str, object] | None = None,
    ) -> None:
        super().__init__(reason=reason)
        self.facts = facts or {}
        self.status = status
        self.server_code = server_code
        self.receipt = receipt


class KeyHolderDown(SdkError):
    """The server cannot reach its key holder."""

    code = "sdk.keyholder_down"


class MalformedAnswer(SdkError):
    """The server's answer lacks ``what`` or carries it in the wrong form."""

    code = "sdk.malformed_answer"


class FolderError(SdkError):
    """The device's folder cannot be used."""


class UnsafeFolder(FolderError):
    """Others on this machine could read ``path``."""

    code = "sdk.unsafe_folder"


class NoDevice(FolderError):
    """``path`` holds no registered device."""

    code = "sdk.no_device"


class DeviceExists(FolderError):
    """``path`` already holds a device; another account needs another folder."""

    code = "sdk.device_exists"


class FolderBusy(FolderError):
    """Another program is using ``path`` right now."""

    code = "sdk.folder_busy"


class NoKiosk(FolderError):
    """``path`` holds no kiosk that joined a gallery."""

    code = "sdk.no_kiosk"


class KioskExists(FolderError):
    """``path`` already holds a kiosk; another gallery needs another folder."""

    code = "sdk.kiosk_exists"


class TermsNotAccepted(SdkError):
    """Registration without consent to the terms ``version``."""

    code = "sdk.terms_not_accepted"


class OtherModels(SdkError):
    """The server's embedding contract (``got``) is not this version's (``expected``)."""

    code = "sdk.other_models"


class NothingEnrolled(SdkError):
    """The account has no template."""

    code = "sdk.nothing_enrolled"


class TokenElsewhere(SdkError):
    """The template is protected with a token (protection ``scheme``) that this device does not have."""

    code = "sdk.token_elsewhere"


class OtherProtection(SdkError):
    """The template is protected with ``got`` where the caller insists on ``expected``."""

    code = "sdk.other_protection"


class ProtectionUnknown(SdkError):
    """The device has never enrolled or verified under the account's key, so it cannot keep its protection."""

    code = "sdk.protection_unknown"


class ConsentMissing(SdkError):
    """A person is to be registered who did not agree to it. Nothing was sent."""

    code = "sdk.consent_missing"


class MayNotRegister(SdkError):
    """The operator of the gallery lets its kiosks search, and nobody be registered."""

    code = "sdk.may_not_register"


class PersonKnown(SdkError):
    """Whoever is to be registered is in the gallery already, as ``name``; ``person`` is their id.

    ``kind``: ``account`` for who joined by signature, ``kiosk`` for whom a kiosk may rename, or replace.
    """

    code = "sdk.person_known"

    def __init__(self, *, person: str, name: str, kind: str) -> None:
        super().__init__(person=person, name=name)
        self.person = person
        self.name = name
        self.kind = kind


class NameTooLong(SdkError):
    """A person's name of more than ``limit`` characters. Nothing was sent."""

    code = "sdk.name_too_long"


class WrongDevice(SdkError):
    """The account lists no device ``device`` with the fingerprint that was given."""

    code = "sdk.wrong_device"


class WrongKiosk(SdkError):
    """No kiosk ``kiosk`` of the gallery waits, or it has another key than the one that was compared."""

    code = "sdk.wrong_kiosk"


class Alarm(SdkError):
    """Somebody may be lying or asking in this account's name."""


class OriginMismatch(Alarm):
    """The server at ``expected`` asks for signatures that are good at ``got``."""

    code = "sdk.origin_mismatch"


class KeyHolderChanged(Alarm):
    """The server names another key holder (``got``) than the one pinned (``expected``)."""

    code = "sdk.keyholder_changed"


class KeyNotTrusted(Alarm):
    """The public key offered for this account is not vouched for as it must be."""

    code = "sdk.key_not_trusted"


class ClockWrong(KeyNotTrusted):
    """By this device's clock the certificate is not in force: more likely the clock is wrong than the key old."""

    code = "sdk.clock_wrong"


class ReceiptNotTrusted(Alarm):
    """The receipt is missing, not signed by the pinned key holder, or about something else."""

    code = "sdk.receipt_not_trusted"


class ReceiptGap(Alarm):
    """The key holder has decided more or less often (``got``) than this device knows of (``expected``)."""

    code = "sdk.receipt_gap"
