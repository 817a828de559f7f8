"""The key holder on the network: mutual TLS 1.3, for one client, the server.

What is answered, and how, is :mod:`veilface.keyholder.desk`'s. Logs go to stderr, one JSON object a line.
"""

import json
import logging
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn

from veilface.keyholder import core, tls
from veilface.keyholder.client import PUBLIC_KEY_FILE
from veilface.keyholder.desk import application
from veilface.keyholder.errors import KeyHolderAddressTaken

KEEP_ALIVE_S: Final = 75
"""Longer than the client keeps an idle connection, so that no request meets one that is just being closed."""

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
