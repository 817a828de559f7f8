"""What a person sees of the ledger: movements of their own wallet, newest first."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal

from django.db.models import Q, QuerySet

from veilface.server.errors import NotFound
from veilface.server.wallet.models import Payment, Transfer, Wallet
from veilface.server.wire import Json

PAGE: Final = 20
LARGEST_PAGE: Final = 100
Direction = Literal["in", "out"]


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One transfer, seen from one wallet. ``counterpart`` – a display name, empty for a provider or a deleted account.

    ``payment_id`` – the payment it made or gives back. Amounts in minor units.
    """

    id: str
    kind: str
    state: str
    direction: Direction
    amount: int
    currency: str
    counterpart: str
    payment_id: str | None
    created_at: datetime
    settled_at: datetime | None

    def to_json(self) -> Json:
        """Plain values, the same each time."""
        times = {name: value and value.isoformat() for name, value in self._times().items()}
        return asdict(self) | times

    def _times(self) -> dict[str, datetime | None]:
        return {"created_at": self.created_at, "settled_at": self.settled_at}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which movements; None lets all through."""

    kind: str | None = None
    state: str | None = None
    direction: Direction | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some movements, and the identifier to ask for the next ones ``after``; None – these were the last."""

    movements: list[Movement]
    after: str | None


def page(wallet: Wallet, wanted: Filter, *, after: str | None = None, limit: int = PAGE) -> Page:
    """At most ``limit`` movements, newest first; raises :class:`NotFound` where ``after`` is none of this wallet."""
    rows = _visible(wallet).filter(_condition(wallet, wanted))
    if after is not None:
        last = _visible(wallet).filter(id=after).values_list("number", flat=True).first()
        if last is None:
            raise NotFound
        rows = rows.filter(number__lt=last)
    found = list(rows.order_by("-number")[: limit + 1])
    shown = [movement(row, wallet) for row in found[:limit]]
    return Page(movements=shown, after=shown[-1].id if len(found) > limit else None)


def one(wallet: Wallet, transfer_id: str) -> Movement:
    """One movement of this wallet; raises :class:`NotFound`."""
    row = _visible(wallet).filter(id=transfer_id).first()
    if row is None:
        raise NotFound
    return movement(row, wallet)


def movement(transfer: Transfer, wallet: Wallet) -> Movement:
    """The transfer as the wallet's owner sees it."""
    outgoing = transfer.source_id == wallet.id
    payment = _payment_of(transfer)
    return Movement(
        id=transfer.id,
        kind=str(transfer.kind),
        state=str(transfer.state),
        direction="out" if outgoing else "in",
        amount=transfer.amount,
        currency=transfer.currency,
        counterpart=_name(transfer.target if outgoing else transfer.source),
        payment_id=payment.id if payment else None,
        created_at=transfer.created_at,
        settled_at=transfer.settled_at,
    )


def _visible(wallet: Wallet) -> QuerySet[Transfer]:
    """Attempts to pay that came to nothing are the payer's business alone."""
    mine = Q(source=wallet) | Q(target=wallet, state=Transfer.State.POSTED)
    mine |= Q(target=wallet, kind=Transfer.Kind.TOP_UP)
    joined = ("source__owner", "target__owner", "payment", "refund__payment")
    return Transfer.objects.filter(mine).select_related(*joined)


def _condition(wallet: Wallet, wanted: Filter) -> Q:
    side = {"in": Q(target=wallet), "out": Q(source=wallet), None: Q()}[wanted.direction]
    limits = {
        "kind": wanted.kind,
        "state": wanted.state,
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
    }
    return side & Q(**{name: value for name, value in limits.items() if value is not None})


def _payment_of(transfer: Transfer) -> Payment | None:
    if transfer.kind == Transfer.Kind.REFUND:
        return transfer.refund.payment
    return getattr(transfer, "payment", None)


def _name(wallet: Wallet) -> str:
    return wallet.owner.display_name if wallet.owner else ""
