"""The keeper: what it does by itself, what the operator notes for it, and how it waits when something is in the way."""

from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from tests.server.conftest import Switchable
from tests.server.galleries.kiosk import Kiosk
from tests.support import unit
from veilface.keyholder.errors import AccountForgotten, KeyHolderUnavailable
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.server.galleries import operating
from veilface.server.galleries.errors import GalleryElsewhere
from veilface.server.galleries.keeper import Keeper, start
from veilface.server.galleries.models import Block, Departure, Gallery, Member, Order
from veilface.server.galleries.rooms import Rooms, rooms


def files(gallery: Gallery) -> set[str]:
    return {file.name.split(".")[0] for file in (Path(settings.GALLERIES) / gallery.id).iterdir()}


def blocks() -> set[str]:
    return set(Block.objects.values_list("id", flat=True))


def test_orders_are_carried_out_once(gallery: Gallery, keeper: Keeper, kiosk: Kiosk) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    before = blocks()
    operating.order(gallery, Order.Kind.ROTATE)
    assert operating.order(gallery, Order.Kind.ROTATE).pk == Order.objects.get().pk
    keeper.round()
    keeper.round()
    gallery.refresh_from_db()
    assert (gallery.epoch, Order.objects.get().failure) == (2, "")
    assert blocks().isdisjoint(before)
    assert files(gallery) == blocks()
    assert kiosk.names(unit(1)) == ["张三"]


def test_a_damaged_block_is_told_and_made_again(gallery: Gallery, keeper: Keeper, kiosk: Kiosk) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    (file,) = (Path(settings.GALLERIES) / gallery.id).iterdir()
    file.write_bytes(bytes(file.stat().st_size))
    assert operating.verify(gallery) == [file.name.split(".")[0]]
    rooms().close()
    answer = kiosk.search(unit(1))
    assert (answer.status, answer.code) == (503, "galleries.unusable")
    Keeper(rooms()).round()
    assert operating.verify(gallery) == []
    assert kiosk.names(unit(1)) == ["张三"]


def test_what_fails_is_tried_again_after_a_pause_that_doubles(
    gallery: Gallery, kiosk: Kiosk, keyholder: Switchable
) -> None:
    now, asked = [0.0], list[float]()
    keeper = Keeper(rooms(), clock=lambda: now[0])
    assert kiosk.register(unit(1), "张三").status == 201
    keyholder.fails["gallery_pack_begin"] = KeyHolderUnavailable()
    packing = rooms().room(gallery).gallery.pack

    def pack(*, patience_s: float | None = None) -> None:
        asked.append(now[0])
        packing(patience_s=patience_s)

    rooms().room(gallery).gallery.pack = pack  # type: ignore[method-assign]
    for second in range(12):
        now[0] = float(second)
        keeper.round()
    assert asked == [0.0, 1.0, 3.0, 7.0]
    keyholder.fails.clear()
    now[0] = 15.0
    keeper.round()
    assert kiosk.names(unit(1)) == ["张三"]


def test_whoever_left_leaves_the_blocks_within_a_minute(gallery: Gallery, kiosk: Kiosk) -> None:
    now = [0.0]
    keeper = Keeper(rooms(), clock=lambda: now[0])
    people = [kiosk.register(unit(seed), str(seed)).json["id"] for seed in (1, 2)]
    keeper.round()
    assert Block.objects.get().packed == 2
    assert kiosk.send("DELETE", f"/kiosk/people/{people[0]}").status == 204
    now[0] = 61.0
    keeper.round()
    assert Block.objects.get().packed == 1
    assert (kiosk.names(unit(1)), kiosk.names(unit(2))) == ([], ["2"])


def test_a_departure_waits_for_the_key_holder(gallery: Gallery, keeper: Keeper, keyholder: Switchable) -> None:
    Departure.objects.create(gallery=gallery, account="0" * 32)
    keyholder.fails["gallery_drop"] = KeyHolderUnavailable()
    keeper.round()
    assert Departure.objects.count() == 1
    keyholder.fails["gallery_drop"] = AccountForgotten()
    Keeper(rooms()).round()
    assert Departure.objects.count() == 0


def test_whoever_left_is_told_although_the_gallery_cannot_be_kept_here(
    gallery: Gallery, keeper: Keeper, keyholder: Switchable
) -> None:
    dropped = list[bytes]()
    keyholder.gallery_drop = lambda **asked: dropped.append(asked["account"])  # type: ignore[attr-defined]
    elsewhere = Rooms(Path(settings.GALLERIES))
    elsewhere.hold()
    Departure.objects.create(gallery=gallery, account="1" * 32)
    keeper.round()
    elsewhere.close()
    (Path(settings.GALLERIES) / gallery.id).write_bytes(b"where a folder should be")
    Departure.objects.create(gallery=gallery, account="2" * 32)
    Keeper(rooms()).round()
    assert dropped == [bytes.fromhex("1" * 32), bytes.fromhex("2" * 32)]
    assert Departure.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # how the two threads end
