"""Passkeys over HTTP."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Status
from webauthn.helpers.cose import COSEAlgorithmIdentifier

from veilface.server import site
from veilface.server.access import IN_A_BROWSER, address, caller, confirmation, same_site, sign_in, visitor_binding
from veilface.server.accounts import confirming, passkeys
from veilface.server.accounts.api import signed_in
from veilface.server.accounts.models import Passkey as PasskeyRow
from veilface.server.accounts.models import SignIn
from veilface.server.accounts.passkeys import Purpose
from veilface.server.accounts.schemas import (
    ConfirmationFields,
    Passkey,
    PasskeyAssertion,
    PasskeyAttestation,
    PasskeyCreation,
    PasskeyName,
    PasskeyRequest,
    SignedIn,
    SiteEntity,
    UserEntity,
)
from veilface.server.wire import Identifier

router = Router(tags=["passkeys"])

TIMEOUT_MS: Final = int(passkeys.LIFETIME.total_seconds() * 1000)


@router.get("/passkeys", response=list[Passkey], auth=IN_A_BROWSER)
def list_passkeys(request: HttpRequest) -> list[Passkey]:
    """The account's passkeys."""
    return [shown(row) for row in caller(request).account.passkeys.all()]


@router.post("/passkeys/registration", response=PasskeyCreation, auth=IN_A_BROWSER)
def begin_adding(request: HttpRequest, body: ConfirmationFields) -> PasskeyCreation:
    """What to ask an authenticator for a new passkey; a way in is added, so it is confirmed like a new password."""
    current = caller(request)
    confirming.require(current.account, confirmation(request, body))
    account = current.account
    return PasskeyCreation(
        challenge=passkeys.challenge(Purpose.ADD, binding=current.binding, subject=account.id),
        rp=SiteEntity(id=passkeys.site_id(), name=site.load(settings.SITE_FILE).name),
        user=UserEntity(id=account.wire_id, name=account.username, display_name=account.display_name),
        algorithms=[COSEAlgorithmIdentifier.ECDSA_SHA_256, COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256],
        exclude=[bytes(row.credential_id) for row in account.passkeys.all()],
        timeout_ms=TIMEOUT_MS,
    )


@router.post("/passkeys", response={201: Passkey}, auth=IN_A_BROWSER)
def add_passkey(request: HttpRequest, body: PasskeyAttestation) -> Status[Passkey]:
    """Keep the passkey that an authenticator has made."""
    current = caller(request)
    row = passkeys.add(current.account, name=body.name, attestation=body.read(), binding=current.binding)
    return Status(201, shown(row))


@router.post("/passkeys/confirmation", response=PasskeyRequest, auth=IN_A_BROWSER)
def begin_confirming(request: HttpRequest) -> PasskeyRequest:
    """What to ask an authenticator to confirm something with, where a password would do as well."""
    current = caller(request)
    return PasskeyRequest(
        challenge=passkeys.challenge(Purpose.CONFIRM, binding=current.binding, subject=current.account.id),
        rp_id=passkeys.site_id(),
        allow=[bytes(row.credential_id) for row in current.account.passkeys.all()],
        timeout_ms=TIMEOUT_MS,
    )


@router.post("/passkeys/sign-in", response=PasskeyRequest, auth=same_site)
def begin_signing_in(request: HttpRequest) -> PasskeyRequest:
    """What to ask an authenticator to sign in with: any passkey of this site, so nobody is named."""
    return PasskeyRequest(
        challenge=passkeys.challenge(Purpose.SIGN_IN, binding=visitor_binding(request), subject=address(request)),
        rp_id=passkeys.site_id(),
        allow=[],
        timeout_ms=TIMEOUT_MS,
    )


@router.post("/session/passkey", response=SignedIn, auth=same_site)
def sign_in_by_passkey(request: HttpRequest, body: PasskeyAssertion) -> SignedIn:
    """Sign in with a passkey instead of the password."""
    account = passkeys.sign_in(body.read(), binding=visitor_binding(request))
    return signed_in(sign_in(request, account, method=SignIn.Method.PASSKEY))


@router.patch("/passkeys/{passkey_id}", response=Passkey, auth=IN_A_BROWSER)
def rename_passkey(request: HttpRequest, passkey_id: Identifier, body: PasskeyName) -> Passkey:
    """Call a passkey something else."""
    return shown(passkeys.rename(caller(request).account, passkey_id, name=body.name))


@router.delete("/passkeys/{passkey_id}", response={204: None}, auth=IN_A_BROWSER)
def remove_passkey(request: HttpRequest, passkey_id: Identifier) -> Status[None]:
    """Forget a passkey; it opens nothing any more."""
    passkeys.remove(caller(request).account, passkey_id)
    return Status(204, None)


def shown(row: PasskeyRow) -> Passkey:
    """The passkey as its owner sees it."""
    return Passkey.from_orm(row)
