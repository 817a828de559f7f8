"""How much may move: a payment at a time, in 24 hours, and by the face alone."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone

from veilface.server.wallet.errors import AmountOutOfRange, DailyLimit
from veilface.server.wallet.models import Transfer, Wallet

DAY: Final = timedelta(hours=24)
COUNTS: Final = (Transfer.State.PENDING, Transfer.State.POSTED)


def check_amount(amount: int) -> None:
    """Raise :class:`AmountOutOfRange` unless one payment may be of this amount."""
    _check_range(amount, settings.WALLET_PAYMENT_MAX)


def check_payment(payer: Wallet, amount: int) -> None:
    """Raise :class:`DailyLimit` where 24 hours would see too much; exact while the payer's wallet is locked."""
    check_amount(amount)
    _check_day(amount, payments_left(payer))


def check_top_up(wallet: Wallet, amount: int) -> None:
    """Raise unless this much may be asked of a provider; exact while the wallet is locked."""
    _check_range(amount, settings.WALLET_TOP_UP_MAX)
    asked = _moved(Q(target=wallet, kind=Transfer.Kind.TOP_UP))
    _check_day(amount, settings.WALLET_TOP_UP_DAILY_MAX - asked)


def payments_left(payer: Wallet) -> int:
    """What may still be paid within 24 hours, in minor units."""
    return max(0, settings.WALLET_DAILY_MAX - _moved(Q(source=payer, kind=Transfer.Kind.PAYMENT)))


def needs_password(amount: int) -> bool:
    """Whether the face alone is not enough."""
    return amount > settings.WALLET_FACE_ONLY_MAX


def _moved(which: Q) -> int:
    recent = Transfer.objects.filter(which, state__in=COUNTS, created_at__gt=timezone.now() - DAY)
    return int(recent.aggregate(total=Sum("amount"))["total"] or 0)


def _check_range(amount: int, limit: int) -> None:
    if not 1 <= amount <= limit:
        raise AmountOutOfRange(got=amount, limit=limit)


def _check_day(amount: int, left: int) -> None:
    if amount > left:
        raise DailyLimit(left=max(0, left))