def test_whoever_leaves_while_everybody_is_packed_anew_is_told_meanwhile(
    gallery: Gallery, keyholder: Switchable, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, through = Event(), list[bool]()

    def rotating() -> NoReturn:
        Departure.objects.create(gallery=gallery, account="1" * 32)
        through.append(told.wait(30))
        connection.close()
        raise SystemExit  # this thread has done its part

    def dropping(**_asked: bytes) -> NoReturn:
        told.set()
        connection.close()
        raise SystemExit

    monkeypatch.setattr(rooms().room(gallery).gallery, "rotate", rotating)
    keyholder.gallery_drop = dropping  # type: ignore[attr-defined]
    operating.order(gallery, Order.Kind.ROTATE)
    start.cache_clear()
    for thread in start():
        thread.join(60)
        assert not thread.is_alive()
    start.cache_clear()
    assert through == [True]


def test_an_old_key_is_erased_in_the_end(gallery: Gallery, kiosk: Kiosk, keyholder: Switchable) -> None:
    now = [0.0]
    keeper = Keeper(rooms(), clock=lambda: now[0])
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    keyholder.fails["gallery_erase_before"] = KeyHolderUnavailable()
    operating.order(gallery, Order.Kind.ROTATE)
    keeper.round()
    assert Order.objects.values_list("failure").get() == ("",), "everybody is packed anew: that is what was asked for"
    assert kiosk.names(unit(1)) == ["张三"]
    assert keyholder.gallery_create(gallery=gallery.wire_id, epoch=1).epoch == 1
    now[0] = 0.5
    keyholder.fails.clear()
    keeper.round()
    assert keyholder.gallery_create(gallery=gallery.wire_id, epoch=1).epoch == 1, "after a pause"
    now[0] = 1.0
    keeper.round()
    with pytest.raises(GalleryUnknown):
        keyholder.gallery_create(gallery=gallery.wire_id, epoch=1)
    assert kiosk.names(unit(1)) == ["张三"]


def test_a_room_opened_by_an_older_row_does_not_set_the_epoch_back(gallery: Gallery) -> None:
    Gallery.objects.update(epoch=2)  # rotated since the row was read
    rooms().room(gallery)
    assert Gallery.objects.get().epoch == 2


def test_a_key_is_replaced_after_thirty_days(gallery: Gallery, kiosk: Kiosk, keyholder: Switchable) -> None:
    seconds, made = [0.0], gallery.keyed_at
    today = [made + timedelta(days=30) - timedelta(microseconds=1)]
    keeper = Keeper(rooms(), clock=lambda: seconds[0], now=lambda: today[0])
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    before = blocks()
    today[0] = made + timedelta(days=30)
    keyholder.fails["gallery_pack_begin"] = KeyHolderUnavailable()
    keeper.round()
    gallery.refresh_from_db()
    assert (gallery.epoch, gallery.keyed_at, blocks()) == (1, made, before)
    keyholder.fails.clear()
    seconds[0] = 1.0
    keeper.round()
    keeper.round()
    gallery.refresh_from_db()
    assert gallery.epoch == 2, "once"
    assert made < gallery.keyed_at <= timezone.now()
    assert blocks().isdisjoint(before)
    assert kiosk.names(unit(1)) == ["张三"]


def test_no_key_is_replaced_where_the_operator_wants_none_to_be(gallery: Gallery, site: Settings) -> None:
    site.GALLERY_ROTATION_DAYS = 0
    Keeper(rooms(), now=lambda: gallery.keyed_at + timedelta(days=9_000)).round()
    gallery.refresh_from_db()
    assert (gallery.epoch, operating.summary(gallery).rotates_at) == (1, None)


def test_closing_takes_everybody_out_at_once_and_then_erases(
    gallery: Gallery, keeper: Keeper, kiosk: Kiosk, keyholder: Switchable
) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()
    operating.close(gallery)
    assert kiosk.send("GET", "/kiosk").status == 401
    assert Member.objects.count() == 0
    keyholder.fails["gallery_forget"] = KeyHolderUnavailable()
    keeper.round()
    assert Gallery.objects.exists()
    keyholder.fails.clear()
    Keeper(rooms()).round()
    assert not Gallery.objects.exists()
    assert not (Path(settings.GALLERIES) / gallery.id).exists()
    with pytest.raises(AccountForgotten):
        keyholder.gallery_create(gallery=gallery.wire_id, epoch=1)


def test_a_gallery_that_was_never_opened_is_closed_too(gallery: Gallery, keeper: Keeper) -> None:
    operating.close(gallery)
    keeper.round()
    assert not Gallery.objects.exists()


def test_one_process_keeps_the_galleries(gallery: Gallery, keeper: Keeper) -> None:
    keeper.round()
    other = Rooms(Path(settings.GALLERIES))
    with pytest.raises(GalleryElsewhere):
        other.room(gallery)
    rooms().close()
    other.room(gallery)
    other.close()
