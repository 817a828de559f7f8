"""The rooms of this process: for every open gallery its blocks, its prepared masks, and the way to the key holder.

Block files and masks belong to one process: whoever holds the lock of the folder. It goes with the process, however
that ends.
"""

import fcntl
import os
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, RLock
from typing import Final

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, connection

from veilface.keyholder.gallery_client import RemotePacker
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.match.engine import engine_from
from veilface.match.gallery import Gallery
from veilface.match.gallery_truth import Enrolment
from veilface.match.gallery_view import View
from veilface.match.query_pool import QueryPool
from veilface.protect.calibration import cosine_threshold
from veilface.server import keyholding
from veilface.server.enrolment import evidence
from veilface.server.galleries.errors import GalleryElsewhere, GalleryUnusable
from veilface.server.galleries.models import Gallery as GalleryRow
from veilface.server.galleries.truth import DjangoTruth

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
MOST_LOST: Final = 100
"""Rotations that a restored database may not know of."""


class Room:
    """One gallery, open. Safe to use from many threads. ``registering`` – held by who registers somebody."""

    def __init__(self, row: GalleryRow, folder: Path) -> None:
        """Raises :class:`~veilface.keyholder.errors.Unavailable` where its keys cannot be had."""
        self.registering: Final = Lock()
        self._truth: Final = DjangoTruth(row.id, public_key=evidence.public_key)
        self.engine: Final = engine_from(os.environ, gallery=row.id)
        packer = RemotePacker(keyholding.keyholder(), row.wire_id)
        _catch_up(row, packer)
        self.gallery: Final = Gallery(folder, self._truth, packer)
        self.pool: Final = QueryPool(self._look, threshold=cosine_threshold())

    def enrolments(self, person: bytes) -> list[Enrolment]:
        """The templates of somebody who is still there."""
        return self._truth.enrolments_of(person)

    def close(self) -> None:
        """End the thread that prepares masks, and the engine."""
        self.pool.close()
        self.engine.close()

    def _look(self) -> View:
        """The view that masks are prepared for. Their thread outlives a failing database, and keeps no connection."""
        try:
            return self.gallery.view()
        except (DatabaseError, ObjectDoesNotExist, OSError) as error:
            raise GalleryUnusable from error
        finally:
            connection.close()


class Rooms:
    """The rooms below one folder. The first that is opened takes the folder for this process."""

    def __init__(self, folder: Path) -> None:
        self._folder: Final = folder
        self._rooms: dict[str, Room] = {}
        self._lock = RLock()
        self._held: int | None = None

    def room(self, row: GalleryRow) -> Room:
        """The gallery's room, opened where it is not; raises :class:`GalleryElsewhere`."""
        with self._lock:
            if row.id not in self._rooms:
                self.hold()
                self._rooms[row.id] = Room(row, self._folder / row.id)
            return self._rooms[row.id]

    def hold(self) -> None:
        """Take the folder for this process, or raise :class:`GalleryElsewhere`."""
        with self._lock:
            if self._held is not None:
                return
            self._folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise GalleryElsewhere from None
            self._held = descriptor

    def shut(self, gallery: str) -> None:
        """Close one room, if it is open, and remove its files."""
        with self._lock:
            room = self._rooms.pop(gallery, None)
            if room is not None:
                room.close()
            folder = self._folder / gallery
            if folder.is_dir():
                for file in folder.iterdir():
                    file.unlink()
                folder.rmdir()

    def close(self) -> None:
        """Close every room and let go of the folder."""
        with self._lock:
            for room in self._rooms.values():
                room.close()
            self._rooms.clear()
            if self._held is not None:
                os.close(self._held)
                self._held = None


def _catch_up(row: GalleryRow, packer: RemotePacker) -> None:
    """Go on with the next key where the gallery's was erased: the database is older than the key holder's.

    Its blocks are of another key then, and are packed anew before anybody is answered.
    """
    for epoch in range(row.epoch, row.epoch + MOST_LOST):
        with suppress(GalleryUnknown):
            packer.create(epoch)
            GalleryRow.objects.filter(pk=row.pk, epoch__lt=epoch).update(epoch=epoch)
            return


@cache
def rooms() -> Rooms:
    """The process's own; a room's thread starts with its first use, so never before a fork."""
    return Rooms(settings.GALLERIES)
