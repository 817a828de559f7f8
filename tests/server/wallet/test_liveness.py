"""A payment waits for the movements that were asked for with it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.server.test_liveness import CHANGES, as_asked, moved
from tests.server.wallet.phone import Phone, new_key
from tests.support import Answer, granted
from veilface.server.wallet.models import Transfer


@pytest.fixture(autouse=True)
def _asked(settings: Any) -> None:
    settings.LIVENESS = frozenset({"login", "payment"})


def test_a_payment_moves_money_only_after_the_movements(payer: Phone, payee: Phone) -> None:
    order = payer.order(payee.code(), 1_200)

    def paid(record: Callable[[dict[str, Any]], bytes]) -> Answer:
        message = payer.message(order)
        return payer.send(order, moved(message, record(message.grant)), key=new_key())

    refused = paid(lambda grant: as_asked(grant, CHANGES["another order"]))
    assert (refused.status, refused.json["code"]) == (422, "server.liveness_refused")
    assert paid(lambda _grant: b"").json["code"] == "server.liveness_missing"
    assert (payer.balance, payee.balance) == (100_000, 0)
    assert not Transfer.objects.filter(kind=Transfer.Kind.PAYMENT).exists()
    done = granted(paid(as_asked)).json
    assert done["accepted"]
    assert (payer.balance, payee.balance) == (98_800, 1_200)
