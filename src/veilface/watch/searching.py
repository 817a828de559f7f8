"""Questions go to threads of their own, so that the picture keeps moving while a server searches.

Two at once: while one is with the server, the next one is being encrypted, or keeps a second core busy there.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Literal, Protocol, Self

from veilface.errors import VeilfaceError
from veilface.face.attention import Outcome, Question
from veilface.face.embedder import Embedding

ANSWER_TIMEOUT_S: Final = 60.0
AT_ONCE: Final = 2


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search answered: the person's id and name where there is one; how long its stages took.

    ``timings_ms``: ``protect`` on this machine, ``search`` from the first byte sent to the answer.
    """

    outcome: Outcome
    person: str | None = None
    name: str | None = None
    timings_ms: Mapping[Literal["protect", "search"], float] = field(default_factory=dict)


class Searcher(Protocol):
    """Whoever knows names; called from :data:`AT_ONCE` threads."""

    def prepare(self) -> None:
        """Does what the first question would have to wait for. May raise a ``VeilfaceError``."""

    def find(self, embedding: Embedding) -> Found:
        """The person with this unit embedding (128,), or nobody. May raise a ``VeilfaceError``."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was found, or what went wrong."""

    question: Question
    found: Found
    error: VeilfaceError | None = None


class Searches(AbstractContextManager["Searches"]):
    """Searches under way. Whatever is asked is answered, if only by ``unanswered``."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._worker = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="search")
        self._under_way: list[Future[Answer]] = []

    def __enter__(self) -> Self:
        self._worker.submit(self._prepare)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.shutdown(cancel_futures=True)

    def ask(self, question: Question) -> None:
        """Sends a question on its way."""
        self._under_way.append(self._worker.submit(self._answer, question))

    def answers(self, *, patient: bool) -> list[Answer]:
        """The answers that have come; with ``patient`` all that were asked for."""
        if patient and self._under_way:
            wait(self._under_way, timeout=ANSWER_TIMEOUT_S)
        done = [future for future in self._under_way if future.done()]
        self._under_way = [future for future in self._under_way if not future.done()]
        return [future.result() for future in done]

    def _prepare(self) -> None:
        with suppress(VeilfaceError):  # whatever is wrong meets the first question too, and is told then
            self._searcher.prepare()

    def _answer(self, question: Question) -> Answer:
        try:
            return Answer(question=question, found=self._searcher.find(question.embedding))
        except VeilfaceError as error:
            return Answer(question=question, found=Found(outcome="unanswered"), error=error)
