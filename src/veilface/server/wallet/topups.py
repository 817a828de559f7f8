"""Top-ups: a transfer that is pending until its provider says whether the money came."""

from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from veilface.server.accounts.models import Account
from veilface.server.relaying import unimportant
from veilface.server.wallet import history, ledger, limits, providers
from veilface.server.wallet.errors import TransferSettled
from veilface.server.wallet.idempotency import Claim
from veilface.server.wallet.models import TopUp, Transfer, Wallet
from veilface.server.wallet.providers import MoneyOrder, Standing
from veilface.server.wire import Json


def begin(account: Account, *, amount: int, claim: Claim) -> Json:
    """Ask the provider for ``amount`` minor units; the movement as it stands. Raises what the limits refuse."""
    wallet, provider = ledger.wallet_of(account), providers.in_use()
    source = ledger.wallet_of_provider(provider.name)
    with ledger.locked(wallet.id, source.id):
        limits.check_top_up(wallet, amount)
        transfer = ledger.hold(
            kind=Transfer.Kind.TOP_UP,
            source=source,
            target=wallet,
            amount=amount,
            expires_at=timezone.now() + timedelta(seconds=settings.WALLET_TOP_UP_S),
        )
        TopUp.objects.create(transfer=transfer, provider=provider.name)
        answer = history.movement(transfer, wallet).to_json()
        claim.answer(answer)
    with unimportant("begin_top_up"):  # whoever looks next begins it again
        provider.begin(_order(transfer))
    return answer


def settle_due(wallet: Wallet) -> None:
    """Ask the providers about what is pending. There is no job: it is done whenever the person looks."""
    pending = TopUp.objects.select_related("transfer").filter(
        transfer__target=wallet, transfer__state=Transfer.State.PENDING
    )
    for top_up in pending:
        with unimportant("settle_top_up"):
            _settle(top_up)


def _settle(top_up: TopUp) -> None:
    provider, order = providers.provider(top_up.provider), _order(top_up.transfer)
    standing = provider.ask(order)
    with suppress(TransferSettled):  # somebody else heard of it, too
        if standing is Standing.CONFIRMED:
            ledger.post(top_up.transfer)
        elif standing is Standing.REFUSED:
            ledger.void(top_up.transfer)
        elif standing is Standing.UNKNOWN:
            provider.begin(order)


def _order(transfer: Transfer) -> MoneyOrder:
    return MoneyOrder(reference=transfer.id, amount=transfer.amount, currency=transfer.currency)
