"""The keeper: two threads of the serving process that do for galleries what no request waits for.

Every second one of them tells the key holder who left, which kiosks are revoked and which keys are to be erased. The
other one carries out what the operator noted, packs who waits, and has masks prepared; every minute it packs blocks
anew that still hold somebody who left; every month it packs everybody anew under a fresh key. That may take a quarter
of an hour, and a revocation must not wait for it. Each is a duty of its own: what fails is logged by its code and tried
again after a pause that doubles up to a minute, and keeps no other duty waiting.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from typing import Final, Literal

import structlog
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from veilface.errors import VeilfaceError
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.match.gallery_errors import GalleryDamaged
from veilface.match.query_pool import CAPACITY
from veilface.server import keyholding
from veilface.server.galleries import leaving, operating
from veilface.server.galleries.errors import GalleryElsewhere
from veilface.server.galleries.models import Gallery, Kiosk, Member, Order
from veilface.server.galleries.rooms import Room, Rooms, rooms

EVERY_S: Final = 1.0
REFRESH_EVERY_S: Final = 60.0
LONGEST_PAUSE_S: Final = 60.0
EXPECTED: Final = (VeilfaceError, DatabaseError, OSError)
Duty = Literal["close", "tell", "tend", "erase", "renew"]
ERRANDS: Final[tuple[Duty, ...]] = ("tell", "erase")
"""Words to the key holder: done in a moment, and owed within one."""
LABOUR: Final[tuple[Duty, ...]] = ("close", "tend", "renew")
DUTIES: Final[tuple[Duty, ...]] = ("close", "tell", "tend", "erase", "renew")
log = structlog.stdlib.get_logger("veilface.server.galleries")


class Keeper:
    """What is due, and when: ``clock`` in seconds for pauses, ``now`` for the age of keys.

    Several threads may go on their rounds at once, each with duties of its own.
    """

    def __init__(
        self,
        kept: Rooms,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = timezone.now,
    ) -> None:
        self._rooms: Final = kept
        self._clock: Final = clock
        self._now: Final = now
        self._work: Final[dict[Duty, Callable[[Gallery], None]]] = {
            "close": self._close,
            "tell": self._tell,
            "tend": self._tend,
            "erase": self._erase,
            "renew": self._renew,
        }
        self._pauses: dict[tuple[str, Duty], float] = {}
        self._due: dict[tuple[str, Duty], float] = {}
        self._refreshed: dict[str, float] = {}
        self._erased: dict[str, int] = {}

    def round(self, duties: Sequence[Duty] = DUTIES) -> None:
        """Do for every gallery what is due of these duties, one after the other."""
        galleries = list(Gallery.objects.all())
        for duty in duties:
            state = Gallery.State.CLOSING if duty == "close" else Gallery.State.OPEN
            for gallery in galleries:
                if gallery.state == state:
                    self._attempt(duty, gallery)

    def _attempt(self, duty: Duty, gallery: Gallery) -> None:
        what = gallery.id, duty
        if self._clock() < self._due.get(what, 0.0):
            return
        try:
            self._work[duty](gallery)
        except EXPECTED as error:
            pause = min(2 * self._pauses.get(what, EVERY_S / 2), LONGEST_PAUSE_S)
            self._pauses[what], self._due[what] = pause, self._clock() + pause
            if not isinstance(error, GalleryElsewhere):
                log.warning("gallery_waits", gallery=gallery.id, duty=duty, error=_code(error), again_in_s=pause)
        else:
            self._pauses.pop(what, None)

    def _tell(self, gallery: Gallery) -> None:
        """Whoever left has left at the key holder, too, whether or not there is anything here to keep."""
        for departure in gallery.departures.select_related("gallery"):
            leaving.tell(departure)
        for kiosk in gallery.kiosks.filter(state=Kiosk.State.REVOKED, revocation_told=False).select_related("gallery"):
            leaving.tell_revoked(kiosk)

    def _tend(self, gallery: Gallery) -> None:
        room = self._rooms.room(gallery)
        _mend(room, gallery)
        for order in gallery.orders.filter(done_at=None):
            _carry_out(order, room, gallery)
        if Member.objects.filter(gallery=gallery, block=None).exists():
            room.gallery.pack()
        if self._clock() >= self._refreshed.get(gallery.id, 0.0) + REFRESH_EVERY_S:
            self._refreshed[gallery.id] = self._clock()
            room.gallery.refresh()
        room.pool.prepare_soon(CAPACITY)
        room.engine.place(room.gallery.view().shards)

    def _erase(self, gallery: Gallery) -> None:
        """No older key outlives a rotation whose last step failed. Where that was seen to, nobody is asked again."""
        if self._erased.get(gallery.id) != gallery.epoch:
            keyholding.keyholder().gallery_erase_before(gallery=gallery.wire_id, epoch=gallery.epoch)
            self._erased[gallery.id] = gallery.epoch

    def _renew(self, gallery: Gallery) -> None:
        """Who is in which slot is what hits give away over time: so everybody changes places in time."""
        due = operating.rotates_at(gallery)
        if due is not None and self._now() >= due:
            _rotate(self._rooms.room(gallery), gallery)
            log.info("gallery_rotated", gallery=gallery.id, epoch=gallery.epoch)

    def _close(self, gallery: Gallery) -> None:
        """Keys first: without them every copy of the blocks is noise. Killed in between, it is done again."""
        leaving.empty(gallery)
        with suppress(GalleryUnknown):  # closed before a room of it was opened, which is what makes its keys
            keyholding.keyholder().gallery_forget(gallery=gallery.wire_id)
        self._rooms.hold()
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


def _rotate(room: Room, gallery: Gallery) -> None:
    """Done once everybody is packed anew: erasing the older key, should that fail, is a duty of its own."""
    before = gallery.epoch
    try:
        room.gallery.rotate()
    except EXPECTED as error:
        gallery.refresh_from_db(fields=("epoch", "keyed_at"))
        if gallery.epoch == before:
            raise
        log.warning("old_key_remains", gallery=gallery.id, epoch=before, error=_code(error))
    else:
        gallery.refresh_from_db(fields=("epoch", "keyed_at"))


def _carry_out(order: Order, room: Room, gallery: Gallery) -> None:
    """Do what the operator noted. A failure is theirs to read; they note it again if they still want it."""
    work: dict[Order.Kind, Callable[[], None]] = {
        Order.Kind.ROTATE: partial(_rotate, room, gallery),
        Order.Kind.REBUILD: room.gallery.rebuild,
    }
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
def start() -> tuple[threading.Thread, ...]:
    """Begin to keep the galleries, in this process; asking again begins nothing new."""
    keeper = Keeper(rooms())
    threads = tuple(
        threading.Thread(target=_forever, args=(keeper, duties), name=name, daemon=True)
        for name, duties in (("veilface-keeper", LABOUR), ("veilface-messenger", ERRANDS))
    )
    for thread in threads:
        thread.start()
    return threads


def _forever(keeper: Keeper, duties: Sequence[Duty]) -> None:
    while True:
        try:
            close_old_connections()
            keeper.round(duties)
        except EXPECTED as error:
            log.warning("keeper_waits", error=_code(error))
        except Exception:
            log.exception("keeper_failed")  # whatever it was: the next round comes in a second
        time.sleep(EVERY_S)
