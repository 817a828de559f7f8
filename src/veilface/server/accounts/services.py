"""Registration, passwords, tokens, deletion."""

import hashlib
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from re import compile as pattern

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from veilface.keyholder.errors import AccountForgotten, UnknownAccount
from veilface.server import keyholding
from veilface.server.accounts import throttle
from veilface.server.accounts.labels import usable_label
from veilface.server.accounts.models import AccessToken, Account, Consent
from veilface.server.errors import (
    DisplayNameUnusable,
    PasswordTooCommon,
    PasswordTooShort,
    TermsChanged,
    TokenInvalid,
    UsernameTaken,
    UsernameUnusable,
    WrongCredentials,
)
from veilface.server.galleries import leaving

USERNAME = pattern(r"[a-z0-9][a-z0-9._-]{2,31}")
DISPLAY_NAME_CHARACTERS = 40
PASSWORD_CHARACTERS = 10
LIKE_THE_NAME = 0.8
TOKEN_PREFIX = "vf_"  # noqa: S105 – marks a token, is none
TOKEN_LIFETIME = timedelta(days=90)
BINDING_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """A new token; ``secret`` is shown this once."""

    secret: str
    record: AccessToken


def register(*, username: str, display_name: str, password: str, terms_version: str, address: str) -> Account:
    """A new account with its consent; raises what its arguments break, and then nothing was made."""
    if terms_version != settings.TERMS_VERSION:
        raise TermsChanged(got=terms_version, expected=settings.TERMS_VERSION)
    username, display_name = usable_username(username), usable_display_name(display_name)
    password = usable_password(password, username=username)
    throttle.spend(throttle.REGISTRATIONS, address)
    try:
        with transaction.atomic():
            account = Account.objects.create(
                username=username, display_name=display_name, password=make_password(password)
            )
            Consent.objects.create(account=account, terms_version=terms_version)
    except IntegrityError:
        raise UsernameTaken from None
    return account


def authenticate(*, username: str, password: str, address: str) -> Account:
    """The account of this name and password.

    The attempt is counted before it is judged. An unknown name is counted as any other, costs the same work as a wrong
    password, and both raise :class:`WrongCredentials`.
    """
    name = folded(username)
    throttle.spend(throttle.PASSWORD_BY_ADDRESS, address)
    throttle.look(throttle.PASSWORD_IN_A_ROW, name)  # told first: nobody waits 30 s for a password that stays off
    throttle.spend(throttle.PASSWORD_BY_NAME, name)
    throttle.spend(throttle.PASSWORD_IN_A_ROW, name)
    account = Account.objects.filter(username=name).first()
    password = normalised(password)
    if account is None:
        make_password(password)
        raise WrongCredentials
    if not check_password(password, account.password):
        raise WrongCredentials
    throttle.refund(throttle.PASSWORD_BY_ADDRESS, address)
    reopen_password(account)
    return account


def reopen_password(account: Account) -> None:
    """Forget wrong passwords of this name, as the person came in: by the right one, by face or by passkey."""
    throttle.forgive(throttle.PASSWORD_BY_NAME, account.username)
    throttle.forgive(throttle.PASSWORD_IN_A_ROW, account.username)


def rename(account: Account, *, display_name: str) -> Account:
    """Change the name others see."""
    account.display_name = usable_display_name(display_name)
    account.save(update_fields=["display_name"])
    return account


def change_password(account: Account, *, password: str) -> None:
    """Set a new password; raises :class:`PasswordTooShort` or :class:`PasswordTooCommon`."""
    account.password = make_password(usable_password(password, username=account.username))
    account.save(update_fields=["password"])


def new_binding() -> bytes:
    """What a session's or token's signed messages are bound to (protocol §4, context_hash)."""
    return secrets.token_bytes(BINDING_BYTES)


def issue_token(account: Account, *, name: str) -> IssuedToken:
    """A token for a program, good for 90 days."""
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    record = AccessToken.objects.create(
        digest=_digest(secret),
        account=account,
        name=name,
        binding=new_binding().hex(),
        expires_at=timezone.now() + TOKEN_LIFETIME,
    )
    return IssuedToken(secret=secret, record=record)


def find_token(secret: str) -> AccessToken:
    """The live token of this secret; raises :class:`TokenInvalid`."""
    live = AccessToken.objects.select_related("account").filter(expires_at__gt=timezone.now())
    token = live.filter(digest=_digest(secret)).first()
    if token is None:
        raise TokenInvalid
    return token


def forget_expired_tokens() -> int:
    """Delete tokens that are over; the number of rows."""
    return AccessToken.objects.filter(expires_at__lte=timezone.now()).delete()[0]


def erase_keys(account: Account) -> None:
    """Erase the account's keys at the key holder, before every row of it is deleted here.

    Killed in between, the rows stay and deletion may be asked for again; the templates are undecryptable already.
    """
    leaving.leave_all(account)
    # Without a device the key holder never heard of the account; after a killed deletion it forgot it already.
    with suppress(UnknownAccount, AccountForgotten):
        keyholding.keyholder().forget_account(account=account.wire_id)


# --- what is usable --------------------------------------------------------------------------------------


def usable_username(username: str) -> str:
    """The name in its one spelling; raises :class:`UsernameUnusable`."""
    name = folded(username)
    if not USERNAME.fullmatch(name):
        raise UsernameUnusable
    return name


def usable_display_name(name: str) -> str:
    """The name without outer space; raises :class:`DisplayNameUnusable`."""
    return usable_label(name, limit=DISPLAY_NAME_CHARACTERS, otherwise=DisplayNameUnusable)


def usable_password(password: str, *, username: str) -> str:
    """The password in its one spelling; raises :class:`PasswordTooShort` or :class:`PasswordTooCommon`."""
    password = normalised(password)
    if len(password) < PASSWORD_CHARACTERS:
        raise PasswordTooShort(limit=PASSWORD_CHARACTERS)
    if SequenceMatcher(a=username, b=password.lower()).ratio() >= LIKE_THE_NAME:
        raise PasswordTooCommon
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        raise PasswordTooCommon from None
    return password


def folded(username: str) -> str:
    """One spelling of a user name, whatever the keyboard made of it."""
    return unicodedata.normalize("NFKC", username).strip().lower()


def normalised(password: str) -> str:
    """One byte sequence for a password, whatever keyboard it was typed on (SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
