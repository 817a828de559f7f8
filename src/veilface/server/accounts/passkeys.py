"""Passkeys (WebAuthn): an authenticator of the person's own, instead of the password and beside the face.

Every signature is over 32 random bytes that were given to one browser for one purpose and are taken back when they
come; the authenticator must have verified the person, and the site must be this one.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import webauthn
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from webauthn.helpers import (
    bytes_to_base64url,
    parse_client_data_json,
)
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from veilface.server.accounts import throttle
from veilface.server.accounts.labels import usable_label
from veilface.server.accounts.models import Account, Passkey, PasskeyChallenge
from veilface.server.errors import (
    NotFound,
    PasskeyKnown,
    PasskeyNameUnusable,
    PasskeyRefused,
    PasskeyUnusable,
    TooManyAttempts,
    TooManyPasskeys,
)

CHALLENGE_BYTES: Final = 32
LIFETIME: Final = timedelta(minutes=5)
NAME_CHARACTERS: Final = 60
MOST_PASSKEYS: Final = 20
MOST_WAITING: Final = 10_000  # challenges at a time, of everybody together
CHALLENGES: Final = throttle.Limit(scope="passkey-challenge", attempts=60, seconds=60)


class Purpose(StrEnum):
    """What a challenge is given for; a signature for the one is none for the other."""

    ADD = "add"
    SIGN_IN = "sign-in"
    CONFIRM = "confirm"


@dataclass(frozen=True, kw_only=True)
class Attestation:
    """What an authenticator says when it has made a passkey; bytes that nobody has looked at."""

    credential_id: bytes
    client_data: bytes
    attestation_object: bytes


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """What an authenticator says when it signs; bytes that nobody has looked at."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def site_id() -> str:
    """The name that passkeys belong to (rpId): the host of the site's origin."""
    return urlsplit(str(settings.ORIGIN)).hostname or ""


def challenge(purpose: Purpose, *, binding: bytes, subject: str) -> bytes:
    """32 bytes to be signed within five minutes; ``subject`` – the account or address they are counted for."""
    throttle.spend(CHALLENGES, subject)
    forget_expired()
    if PasskeyChallenge.objects.count() >= MOST_WAITING:
        raise TooManyAttempts(retry_after_s=CHALLENGES.seconds)
    made = secrets.token_bytes(CHALLENGE_BYTES)
    PasskeyChallenge.objects.create(
        challenge=made.hex(), purpose=purpose, binding=binding.hex(), expires_at=timezone.now() + LIFETIME
    )
    return made


def add(account: Account, *, name: str, attestation: Attestation, binding: bytes) -> Passkey:
    """Keep a new passkey of the account.

    Raises :class:`PasskeyUnusable`, :class:`PasskeyKnown`, :class:`TooManyPasskeys` or :class:`PasskeyNameUnusable`.
    """
    name = usable_label(name, limit=NAME_CHARACTERS, otherwise=PasskeyNameUnusable)
    if account.passkeys.count() >= MOST_PASSKEYS:
        raise TooManyPasskeys(limit=MOST_PASSKEYS)
    expected = _taken(attestation.client_data, purpose=Purpose.ADD, binding=binding, otherwise=PasskeyUnusable)
    credential = RegistrationCredential(
        id=bytes_to_base64url(attestation.credential_id),
        raw_id=attestation.credential_id,
        response=AuthenticatorAttestationResponse(
            client_data_json=attestation.client_data, attestation_object=attestation.attestation_object
        ),
    )
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=expected,
            expected_rp_id=site_id(),
            expected_origin=settings.ORIGIN,
            require_user_verification=True,
        )
    except Exception as refused:  # the parsers below raise whatever they like
        raise PasskeyUnusable from refused
    # Asked for none: a statement about the maker would only tell which authenticator somebody has.
    if made.fmt != AttestationFormat.NONE or made.credential_id != attestation.credential_id:
        raise PasskeyUnusable
    try:
        with transaction.atomic():
            return Passkey.objects.create(
                account=account,
                name=name,
                credential_digest=_digest(made.credential_id),
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
            )
    except IntegrityError:
        raise PasskeyKnown from None


