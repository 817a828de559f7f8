"""Where money comes from. A provider is asked, and says later – it may be days – whether the money came.

A provider that calls back only makes the server ask sooner: what counts is its answer to ``ask``.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from threading import Lock
from typing import Final, Protocol

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

REMEMBERED: Final = 10_000
REFUSED_CENTS: Final = 13


class Standing(StrEnum):
    """What a provider says about one order for money."""

    UNKNOWN = "unknown"  # it never heard of it: begin again
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class MoneyOrder:
    """``reference`` is ours and unique: a provider that hears it twice takes the money once."""

    reference: str
    amount: int
    currency: str


class Provider(Protocol):
    """A way for money to come in. Both calls may be repeated, and raise where the provider does not answer."""

    name: str

    def begin(self, order: MoneyOrder) -> None:
        """Ask for the money."""

    def ask(self, order: MoneyOrder) -> Standing:
        """Whether it came."""


class Sandbox:
    """Play money: confirmed two seconds after it was asked for, refused where the amount ends in 13.

    It remembers in memory, and forgets when the server stops; then it is asked again.
    """

    name = "sandbox"
    delay_s = 2.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    def begin(self, order: MoneyOrder) -> None:
        """Remember when."""
        with self._lock:
            self._begun.setdefault(order.reference, self._clock())
            while len(self._begun) > REMEMBERED:
                self._begun.popitem(last=False)

    def ask(self, order: MoneyOrder) -> Standing:
        """Waiting at first, then the answer."""
        begun = self._begun.get(order.reference)
        if begun is None:
            return Standing.UNKNOWN
        if self._clock() - begun < self.delay_s:
            return Standing.WAITING
        return Standing.REFUSED if order.amount % 100 == REFUSED_CENTS else Standing.CONFIRMED


@cache
def provider(name: str) -> Provider:
    """The provider of this name, one object a process; raises ``ImproperlyConfigured``."""
    known = {"sandbox": Sandbox}
    if name not in known:
        raise ImproperlyConfigured(f"VEILFACE_WALLET_PROVIDER must be one of {', '.join(known)}, got {name!r}")
    return known[name]()


def in_use() -> Provider:
    """The provider that new money is asked of."""
    return provider(settings.WALLET_PROVIDER)
