"""Masks of gallery queries, made in the background; and a whole search with them.

A set is for the layout it was made for. Whatever was prepared for an older one is thrown away, unused, and nothing of
the pool is ever written to a disk.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from threading import Condition, Thread
from typing import Final

from veilface.errors import VeilfaceError
from veilface.match.blinding import QueryMasks, prepare
from veilface.match.gallery_view import View

CAPACITY: Final = 2


class QueryPool:
    """Up to ``capacity`` sets of masks for the view that ``look`` gives, at one cosine ``threshold``."""

    def __init__(self, look: Callable[[], View], *, threshold: float, capacity: int = CAPACITY) -> None:
        self._look: Final = look
        self._threshold: Final = threshold
        self._capacity: Final = capacity
        self._ready: deque[QueryMasks] = deque()
        self._wanted = 0
        self._closed = False
        self._process: Final = os.getpid()
        self._changed = Condition()
        self._worker = Thread(target=self._work, name="veilface-query-masks", daemon=True)
        self._worker.start()

    def prepare_soon(self, count: int = 1) -> None:
        """Ask for so many more sets, as far as there is room."""
        with self._changed:
            self._wanted = min(self._wanted + count, self._capacity)
            self._changed.notify_all()

    def take(self, view: View) -> QueryMasks:
        """A set for this view, used by nobody before: a prepared one, or one made now."""
        if self._process != os.getpid():  # a fork has copies of what its parent will use, and of its lock
            return self._make(view)
        with self._changed:
            while self._ready:
                masks = self._ready.popleft()
                if masks.generation == view.generation:
                    return masks
        return self._make(view)

    def close(self) -> None:
        """End the worker and drop what is prepared. Doing it again does no harm."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()
        self._ready.clear()

    def _make(self, view: View) -> QueryMasks:
        return prepare(
            generation=view.generation, live=view.live, public_key=view.keys.zeros, threshold=self._threshold
        )

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wanted > 0)
                if self._closed:
                    return
                self._wanted -= 1
            try:
                self._prepare()
            except VeilfaceError:
                pass  # a gallery that cannot be searched tells so whoever searches it
            except Exception:
                logging.getLogger(__name__).exception("masks were not prepared")

    def _prepare(self) -> None:
        view = self._look()
        if view.blocks and self._has_room(view):
            masks = self._make(view)
            with self._changed:
                self._ready.append(masks)

    def _has_room(self, view: View) -> bool:
        """Throw away what was made for an older layout: it would keep the room of what is of use."""
        with self._changed:
            fresh = [masks for masks in self._ready if masks.generation == view.generation]
            self._ready.clear()
            self._ready.extend(fresh)
            return len(fresh) < self._capacity