def sign_in(assertion: Assertion, *, binding: bytes) -> Account:
    """Whose passkey signed a challenge to sign in; raises :class:`PasskeyRefused`."""
    return _signer(assertion, purpose=Purpose.SIGN_IN, binding=binding).account


def confirm(account: Account, assertion: Assertion, *, binding: bytes) -> None:
    """Raise :class:`PasskeyRefused` unless one of the account's passkeys signed a challenge to confirm."""
    if _signer(assertion, purpose=Purpose.CONFIRM, binding=binding, account=account).account != account:
        raise PasskeyRefused


def rename(account: Account, passkey_id: str, *, name: str) -> Passkey:
    """Call a passkey something else; raises :class:`NotFound` or :class:`PasskeyNameUnusable`."""
    row = account.passkeys.filter(id=passkey_id).first()
    if row is None:
        raise NotFound
    row.name = usable_label(name, limit=NAME_CHARACTERS, otherwise=PasskeyNameUnusable)
    row.save(update_fields=["name"])
    return row


def remove(account: Account, passkey_id: str) -> None:
    """Forget a passkey: its signatures count no more; raises :class:`NotFound`."""
    if not account.passkeys.filter(id=passkey_id).delete()[0]:
        raise NotFound


def forget_expired() -> int:
    """Delete challenges that nobody answered in time; how many."""
    return PasskeyChallenge.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def _signer(assertion: Assertion, *, purpose: Purpose, binding: bytes, account: Account | None = None) -> Passkey:
    """The passkey that signed a challenge of this purpose and browser, after which the challenge is gone."""
    expected = _taken(assertion.client_data, purpose=purpose, binding=binding, otherwise=PasskeyRefused)
    known = Passkey.objects.select_related("account").filter(credential_digest=_digest(assertion.credential_id))
    passkey = (known if account is None else known.filter(account=account)).first()
    if passkey is None or assertion.user_handle not in {None, passkey.account.wire_id}:
        raise PasskeyRefused
    credential = AuthenticationCredential(
        id=bytes_to_base64url(assertion.credential_id),
        raw_id=assertion.credential_id,
        response=AuthenticatorAssertionResponse(
            client_data_json=assertion.client_data,
            authenticator_data=assertion.authenticator_data,
            signature=assertion.signature,
            user_handle=assertion.user_handle,
        ),
    )
    try:
        seen = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=expected,
            expected_rp_id=site_id(),
            expected_origin=settings.ORIGIN,
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except Exception as refused:  # the parsers below raise whatever they like
        raise PasskeyRefused from refused
    # One conditional statement: of two signatures with one count, one wins.
    unchanged = Passkey.objects.filter(pk=passkey.pk, sign_count=passkey.sign_count)
    if not unchanged.update(sign_count=seen.new_sign_count, last_used_at=timezone.now()):
        raise PasskeyRefused
    return passkey


def _taken(
    client_data: bytes,
    *,
    purpose: Purpose,
    binding: bytes,
    otherwise: type[PasskeyRefused] | type[PasskeyUnusable],
) -> bytes:
    """The challenge that the client data name, taken back: it was given for this, to this browser, and is gone now."""
    try:
        named = parse_client_data_json(client_data).challenge
    except Exception as malformed:
        raise otherwise from malformed
    waiting = PasskeyChallenge.objects.filter(challenge=named.hex(), expires_at__gt=timezone.now())
    if not waiting.filter(purpose=purpose, binding=binding.hex()).delete()[0]:
        raise otherwise
    return named


def _digest(credential_id: bytes) -> str:
    return hashlib.sha256(credential_id).hexdigest()
