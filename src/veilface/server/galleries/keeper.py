"""The keeper: one thread of the serving process that does for galleries what no request waits for.

Every second it tells the key holder who left, carries out what the operator noted, packs who waits, and has masks
prepared; every minute it packs blocks anew that still hold somebody who left. What fails is logged by its code and
tried again after a pause that doubles up to a minute.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Final

import structlog
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from veilface.errors import VeilfaceError
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.match.gallery_errors import GalleryDamaged
from veilface.match.query_pool import CAPACITY
from veilface.server import keyholding
from veilface.server.galleries import leaving
from veilface.server.galleries.errors import GalleryElsewhere
from veilface.server.galleries.models import Gallery, Member, Order
from veilface.server.galleries.rooms import Room, Rooms, rooms

EVERY_S: Final = 1.0
REFRESH_EVERY_S: Final = 60.0
LONGEST_PAUSE_S: Final = 60.0
EXPECTED: Final = (VeilfaceError, DatabaseError, OSError)
log = structlog.stdlib.get_logger("veilface.server.galleries")


class Keeper:
    """What is due, and when. ``clock`` in seconds."""

    def __init__(self, kept: Rooms, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rooms: Final = kept
        self._clock: Final = clock
        self._pauses: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._refreshed: dict[str, float] = {}

    def round(self) -> None:
        """Look after every gallery that is due; one that fails keeps no other waiting."""
        for gallery in Gallery.objects.all():
            if self._clock() >= self._due.get(gallery.id, 0.0):
                self._visit(gallery)

    def _visit(self, gallery: Gallery) -> None:
        try:
            self._close(gallery) if gallery.state == Gallery.State.CLOSING else self._tend(gallery)
        except EXPECTED as error:
            pause = min(2 * self._pauses.get(gallery.id, EVERY_S / 2), LONGEST_PAUSE_S)
            self._pauses[gallery.id], self._due[gallery.id] = pause, self._clock() + pause
            if not isinstance(error, GalleryElsewhere):
                log.warning("gallery_waits", gallery=gallery.id, error=_code(error), again_in_s=pause)
        else:
            self._pauses.pop(gallery.id, None)

    def _tend(self, gallery: Gallery) -> None:
        room = self._rooms.room(gallery)
        for departure in gallery.departures.select_related("gallery"):
            leaving.tell(departure)
        _mend(room, gallery)
        for order in gallery.orders.filter(done_at=None):
            _carry_out(order, room)
        if Member.objects.filter(gallery=gallery, block=None).exists():
            room.gallery.pack()
        if self._clock() >= self._refreshed.get(gallery.id, 0.0) + REFRESH_EVERY_S:
            self._refreshed[gallery.id] = self._clock()
            room.gallery.refresh()
        room.pool.prepare_soon(CAPACITY)
        room.engine.place(room.gallery.view().shards)

    def _close(self, gallery: Gallery) -> None:
        """Keys first: without them every copy of the blocks is noise. Killed in between, it is done again."""
        self._rooms.hold()
        leaving.empty(gallery)
        with suppress(GalleryUnknown):  # closed before a room of it was opened, which is what makes its keys
            keyholding.keyholder().gallery_forget(gallery=gallery.wire_id)
        self._rooms.shut(gallery.id)
        gallery.blocks.all().delete()
        gallery.delete()
        log.info("gallery_closed", gallery=gallery.id)


def _mend(room: Room, gallery: Gallery) -> None:
    """Rebuild what is damaged: blocks can always be made again, and nothing is answered until they are."""
    try:
        room.gallery.view()
    except GalleryDamaged as damaged:
        log.warning("gallery_damaged", gallery=gallery.id, **damaged.details)
        room.gallery.rebuild()


def _carry_out(order: Order, room: Room) -> None:
    """Do what the operator noted. A failure is theirs to read; they note it again if they still want it."""
    work = {Order.Kind.ROTATE: room.gallery.rotate, Order.Kind.REBUILD: room.gallery.rebuild}
    failure = ""
    try:
        work[Order.Kind(order.kind)]()
    except EXPECTED as error:
        failure = _code(error)
        log.warning("order_failed", gallery=order.gallery_id, kind=order.kind, error=failure)
    Order.objects.filter(pk=order.pk).update(done_at=timezone.now(), failure=failure)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, VeilfaceError) else type(error).__name__


@cache
def start() -> threading.Thread:
    """Begin to keep the galleries, in this process; asking again begins nothing new."""
    thread = threading.Thread(target=_forever, name="veilface-keeper", daemon=True)
    thread.start()
    return thread


def _forever() -> None:
    keeper = Keeper(rooms())
    while True:
        try:
            close_old_connections()
            keeper.round()
        except EXPECTED as error:
            log.warning("keeper_waits", error=_code(error))
        except Exception:
            log.exception("keeper_failed")  # whatever it was: the next round comes in a second
        time.sleep(EVERY_S)
