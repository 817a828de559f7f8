"""People join and are found by a kiosk; whoever leaves – however they leave – is never found again."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.server.conftest import Switchable
from tests.server.galleries.conftest import Visitor
from tests.server.galleries.kiosk import Kiosk
from tests.support import PASSWORD, granted, near, unit
from veilface.keyholder.errors import KeyHolderUnavailable
from veilface.keyholder.gallery_errors import QueryUnknown
from veilface.protect.envelope import Outcome, Receipt
from veilface.server.base64url import decode
from veilface.server.galleries.keeper import Keeper
from veilface.server.galleries.models import Block, Departure, Gallery, Member, OptIn
from veilface.server.galleries.rooms import rooms

Visitors = Callable[[int], Visitor]


def test_who_joined_is_found_and_nobody_else(gallery: Gallery, keeper: Keeper, kiosk: Kiosk, visitor: Visitors) -> None:
    guest = visitor(1)
    assert kiosk.search(guest.face).json == {"outcome": "nobody", "people": [], "searched": 0}
    answer = guest.join(gallery)
    assert answer.status == 201, answer.body
    assert Receipt.parse(decode(answer.json["receipt"])).outcome is Outcome.ACCEPTED
    keeper.round()
    found = kiosk.search(near(guest.face, cosine=0.8))
    assert found.status == 200, found.body
    assert found.json["outcome"] == "found", found.body
    assert [person["name"] for person in found.json["people"]] == ["测试者"]
    assert found.json["searched"] == 1
    unknown = kiosk.search(unit(2))
    assert unknown.json["outcome"] == "nobody"
    stages = [re.findall(r"(\w+);dur", answer.headers["Server-Timing"]) for answer in (found, unknown)]
    assert stages == [["check", "search"]] * 2, "a comparison 1:1 does not show"
    assert bytes(OptIn.objects.get().receipt) == decode(answer.json["receipt"])


@pytest.mark.parametrize("way", ["leave", "delete", "renew", "account", "device"])
def test_whoever_leaves_is_not_found(
    way: str, gallery: Gallery, keeper: Keeper, kiosk: Kiosk, visitor: Visitors
) -> None:
    guest, other = visitor(1), visitor(2)
    for one in (guest, other):
        assert one.join(gallery).status == 201
    keeper.round()
    assert kiosk.names(guest.face) == ["测试者"]
    _leave(guest, way, gallery)
    assert not Member.objects.filter(account_id=guest.device.person.account.hex()).exists()
    assert kiosk.names(guest.face) == []
    assert kiosk.names(other.face) == ["测试者"]
    keeper.round()
    assert Departure.objects.count() == 0
    keeper.round()
    assert kiosk.names(guest.face) == []


def _leave(guest: Visitor, way: str, gallery: Gallery) -> None:
    match way:
        case "leave":
            assert granted(guest.leave(gallery)).status == 200
        case "delete":
            assert guest.device.delete_template().status == 200
        case "renew":
            assert guest.device.enrol(guest.face, password=PASSWORD).status == 201
        case "account":
            assert guest.device.api.post("/account/deletion", {"password": PASSWORD}).status == 204
        case "device":
            assert guest.device.revoke(guest.device).status == 200


def test_a_hit_that_the_key_holder_opens_no_longer_spoils_nobody_elses(
    gallery: Gallery, keeper: Keeper, kiosk: Kiosk, visitor: Visitors, keyholder: Switchable
) -> None:
    guest = visitor(1)
    assert kiosk.register(near(guest.face, cosine=0.8), "张三").status == 201
    assert guest.join(gallery).status == 201
    keeper.round()
    assert sorted(kiosk.names(guest.face)) == ["张三", "测试者"]
    keyholder.gallery_drop(gallery=gallery.wire_id, account=guest.device.person.account)
    assert kiosk.names(guest.face) == ["张三"]


def test_a_search_whose_key_was_erased_meanwhile_is_to_be_repeated(
    gallery: Gallery, keeper: Keeper, kiosk: Kiosk, keyholder: Switchable
) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    keyholder.fails["identify_reshare"] = QueryUnknown()
    answer = kiosk.search(unit(1))
    assert (answer.status, answer.code) == (503, "galleries.unusable")
    keyholder.fails.clear()
    assert kiosk.names(unit(1)) == ["张三"]


def test_a_database_older_than_the_key_holder_answers_once_it_is_packed_anew(
    gallery: Gallery, keeper: Keeper, kiosk: Kiosk
) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    old = Block.objects.get().key_fp
    rooms().room(gallery).gallery.rotate()
    Gallery.objects.update(epoch=1)  # as in a backup of before: its key is erased, and no block is under the next one
    Block.objects.update(key_fp=old)
    rooms().close()
    answer = kiosk.search(unit(1))
    assert (answer.status, answer.code) == (503, "galleries.unusable")
    keeper.round()
    assert kiosk.names(unit(1)) == ["张三"]
    assert Gallery.objects.get().epoch == 2


# --- a device that is revoked ----------------------------------------------------------------------------


def test_who_revokes_a_device_is_out_also_where_the_key_holder_does_not_answer(
    gallery: Gallery, keeper: Keeper, kiosk: Kiosk, visitor: Visitors, keyholder: Switchable
) -> None:
    guest = visitor(1)
    assert guest.join(gallery).status == 201
    keeper.round()
    keyholder.fails["revoke_device"] = KeyHolderUnavailable()
    assert guest.device.revoke(guest.device).status == 503
    assert Member.objects.count() == 0
    assert kiosk.names(guest.face) == []


def test_a_device_revoked_while_it_joins_lets_nobody_in(
    gallery: Gallery, keeper: Keeper, visitor: Visitors, keyholder: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.round()
    guest, opt_in = visitor(1), keyholder.gallery_opt_in

    def meanwhile(**fields: Any) -> bytes:
        receipt: bytes = opt_in(**fields)
        assert guest.device.revoke(guest.device).status == 200
        return receipt

    monkeypatch.setattr(keyholder, "gallery_opt_in", meanwhile, raising=False)
    answer = guest.join(gallery)
    assert (answer.status, answer.code) == (403, "keyholder.device_not_active")
    assert Member.objects.count() == 0


def test_who_joins_while_the_device_is_revoked_is_out_again(
    gallery: Gallery, keeper: Keeper, visitor: Visitors, keyholder: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.round()
    guest, revoke = visitor(1), keyholder.revoke_device
    signed = guest.signed(gallery)

    def meanwhile(**fields: Any) -> object:
        assert guest.device.api.octets(f"/galleries/{gallery.id}/membership", signed).status == 201
        return revoke(**fields)

    monkeypatch.setattr(keyholder, "revoke_device", meanwhile, raising=False)
    assert guest.device.revoke(guest.device).status == 200
    assert Member.objects.count() == 0
