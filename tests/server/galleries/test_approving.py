"""A further kiosk waits, until one that is active lets it in or turns it away; and nobody else can."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from tests.server.conftest import SiteTransport, Switchable
from tests.server.galleries.kiosk import Kiosk, Verdict
from tests.support import granted, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.protect.envelope import revocation_context
from veilface.server.base64url import encode
from veilface.server.galleries import operating
from veilface.server.galleries.keeper import Keeper
from veilface.server.galleries.models import Gallery
from veilface.server.galleries.models import Kiosk as KioskRow
from veilface.server.galleries.rooms import rooms


def joined(gallery: Gallery) -> Kiosk:
    made = Kiosk(SiteTransport())
    assert made.join(operating.invite(gallery)).status == 201
    return made


@pytest.fixture
def waiting(gallery: Gallery, kiosk: Kiosk) -> Kiosk:
    """A second kiosk, which nobody let in yet."""
    return joined(gallery)


def states() -> list[str]:
    return [row.state for row in KioskRow.objects.order_by("pk")]


def test_an_active_kiosk_lets_another_in(kiosk: Kiosk, waiting: Kiosk) -> None:
    (shown,) = granted(kiosk.send("GET", "/kiosk/waiting")).json
    assert (shown["id"], shown["name"], shown["state"]) == (waiting.device_id.hex(), "大门", "pending")
    assert shown["public_key"] == encode(waiting.public_key)
    for _ in range(2):  # an answer that was lost
        assert kiosk.verdict(waiting, "approval").json["state"] == "active"
    assert (kiosk.waiting(), waiting.send("GET", "/kiosk").json["state"]) == ([], "active")
    assert len(waiting.grants("identify")) == 1, "the key holder knows it as well"


def test_an_active_kiosk_turns_another_away_for_good(kiosk: Kiosk, waiting: Kiosk, keyholder: Switchable) -> None:
    assert kiosk.verdict(waiting, "refusal").json["state"] == "revoked"
    # The server was killed before it noted it, and nobody repeated it for a day.
    KioskRow.objects.filter(state="revoked").update(state="pending", active_from=timezone.now())
    assert kiosk.verdict(waiting, "refusal").json["state"] == "revoked"
    assert waiting.send("GET", "/kiosk").status == 401
    assert kiosk.verdict(waiting, "approval").status == kiosk.verdict(waiting, "refusal").status == 404
    known = keyholder.account_status(kiosk.gallery).devices
    assert [device.state for device in known] == ["active", "revoked"]


@pytest.fixture
def untouched(waiting: Kiosk, keyholder: Switchable) -> Iterator[None]:
    """Whatever a test tries, nobody is let in or turned away by it, here or at the key holder."""
    before = states()
    yield
    known = keyholder.account_status(waiting.gallery).devices
    assert [device.state for device in known] == states() == before == ["active", "pending"]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("verdict", ["approval", "refusal"])
def test_nobody_else_decides(kiosk: Kiosk, waiting: Kiosk, verdict: Verdict) -> None:
    elsewhere = joined(operating.create(name="后台", purpose="员工", may_register=True))
    path = f"/kiosk/waiting/{waiting.device_id.hex()}"
    bodies = {"challenge": {}, verdict: {"header": encode(bytes(256)), "signature": encode(bytes(64))}}
    for asks, refused in ((waiting, (403, "galleries.kiosk_waits")), (elsewhere, (404, "server.not_found"))):
        for step, body in bodies.items():
            answer = asks.send("POST", f"{path}/{step}", body)
            assert (answer.status, answer.code) == refused
    assert waiting.send("GET", "/kiosk/waiting").code == "galleries.kiosk_waits"
    assert elsewhere.waiting() == []
    assert kiosk.verdict(kiosk, "refusal").status == 404, "an active one is the operator's to revoke"
    KioskRow.objects.filter(gallery__name="后台").delete()


BENDS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"type": 10}, "server.wrong_message"),
    ({"account_id": bytes(16)}, "server.wrong_message"),
    ({"device_id": bytes(16)}, "server.wrong_message"),
    ({"body_hash": bytes(32)}, "server.wrong_message"),
    ({"context_hash": revocation_context(bytes(16))}, "server.context_mismatch"),
    ({"issued_ms": 0}, "server.stale_message"),
    ({"challenge": bytes(32)}, "keyholder.challenge_forged"),
)


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("verdict", ["approval", "refusal"])
def test_a_bent_word_decides_nothing(kiosk: Kiosk, waiting: Kiosk, verdict: Verdict) -> None:
    for bent, code in BENDS:
        assert kiosk.verdict(waiting, verdict, **bent).code == code
    kiosk.key = waiting.key
    assert kiosk.verdict(waiting, verdict).code == "protect.bad_signature"


# --- the operator ----------------------------------------------------------------------------------------


def test_whom_the_operator_revokes_stays_revoked(gallery: Gallery, kiosk: Kiosk, waiting: Kiosk) -> None:
    operating.revoke(gallery, waiting.device_id.hex())
    assert kiosk.waiting() == []
    assert kiosk.verdict(waiting, "approval").status == 404
    assert states() == ["active", "revoked"]


def test_a_revocation_reaches_the_key_holder_when_it_can(
    gallery: Gallery, keeper: Keeper, kiosk: Kiosk, keyholder: Switchable
) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    signed = [kiosk.sealed(kiosk.message("identify", unit(1))) for _ in range(2)]
    operating.revoke(gallery, "大门")
    keyholder.fails["gallery_revoke_kiosk"] = KeyHolderUnavailable()
    keeper.round()
    assert kiosk.octets("/kiosk/searches", signed[0]).status == 401
    KioskRow.objects.update(state="active")  # a server that lies
    assert kiosk.octets("/kiosk/searches", signed[0]).json["outcome"] == "found", "not told yet"
    KioskRow.objects.update(state="revoked")
    keyholder.fails.clear()
    for _ in range(2):
        Keeper(rooms()).round()
        assert KioskRow.objects.get().revocation_told
    KioskRow.objects.update(state="active")
    assert kiosk.octets("/kiosk/searches", signed[1]).code == "keyholder.device_not_active"
