"""Everything the server refuses by itself; what the key holder or the parser refuses keeps its own class.

::

    ServerError
    ├── who asks      NotSignedIn · WrongCredentials · TokenInvalid · CsrfFailed · TooManyAttempts · PasswordNeeded
    │                 PasswordSwitchedOff · ConfirmationNeeded · PasskeyRefused
    ├── accounts      UsernameTaken · UsernameUnusable · DisplayNameUnusable · DeviceNameUnusable
    │                 PasswordTooShort · PasswordTooCommon · TermsChanged
    │                 PasskeyUnusable · PasskeyKnown · PasskeyNameUnusable · TooManyPasskeys
    ├── requests      NotFound · BadRequest · InvalidRequest · WrongMethod
    │                 UnsupportedBody · LengthRequired · BodyTooLarge · BodyWrongLength
    ├── messages      WrongMessage · StaleMessage · ContextMismatch · ChallengeUnknown
    ├── face login    FaceLoginRefused · FaceLoginPaused · FaceLoginDisabled
    ├── enrolment     TemplateNotAccepted · EnrolmentPaused · TemplateStays
    └── this machine  KeyHolderDown · StorageFailed · StorageFull
"""

from typing import ClassVar

from veilface.errors import VeilfaceError


class ServerError(VeilfaceError):
    """The root of this package's errors; ``status`` is the HTTP status the API answers with."""

    code: ClassVar[str] = "server.failed"
    status: ClassVar[int] = 500


# --- who asks --------------------------------------------------------------------------------------------


class NotSignedIn(ServerError):
    """The request carries neither a session nor a token."""

    code = "server.not_signed_in"
    status = 401


class WrongCredentials(ServerError):
    """Unknown user or wrong password: the answer is the same, and takes as long."""

    code = "server.wrong_credentials"
    status = 401


class TokenInvalid(ServerError):
    """The bearer token is unknown or expired."""

    code = "server.token_invalid"
    status = 401


class CsrfFailed(ServerError):
    """A changing request of the site came without its token, or from another site."""

    code = "server.csrf"
    status = 403


class TooManyAttempts(ServerError):
    """``retry_after_s`` until the next attempt is looked at."""

    code = "server.too_many_attempts"
    status = 429


class PasswordSwitchedOff(TooManyAttempts):
    """Too many wrong passwords in a row: none is looked at for a day, or until the person came in another way."""

    code = "server.password_switched_off"


class PasswordNeeded(ServerError):
    """A template exists: replacing it needs the account's password."""

    code = "server.password_needed"
    status = 403


class ConfirmationNeeded(ServerError):
    """What was asked needs the account's password again, or one of its passkeys."""

    code = "server.confirmation_needed"
    status = 403


class PasskeyRefused(ServerError):
    """Not a passkey of this account, not its signature, or not for this challenge: the answer is the same."""

    code = "server.passkey_refused"
    status = 401


# --- accounts --------------------------------------------------------------------------------------------


class UsernameTaken(ServerError):
    """Somebody has this user name."""

    code = "server.username_taken"
    status = 409


class UsernameUnusable(ServerError):
    """Not 3–32 of a–z, 0–9, dot, hyphen, underscore, beginning with a letter or digit."""

    code = "server.username_unusable"
    status = 422


class DisplayNameUnusable(ServerError):
    """Empty, longer than ``limit`` characters, or with control characters."""

    code = "server.display_name_unusable"
    status = 422


class DeviceNameUnusable(ServerError):
    """Empty, longer than ``limit`` characters, or with control characters."""

    code = "server.device_name_unusable"
    status = 422


class PasswordTooShort(ServerError):
    """Shorter than ``limit`` characters."""

    code = "server.password_too_short"
    status = 422


class PasswordTooCommon(ServerError):
    """Among the twenty thousand most used, or nearly the user's name."""

    code = "server.password_too_common"
    status = 422


class PasskeyUnusable(ServerError):
    """What the authenticator made is no passkey for this site, or verifies nobody."""

    code = "server.passkey_unusable"
    status = 422


class PasskeyKnown(ServerError):
    """The passkey is added already."""

    code = "server.passkey_known"
    status = 409


