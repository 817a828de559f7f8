"""Agreeing with the key holder about which template is current, whatever was cut short in between.

An enrolment stores its template (``stored``), lets the key holder make it current, then marks it ``active`` and
deletes the one before. Killed anywhere, exactly one template is current at the key holder and its row is here. The
rows that are left over are put right by the next request that hears from the key holder.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from veilface.keyholder.errors import UnknownAccount
from veilface.server import keyholding
from veilface.server.accounts.models import Account
from veilface.server.enrolment.models import Template

# Longer than any request lives: a younger row may belong to an enrolment that is still under way.
GRACE: Final = timedelta(minutes=10)
UNSETTLED: Final = (Template.State.STORED, Template.State.DELETING)


def settle(account: Account, *, current: str | None) -> None:
    """Put the account's rows right, given the hash (hex) of the template the key holder calls current."""
    if not _may_need_it(account, current):
        return
    with transaction.atomic():
        Account.objects.select_for_update().get(pk=account.pk)
        rows = Template.objects.filter(account=account)
        named = rows.defer("data").filter(template_hash=current or "").first()
        if named is not None:
            make_active(named)
        rows.filter(state=Template.State.DELETING).exclude(template_hash=current or "").delete()
        rows.filter(state=Template.State.STORED, created_at__lt=timezone.now() - GRACE).delete()


def settle_by_asking(account: Account) -> None:
    """Settle rows that are left over, if there are any, by asking the key holder."""
    if not Template.objects.filter(account=account, state__in=UNSETTLED).exists():
        return
    try:
        current = keyholding.keyholder().account_status(account.wire_id).template_hash
    except UnknownAccount:
        current = None
    settle(account, current=current.hex() if current is not None else None)


def make_active(template: Template) -> bool:
    """Mark the template active and delete those it replaces. Inside a transaction that holds the account.

    False: the row is gone, so a later enrolment replaced it or a deletion took it. A stored row of a later epoch is
    another enrolment under way: epochs become current in their order, so it is left alone.
    """
    if not Template.objects.filter(pk=template.pk).update(state=Template.State.ACTIVE):
        return False
    others = Template.objects.filter(account_id=template.account_id).exclude(pk=template.pk)
    others.exclude(state=Template.State.STORED).delete()
    others.filter(epoch__lt=template.epoch).delete()
    return True


def _may_need_it(account: Account, current: str | None) -> bool:
    states = list(Template.objects.filter(account=account).values_list("state", "template_hash"))
    settled = [(Template.State.ACTIVE.value, current)] if current is not None else []
    return states != settled
