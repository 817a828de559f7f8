"""The whole account on one page: consent, devices, template."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status

from veilface.server.access import SIGNED_IN, caller, confirmation, sign_out
from veilface.server.accounts import confirming, services
from veilface.server.accounts.device_api import shown
from veilface.server.accounts.models import Account as AccountRow
from veilface.server.accounts.schemas import AccountChange, AccountDeletion, Consent, Device
from veilface.server.enrolment.schemas import Template
from veilface.server.enrolment.services import current
from veilface.server.wallet import closing
from veilface.server.wire import Identifier

router = Router(tags=["accounts"], auth=SIGNED_IN)


class Account(Schema):
    """Everything the server knows about the person, except the ciphertext itself."""

    id: Identifier
    username: str
    display_name: str
    created_at: datetime
    consent: Consent
    devices: list[Device]
    template: Template | None


@router.get("/account", response=Account)
def read_account(request: HttpRequest) -> Account:
    """The account that asks."""
    return _account(caller(request).account)


@router.patch("/account", response=Account)
def change_account(request: HttpRequest, body: AccountChange) -> Account:
    """Change the name others see."""
    return _account(services.rename(caller(request).account, display_name=body.display_name))


@router.post("/account/deletion", response={204: None})
def delete_account(request: HttpRequest, body: AccountDeletion) -> Status[None]:
    """Erase the account, its devices, its template and, at the key holder, the keys without which no copy opens.

    What is in the wallet would be lost: 409 says how much, unless `give_up` is exactly that.
    """
    account = caller(request).account
    confirming.require(account, confirmation(request, body))
    closing.check(account, give_up=body.give_up)
    services.erase_keys(account)
    with closing.closed(account, give_up=body.give_up):
        account.delete()
    sign_out(request)
    return Status(204, None)


def _account(row: AccountRow) -> Account:
    template = current(row)
    return Account(
        id=row.id,
        username=row.username,
        display_name=row.display_name,
        created_at=row.created_at,
        consent=Consent.from_orm(row.consents.first()),
        devices=[shown(device) for device in row.devices.all()],
        template=None if template is None else Template.of(template),
    )