class PasskeyNameUnusable(ServerError):
    """Empty, longer than ``limit`` characters, or with control characters."""

    code = "server.passkey_name_unusable"
    status = 422


class TooManyPasskeys(ServerError):
    """The account has ``limit`` passkeys."""

    code = "server.too_many_passkeys"
    status = 409


class TermsChanged(ServerError):
    """Consent was given to another version of the terms than ``expected``."""

    code = "server.terms_changed"
    status = 409


# --- requests --------------------------------------------------------------------------------------------


class NotFound(ServerError):
    """No such thing, or none of this account's."""

    code = "server.not_found"
    status = 404


class BadRequest(ServerError):
    """Refused before anything else was looked at: an unknown host, a broken header."""

    code = "server.bad_request"
    status = 400


class InvalidRequest(ServerError):
    """A JSON body that breaks the schema at ``field``."""

    code = "server.invalid_request"
    status = 422


class WrongMethod(ServerError):
    """There is something at this address, but not for this method."""

    code = "server.wrong_method"
    status = 405


class UnsupportedBody(ServerError):
    """The body's type is ``got`` where ``expected`` is needed."""

    code = "server.unsupported_body"
    status = 415


class LengthRequired(ServerError):
    """A body without Content-Length."""

    code = "server.length_required"
    status = 411


class BodyTooLarge(ServerError):
    """More than ``expected`` bytes were announced; none was read."""

    code = "server.body_too_large"
    status = 413


class BodyWrongLength(ServerError):
    """Not exactly the message's ``expected`` bytes."""

    code = "server.body_wrong_length"
    status = 400


# --- protocol messages -----------------------------------------------------------------------------------


class WrongMessage(ServerError):
    """A message of another type, account or device than this address takes; ``field`` says which."""

    code = "server.wrong_message"
    status = 400


class StaleMessage(ServerError):
    """The header's time is more than ``limit_s`` seconds off."""

    code = "server.stale_message"
    status = 400


class ContextMismatch(ServerError):
    """The header is bound to another site or session."""

    code = "server.context_mismatch"
    status = 400


class ChallengeUnknown(ServerError):
    """The challenge was not issued here for this account, device and purpose."""

    code = "server.challenge_unknown"
    status = 403


# --- face login ------------------------------------------------------------------------------------------


class FaceLoginRefused(ServerError):
    """No account, no active device of it, not its signature or not its face: which of them is told to nobody."""

    code = "server.face_login_refused"
    status = 401


class LivenessMissing(ServerError):
    """A message without the record of movements that were asked for, or with one where none were."""

    code = "server.liveness_missing"
    status = 422


class LivenessRefused(ServerError):
    """The record shows other movements than were asked for, or at other times."""

    code = "server.liveness_refused"
    status = 422


class FaceLoginPaused(ServerError):
    """A device of the account asked, and is judged again in ``retry_after_s``; ``receipt`` is the signed word."""

    code = "server.face_login_paused"
    status = 429


class FaceLoginDisabled(ServerError):
    """A device of the account asked after too many failures; ``receipt`` is the key holder's signed word."""

    code = "server.face_login_disabled"
    status = 403


# --- enrolment -------------------------------------------------------------------------------------------


class TemplateNotAccepted(ServerError):
    """The key holder judged the template and did not accept it; ``receipt`` is its signed word."""

    code = "server.template_not_accepted"
    status = 422


class EnrolmentPaused(ServerError):
    """The key holder judges no enrolment of this account before ``retry_after_s``; ``receipt`` is its signed word."""

    code = "server.enrolment_paused"
    status = 429


class TemplateStays(ServerError):
    """The template is of a protection that scores in the open: with it, somebody could answer in its owner's name."""

    code = "server.template_stays"
    status = 403


# --- this machine ----------------------------------------------------------------------------------------


class KeyHolderDown(ServerError):
    """No answer from the key holder: nothing was decided, nothing was stored."""

    code = "server.keyholder_down"
    status = 503


class StorageFailed(ServerError):
    """The database did not take the write; nothing was changed."""

    code = "server.storage_failed"
    status = 503


class StorageFull(ServerError):
    """The disk is full; nothing was changed."""

    code = "server.storage_full"
    status = 507
