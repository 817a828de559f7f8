"""Accounts, tokens and devices on the JSON wire."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field, StringConstraints

from veilface.server.accounts.models import Device as DeviceRow
from veilface.server.accounts.passkeys import Assertion, Attestation
from veilface.server.wire import (
    Hash,
    HeaderBytes,
    Identifier,
    PasskeyBytes,
    PublicPoint,
    Request,
    SignatureBytes,
    WireBytes,
)

Text = Annotated[str, StringConstraints(max_length=200)]


class Credentials(Request):
    """A user name and its password."""

    username: Text
    password: Text


class Registration(Credentials):
    """A new account; ``terms_version`` is the one that was shown and accepted."""

    display_name: Text
    terms_version: Text


class TokenRequest(Credentials):
    """A token for a program; ``name`` says which program."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]


class PasskeyAssertion(Request):
    """What `navigator.credentials.get` answered with."""

    credential_id: PasskeyBytes
    client_data: PasskeyBytes
    authenticator_data: PasskeyBytes
    signature: PasskeyBytes
    user_handle: PasskeyBytes | None = None

    def read(self) -> Assertion:
        """The same, for whoever checks it."""
        return Assertion(**dict(self))


class ConfirmationFields(Request):
    """The account's password again, or a passkey's answer to `POST /passkeys/confirmation`."""

    password: Text | None = None
    passkey: PasskeyAssertion | None = None


class PasswordChange(ConfirmationFields):
    """A new password, confirmed by the old one or by a passkey."""

    new_password: Text


class AccountDeletion(ConfirmationFields):
    """A last confirmation. ``give_up`` – the minor units left in the wallet, all of which would be lost."""

    give_up: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = None


class PasskeyAttestation(Request):
    """A new passkey: what `navigator.credentials.create` answered with, and what to call it."""

    name: Text
    credential_id: PasskeyBytes
    client_data: PasskeyBytes
    attestation_object: PasskeyBytes

    def read(self) -> Attestation:
        """What the authenticator said, for whoever checks it."""
        return Attestation(
            credential_id=self.credential_id,
            client_data=self.client_data,
            attestation_object=self.attestation_object,
        )


class PasskeyName(Request):
    """What to call a passkey."""

    name: Text


class AccountChange(Request):
    """What may be changed about an account."""

    display_name: Text


class DeviceRegistration(Request):
    """A device's public key and the header (type 17) it signed."""

    name: Text
    header: HeaderBytes
    signature: SignatureBytes
    public_key: PublicPoint


class SignedOrder(Request):
    """A header and its signature by an active device of the account."""

    header: HeaderBytes
    signature: SignatureBytes


class Consent(Schema):
    """Which terms were accepted, and when."""

    terms_version: str
    accepted_at: datetime


class Device(Schema):
    """A device as the account's owner sees it. Whoever approves it signs for its ``public_key``."""

    id: Identifier
    name: str
    public_key: PublicPoint
    state: Literal["pending", "active", "revoked"]
    active_from: datetime
    created_at: datetime
    last_used_at: datetime | None

    @classmethod
    def of(cls, row: DeviceRow, *, now: datetime) -> "Device":
        """The row as it stands at ``now``."""
        return cls.model_validate(
            {
                "id": row.device_id,
                "name": row.name,
                "public_key": bytes.fromhex(row.public_key),
                "state": row.state_at(now),
                "active_from": row.active_from,
                "created_at": row.created_at,
                "last_used_at": row.last_used_at,
            }
        )


class SiteEntity(Schema):
    """The site as an authenticator knows it."""

    id: str
    name: str


class UserEntity(Schema):
    """The account as an authenticator knows it."""

    id: WireBytes
    name: str
    display_name: str


class PasskeyCreation(Schema):
    """What `navigator.credentials.create` is asked: ES256, discoverable, verifying the person, no attestation."""

    challenge: Hash
    rp: SiteEntity
    user: UserEntity
    algorithms: list[int]
    exclude: list[WireBytes]
    timeout_ms: int


class PasskeyRequest(Schema):
    """What `navigator.credentials.get` is asked; ``allow`` is empty where any passkey of the site will do."""

    challenge: Hash
    rp_id: str
    allow: list[WireBytes]
    timeout_ms: int


class Passkey(Schema):
    """A passkey as the account's owner sees it."""

    id: Identifier
    name: str
    created_at: datetime
    last_used_at: datetime | None


class Presence(Schema):
    """A session of the site or a program's token. ``name`` – the browser in short, or what the program is called.

    Times of use are rough.
    """

    id: Identifier
    kind: Literal["browser", "program"]
    name: str
    method: Literal["password", "passkey", "face"]
    created_at: datetime
    last_used_at: datetime | None
    current: bool


class Profile(Schema):
    """An account in short: what a session or registration answers with."""

    id: Identifier
    username: str
    display_name: str
    created_at: datetime


class Session(Schema):
    """Who is signed in, and the 32 bytes that this session's signed messages are bound to."""

    account: Profile | None
    binding: Hash | None


class SignedIn(Schema):
    """A new session."""

    account: Profile
    binding: Hash


class Token(Schema):
    """A new token; its text is shown this once."""

    token: str
    binding: Hash
    account: Profile
    expires_at: datetime
