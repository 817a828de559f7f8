"""Server and key holder on one machine: two processes, two data folders, one address.

::

    DATA/               0700, one launcher at a time
    ├── server/         accounts, protected templates; the certificate to reach the key holder with
    └── keyholder/      secret keys, counters, audit

Each process is a public command of its own (``veilface serve --keyholder URL``, ``veilface keyholder serve``),
so what runs here on one machine is what runs on two hosts in production. Neither outlives the other.
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from veilface.errors import VeilfaceError
from veilface.keyholder import service
from veilface.messages import system_reason

LOOPBACK: Final = "127.0.0.1"
READY_S: Final = 60.0
STOP_S: Final = 10.0
POLL_S: Final = 0.1
LOG_BYTES: Final = 10_000_000
PREFIX: Final = "VEILFACE_"
SUPERVISED: Final = "VEILFACE_SUPERVISED"
PR_SET_PDEATHSIG: Final = 1


class LauncherError(VeilfaceError):
    """The two processes cannot run, or no longer do."""

    code = "serve.failed"


class PortTaken(LauncherError):
    """Another program listens on ``port``."""

    code = "serve.port_taken"


class DataInUse(LauncherError):
    """Another launcher runs with the folder ``path``."""

    code = "serve.data_in_use"


class NotReady(LauncherError):
    """No healthy answer within ``seconds``; ``log`` says more."""

    code = "serve.not_ready"


class ProcessEnded(LauncherError):
    """``name`` ended by itself with ``status``; ``log`` says more."""

    code = "serve.process_ended"


@dataclass(frozen=True, kw_only=True)
class Child:
    """One of the two processes and the file that it writes its log to."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises :class:`ProcessEnded` if the process runs no more."""
        if (status := self.process.poll()) is not None:
            raise ProcessEnded(name=self.name, status=status, log=str(self.log))

    def stop(self) -> None:
        """Asks the process to end, and after ten seconds ends it."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True, kw_only=True)
class Running:
    """Both processes, healthy at ``url``."""

    url: str
    server: Child
    keyholder: Child

    def wait(self) -> None:
        """Blocks while both run; raises :class:`ProcessEnded` for the first that does not."""
        while True:
            for child in (self.server, self.keyholder):
                child.check()
            time.sleep(POLL_S)


@contextmanager
def running(
    data: Path, *, host: str = LOOPBACK, port: int, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Starts both processes, waits until they are healthy, and stops both at the end, whatever ends it.

    ``settings`` – the ``VEILFACE_*`` variables for both, by default those of this process. Raises
    :class:`PortTaken`, :class:`DataInUse`, :class:`NotReady`, :class:`ProcessEnded`.
    """
    check_port(host, port)
    url = f"http://{'localhost' if host in (LOOPBACK, '0.0.0.0', '::') else host}:{port}"  # noqa: S104
    settings = _own_settings() if settings is None else settings
    with ExitStack() as stack:
        stack.enter_context(_only_launcher(data))
        server_data, keyholder_data = data / "server", data / "keyholder"
        prepare(server_data, keyholder_data)
        keyholder_port = free_port()
        keyholder = _start(
            "keyholder",
            ["keyholder", "serve", "--data", str(keyholder_data), "--port", str(keyholder_port)],
            log=keyholder_data / "keyholder.log",
            settings=settings,
        )
        stack.callback(keyholder.stop)
        keyholder_url = f"https://{LOOPBACK}:{keyholder_port}"
        server = _start(
            "server",
            ["serve", "--keyholder", keyholder_url, "--data", str(server_data), "--host", host, "--port", str(port)],
            log=server_data / "server.log",
            settings={"VEILFACE_ORIGIN": url, **settings},
        )
        stack.callback(server.stop)
        pair = Running(url=url, server=server, keyholder=keyholder)
        _wait_until_healthy(pair)
        yield pair


def prepare(server_data: Path, keyholder_data: Path) -> None:
    """Makes both folders (0700), the key holder's keys and both certificates; what exists is kept."""
    for folder in (server_data, keyholder_data):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    service.initialise(keyholder_data, server_credentials=server_data / "keyholder")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def check_port(host: str, port: int) -> None:
    """Raises :class:`PortTaken` if the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(port=port, reason=system_reason(error)) from error


def end_with_parent() -> None:
    """In a supervised process: has the kernel end it when the launcher is killed (Linux; elsewhere nothing)."""
    if os.environ.get(SUPERVISED) and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _only_launcher(data: Path) -> Iterator[None]:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataInUse(path=str(data)) from error
        yield
    finally:
        os.close(descriptor)


def _own_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}


def _start(name: str, arguments: Sequence[str], *, log: Path, settings: Mapping[str, str]) -> Child:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        # A session of its own: Ctrl-C reaches the launcher alone, which then stops both in order.
        process = subprocess.Popen(
            [sys.executable, "-m", "veilface", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**environment, **settings, SUPERVISED: "1"},
        )
    finally:
        os.close(descriptor)
    return Child(name=name, process=process, log=log)


def _wait_until_healthy(pair: Running) -> None:
    deadline = time.monotonic() + READY_S
    with httpx.Client(base_url=pair.url, timeout=READY_S, trust_env=False) as client:
        while time.monotonic() < deadline:
            for child in (pair.keyholder, pair.server):
                child.check()
            if _is_healthy(client):
                return
            time.sleep(POLL_S)
    raise NotReady(seconds=int(READY_S), log=str(pair.server.log))


def _is_healthy(client: httpx.Client) -> bool:
    try:
        answer = client.get("/api/v1/health")
        return set(answer.json().values()) == {"ok"}
    except (httpx.TransportError, ValueError):
        return False
