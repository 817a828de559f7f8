"""The key holder on the network: Starlette over mutual TLS 1.3, for one client, the server.

Every request has an exact size, known before it is read. An error leaves as its code and details, never as a trace;
the log says which verb was asked and how it ended, never a value, an id or a decision.
"""

import asyncio
import json
import logging
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import IntEnum
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from veilface.keyholder import core, gallery_messages, messages, tls
from veilface.keyholder.client import PUBLIC_KEY_FILE, REQUESTS, KeyHolderApi
from veilface.keyholder.errors import KeyHolderAddressTaken, KeyHolderBusy, KeyHolderError, Malformed
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
_OCTETS: Final = "application/octet-stream"
_NUMBER: Final = re.compile("[0-9]{1,12}")
KEEP_ALIVE_S: Final = 75
"""Longer than the client keeps an idle connection, so that no request meets one that is just being closed."""

Kind = TypeVar("Kind", bound=IntEnum)

log: Any = structlog.get_logger("veilface.keyholder")


# --- making one ------------------------------------------------------------------------------------------


def initialise(data: Path, *, server_credentials: Path, kek_file: Path | None = None) -> None:
    """Make a key holder in ``data`` and what its one client needs in ``server_credentials``.

    The latter gets the client's certificate and key, the key holder's certificate to pin, and its signing key. What
    exists is kept. Raises ``KeyHolderMisconfigured`` when the two folders do not belong together.
    """
    core.initialise(data, kek_file=kek_file)
    server_credentials.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (data / tls.KEYHOLDER_KEY).exists():
        tls.write_certificate(
            certificate=data / tls.KEYHOLDER_CERTIFICATE, key=data / tls.KEYHOLDER_KEY, role="keyholder"
        )
    if not (server_credentials / tls.CLIENT_KEY).exists():
        certificate = server_credentials / tls.CLIENT_CERTIFICATE
        tls.write_certificate(certificate=certificate, key=server_credentials / tls.CLIENT_KEY, role="client")
    shutil.copyfile(server_credentials / tls.CLIENT_CERTIFICATE, data / tls.CLIENT_CERTIFICATE)
    for name in (tls.KEYHOLDER_CERTIFICATE, PUBLIC_KEY_FILE):
        shutil.copyfile(data / name, server_credentials / name)


def serve(data: Path, host: str, port: int, *, kek_file: Path | None = None) -> None:
    """Serve the key holder in ``data`` until SIGINT or SIGTERM. Logs go to stderr, one JSON object a line."""
    configure_log()
    context = tls.server_context(data)
    with core.KeyHolder(data, kek_file=kek_file) as keyholder:
        config = uvicorn.Config(
            application(keyholder),
            ssl_context_factory=lambda _config, _default: context,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
        )
        _outlive_signals()
        with _listen(host, port) as listener:
            log.info("serving", host=host, port=listener.getsockname()[1])
            uvicorn.Server(config).run(sockets=[listener])
        log.info("stopped")


def configure_log() -> None:
    """One JSON object a line on stderr. Of what a library logs only the level, its name and the kind of error stay."""
    handler = logging.StreamHandler()
    handler.setFormatter(_LibraryFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


class _LibraryFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        line = {"event": "library", "level": record.levelname.lower(), "logger": record.name, "error": kind}
        return json.dumps(line)


def _outlive_signals() -> None:
    """Uvicorn stops at a signal and then raises it again: let that be no second end, before the database is closed."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise KeyHolderAddressTaken(host=host, port=port) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # answers are small and awaited
    return listener


# --- answering -------------------------------------------------------------------------------------------


def application(keyholder: KeyHolderApi) -> Starlette:
    """The ASGI application: ``POST /v1/<verb>`` for every verb, and ``GET /v1/health``."""
    desk = _Desk(keyholder)
    routes = [Route(f"/v1/{verb}", partial(desk.answer, verb), methods=["POST"]) for verb in REQUESTS]
    return Starlette(routes=[*routes, Route("/v1/health", desk.health, methods=["GET"])])


class _Desk:
    """Takes requests one by one, at most :data:`MOST_IN_WORK` at a time."""

    def __init__(self, keyholder: KeyHolderApi) -> None:
        self._keyholder = keyholder
        self._in_work = 0
        self._large = asyncio.Semaphore(MOST_LARGE)

    async def health(self, _request: Request) -> Response:
        """200 when the database answers."""
        return await self._guarded("health", self._read_head)

    async def answer(self, verb: str, request: Request) -> Response:
        """Read exactly what the verb takes, ask, answer."""

        async def work() -> list[Octets]:
            layout = REQUESTS[verb]
            length = _announced(request, layout.lengths)
            async with self._room(length):
                fields = layout.unpack(await _read(request, length))
                return await run_in_threadpool(_ask, self._keyholder, verb, fields)

        return await self._guarded(verb, work)

    @asynccontextmanager
    async def _room(self, length: int) -> AsyncIterator[None]:
        """Wait until a request of this length may be read; raises ``KeyHolderBusy`` after a while."""
        if length <= LARGE_BYTES:
            yield
            return
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._large.acquire()
        except TimeoutError as error:
            raise KeyHolderBusy from error
        try:
            yield
        finally:
            self._large.release()

    async def _read_head(self) -> list[Octets]:
        await run_in_threadpool(self._keyholder.audit_head)
        return [b'{"status":"ok"}']

    async def _guarded(self, verb: str, work: Callable[[], Awaitable[list[Octets]]]) -> Response:
        """Run ``work`` and tell the log how it ended; whatever it raises leaves as a code."""
        start = time.perf_counter()
        self._in_work += 1
        try:
            content = await (work() if self._in_work <= MOST_IN_WORK else _busy())
            status, code = 200, "ok"
        except Exception as error:  # noqa: BLE001 – nothing else may leave, whatever went wrong
            failure = _told(verb, error)
            content, status, code = [messages.dump_error(failure)], failure.status, failure.code
        finally:
            self._in_work -= 1
        log.info("answered", verb=verb, status=status, code=code, ms=round(1e3 * (time.perf_counter() - start), 1))
        return _response(content, status)


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


def _response(parts: list[Octets], status: int) -> Response:
    """What is large goes out piece by piece, no faster than it is read."""
    length = sum(map(len, parts))
    if length <= messages.LARGE_BYTES:
        return Response(b"".join(parts), status, media_type=_OCTETS)

    async def stream() -> AsyncIterator[Octets]:
        for piece in messages.pieces(parts):
            yield piece

    return StreamingResponse(stream(), status, {"Content-Length": str(length)}, media_type=_OCTETS)
