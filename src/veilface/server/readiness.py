"""Whether the key holder answers: asked by anybody, signed in or not, so the answer may cost next to nothing.

However many ask, the key holder hears one question a second, and no more than one is on its way at a time. Nobody
waits for it longer than :data:`PATIENCE_S`, whatever the key holder does meanwhile.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import cache
from threading import Lock
from typing import Final

from veilface.keyholder.errors import KeyHolderError
from veilface.server import keyholding

FRESH_S: Final = 1.0
PATIENCE_S: Final = 1.0


class Readiness:
    """What the last question found; ``ask`` returns whether there was an answer, and may hang."""

    def __init__(
        self,
        ask: Callable[[], bool],
        *,
        fresh_s: float = FRESH_S,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._fresh_s = fresh_s
        self._patience_s = patience_s
        self._clock = clock
        self._known: bool | None = None
        self._fresh_until = float("-inf")
        self._asked: Future[bool] | None = None
        self._lock = Lock()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="veilface-readiness")

    def now(self) -> bool:
        """The answer, at most a second old; while a question is on its way, the answer to the one before."""
        with self._lock:
            if self._known is not None and self._clock() < self._fresh_until:
                return self._known
            if self._asked is None or self._asked.done():
                self._asked = self._executor.submit(self._question)
            elif self._known is not None:
                return self._known
            asked = self._asked
        return self._wait(asked)

    def _question(self) -> bool:
        # Noted before the question counts as answered: nobody may find it done and the answer not yet known.
        return self._note(found=self._ask())

    def _wait(self, asked: Future[bool]) -> bool:
        try:
            return asked.result(self._patience_s)
        except FutureTimeoutError:
            return self._note(found=False)

    def _note(self, *, found: bool) -> bool:
        with self._lock:
            self._known, self._fresh_until = found, self._clock() + self._fresh_s
        return found


@cache
def keyholder_ready() -> Readiness:
    """The process's own; its thread starts with the first question, so never before a fork."""
    return Readiness(_answers, fresh_s=FRESH_S)


def _answers() -> bool:
    try:
        keyholding.keyholder().identity()
    except KeyHolderError:
        return False
    return True
