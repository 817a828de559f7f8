"""Server and key holder as real processes with folders of their own, and a device's way to them over HTTP."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.support import Answer, Api
from veilface.keyholder import service

READY_S = 60
LOWEST_PORT, PORTS = 20_000, 12_000
SERVE_KEYHOLDER = "import sys; from pathlib import Path; from veilface.keyholder import service; \
service.serve(Path(sys.argv[1]), '127.0.0.1', int(sys.argv[2]))"


def free_port() -> int:
    """A port below those that the system gives to clients: it stays free while a server restarts."""
    while True:
        port = LOWEST_PORT + secrets.randbelow(PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


class HttpTransport:
    """A browser's session over real HTTP."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self.http.get("/api/v1/session")

    def send(
        self, method: str, path: str, body: bytes = b"", kind: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        token = self.http.cookies.get("veilface_csrf") or ""
        sent = {"X-CSRFToken": token, "Content-Type": kind} | dict(headers or {})
        response = self.http.request(method, path, content=body, headers=sent)
        return Answer(response.status_code, response.content, response.headers)


@dataclass
class Machine:
    """One folder with both programs in it. ``database`` – a URL of the server's; ``settings`` – more ``VEILFACE_*``."""

    folder: Path
    database: str
    port: int
    keyholder_port: int
    transports: list["HttpTransport"] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    def initialise(self) -> None:
        """Make the key holder's keys and the server's credentials."""
        service.initialise(self.folder / "keyholder", server_credentials=self.folder / "credentials")

    def api(self) -> Api:
        """A new browser at the server's address, closed with the machine."""
        self.transports.append(HttpTransport(self.url))
        return Api(self.transports[-1])

    def close(self) -> None:
        """Close the browsers."""
        for transport in self.transports:
            transport.http.close()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @contextmanager
    def keyholder(self) -> Iterator[subprocess.Popen[bytes]]:
        """The key holder's process, until the block ends."""
        command = [sys.executable, "-c", SERVE_KEYHOLDER, str(self.folder / "keyholder"), str(self.keyholder_port)]
        with self._process("keyholder", self.keyholder_port, command) as process:
            self._wait_until_listening(process, self.keyholder_port)
            yield process

    @contextmanager
    def server(self, *, killed_at: str = "") -> Iterator[subprocess.Popen[bytes]]:
        """The server's process. It kills itself at the seam ``killed_at`` of :mod:`tests.server.killable`."""
        command = [sys.executable, "-m", "tests.server.killable", str(self.folder), str(self.port)]
        with self._process("server", self.port, [*command, str(self.keyholder_port), killed_at]) as process:
            self._wait_until_listening(process, self.port)
            yield process

    @contextmanager
    def _process(self, name: str, port: int, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        self.temporary.mkdir(exist_ok=True)
        root = Path(__file__).parents[1]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VEILFACE_")} | {
            "TMPDIR": str(self.temporary),
            "VEILFACE_DATABASE_URL": self.database,
            "VEILFACE_LOG_LEVEL": "DEBUG",
            "VEILFACE_LIVENESS": "none",  # asked for where a test is about it
            **self.settings,
        }
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            self._wait_until_silent(port)

    def _wait_until_silent(self, port: int) -> None:
        """A worker may outlive its killed master by a moment: whoever comes next must not be answered by it."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return
            time.sleep(0.05)
        raise AssertionError(port)

    def _wait_until_listening(self, process: subprocess.Popen[bytes], port: int) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                logs = [file.read_text() for file in self.folder.glob("*.log")]
                assert process.poll() is None, logs
                assert time.monotonic() < deadline, logs
                time.sleep(0.05)
            else:
                return
