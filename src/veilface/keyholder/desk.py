"""The desk of the key holder on the network: what may be read, how much at once, and what may leave.

Every request has an exact size, known before it is read. An error leaves as its code and details, never as a trace;
the log says which verb was asked and how it ended, never a value, an id or a decision.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from enum import IntEnum
from functools import partial
from typing import Any, Final, TypeVar

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from veilface.keyholder import gallery_messages, messages
from veilface.keyholder.client import REQUESTS, KeyHolderApi
from veilface.keyholder.errors import KeyHolderBusy, KeyHolderError, Malformed
from veilface.keyholder.messages import Lengths, Octets
from veilface.protect.envelope import MessageType
from veilface.protect.gallery import Conversion, EpochKeys, PackedBlock, Reshared, Verdict
from veilface.protect.suites import Suite

MOST_IN_WORK: Final = 32
LARGE_BYTES: Final = 1 << 22
MOST_LARGE: Final = 2
"""Requests above :data:`LARGE_BYTES` that are read and worked on at once: of a million templates they take 37 MB."""
READ_TIMEOUT_S: Final = 10.0
SLOWEST_BYTES_S: Final = 2e6
"""The link over which a large request still comes in time, in bytes a second."""
NO_SUITE: Final = b"\0"
_NUMBER: Final = re.compile("[0-9]{1,12}")

Kind = TypeVar("Kind", bound=IntEnum)
Work = Callable[[ExitStack], Awaitable[list[Octets]]]
"""Makes an answer; what it holds while it does is let go of when the answer has left."""

log: Any = structlog.get_logger("veilface.keyholder")


def application(keyholder: KeyHolderApi) -> Starlette:
    """The ASGI application: ``POST /v1/<verb>`` for every verb, and ``GET /v1/health``."""
    desk = Desk(keyholder)
    routes = [Route(f"/v1/{verb}", partial(desk.answer, verb), methods=["POST"]) for verb in REQUESTS]
    return Starlette(routes=[*routes, Route("/v1/health", desk.health, methods=["GET"])])


class Desk:
    """Takes requests one by one, at most :data:`MOST_IN_WORK` at a time, and few large ones among them."""

    def __init__(self, keyholder: KeyHolderApi) -> None:
        self._keyholder = keyholder
        self._in_work = 0
        self._large = asyncio.Semaphore(MOST_LARGE)

    async def health(self, _request: Request) -> Response:
        """200 when the database answers."""

        async def work(_held: ExitStack) -> list[Octets]:
            await run_in_threadpool(self._keyholder.audit_head)
            return [b'{"status":"ok"}']

        return await self._guarded("health", work)

    async def answer(self, verb: str, request: Request) -> Response:
        """Read exactly what the verb takes, ask, answer."""

        async def work(held: ExitStack) -> list[Octets]:
            layout = REQUESTS[verb]
            length = _announced(request, layout.lengths)
            await self.enter(held, length)
            fields = layout.unpack(await _read(request, length))
            return await run_in_threadpool(_ask, self._keyholder, verb, fields)

        return await self._guarded(verb, work)

    async def enter(self, held: ExitStack, length: int) -> None:
        """Wait until a request of this length may be read; raises ``KeyHolderBusy`` after a while."""
        if length <= LARGE_BYTES:
            return
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._large.acquire()
        except TimeoutError as error:
            raise KeyHolderBusy from error
        held.callback(self._large.release)

    async def _guarded(self, verb: str, work: Work) -> Response:
        """Run ``work`` and tell the log how it ended; whatever it raises leaves as a code."""
        start, held = time.perf_counter(), ExitStack()
        self._in_work += 1
        held.callback(self._leave)
        try:
            content = await (work(held) if self._in_work <= MOST_IN_WORK else _busy())
            status, code = 200, "ok"
        except Exception as error:  # noqa: BLE001 – nothing else may leave, whatever went wrong
            failure = _told(verb, error)
            content, status, code = [messages.dump_error(failure)], failure.status, failure.code
        except BaseException:
            held.close()
            raise
        log.info("answered", verb=verb, status=status, code=code, ms=round(1e3 * (time.perf_counter() - start), 1))
        return _Answer(content, status, held)

    def _leave(self) -> None:
        self._in_work -= 1


class _Answer(Response):
    """Goes out in pieces from where it lies, no faster than it is read, and then lets go of what it held."""

    media_type = "application/octet-stream"

    def __init__(self, parts: list[Octets], status: int, held: ExitStack) -> None:
        super().__init__(None, status, {"Content-Length": str(sum(map(len, parts)))})
        self._parts = parts
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 – ASGI's three
        with self._held:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for piece in messages.pieces(self._parts):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _busy() -> list[Octets]:
    raise KeyHolderBusy


def _told(verb: str, error: Exception) -> KeyHolderError:
    """What the client learns about a failure."""
    match error:
        case KeyHolderError():
            return error
        case ClientDisconnect() | TimeoutError():
            return Malformed(field="body", got="incomplete", expected="complete")
        case _:
            log.warning("failed", verb=verb, error=type(error).__name__)
            return KeyHolderError()


def _announced(request: Request, lengths: Lengths) -> int:
    """The length the body is announced to have, if it is one of these; not one byte is read otherwise."""
    announced = request.headers.get("content-length", "none")
    if not _NUMBER.fullmatch(announced) or int(announced) not in lengths:
        raise Malformed(field="content-length", got=announced[:20], expected=messages.in_words(lengths))
    return int(announced)


async def _read(request: Request, length: int) -> memoryview:
    """The body, which the server cuts off at the length it was announced to have. It is copied once, to here."""
    body, filled = memoryview(bytearray(length)), 0
    async with asyncio.timeout(READ_TIMEOUT_S + length / SLOWEST_BYTES_S):
        async for chunk in request.stream():
            body[filled : filled + len(chunk)] = chunk
            filled += len(chunk)
    return body


def _ask(keyholder: KeyHolderApi, verb: str, fields: dict[str, Octets]) -> list[Octets]:
    """Call the verb of the same name; the fields that are not bytes are read here."""
    arguments: dict[str, Any] = {name: _field(name, data) for name, data in fields.items()}
    match verb:
        case "issue_challenge":
            arguments["type"] = _member(MessageType, fields["type"][0], "type")
            arguments["suite"] = _member(Suite, fields["suite"][0], "suite") if fields["suite"] != NO_SUITE else None
        case "public_key" | "account_status":
            return _encoded(getattr(keyholder, verb)(*fields.values()))
    return _encoded(getattr(keyholder, verb)(**arguments))


def _field(name: str, data: Octets) -> Any:
    reader = gallery_messages.READERS.get(name)
    return reader(data) if reader else data


def _member(kind: type[Kind], value: int, field: str) -> Kind:
    try:
        return kind(value)
    except ValueError as error:
        raise Malformed(field=field, got=value, expected=", ".join(str(int(known)) for known in kind)) from error


def _encoded(answer: Any) -> list[Octets]:
    match answer:
        case None:
            return []
        case bytes():
            return [answer]
        case bool():
            return [bytes([answer])]
        case EpochKeys() | PackedBlock() | Conversion() | Reshared() | Verdict():
            return gallery_messages.dump(answer)
        case _:
            return [messages.dump(answer)]
