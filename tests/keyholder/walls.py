"""A key holder in a process of its own, over a wall of its own."""

import http.client
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from veilface.keyholder import errors, tls
from veilface.keyholder.client import RemoteKeyHolder

HOST = "127.0.0.1"
SERVE = """
import sys
from pathlib import Path
from veilface.keyholder import service
service.serve(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]))
"""


@dataclass
class Running:
    """A key holder in a process of its own."""

    data: Path
    credentials: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    def client(self, credentials: Path | None = None) -> RemoteKeyHolder:
        return RemoteKeyHolder(self.url, credentials=credentials or self.credentials)

    def raw(self, context: ssl.SSLContext | None = None) -> http.client.HTTPSConnection:
        context = context or tls.client_context(self.credentials)
        return http.client.HTTPSConnection(HOST, self.port, context=context, timeout=10)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def start(data: Path, credentials: Path, log: Path, port: int) -> Running:
    command = [sys.executable, "-c", SERVE, str(data), str(port)]
    with log.open("ab") as stderr:
        process = subprocess.Popen(command, stderr=stderr)
    running = Running(data, credentials, port, log, process)
    with running.client() as client:
        for _ in range(300):
            try:
                client.identity()
            except errors.KeyHolderUnavailable:
                time.sleep(0.1)
            else:
                return running
    pytest.fail(log.read_text())


def stop(running: Running) -> int:
    running.process.send_signal(signal.SIGTERM)
    return running.process.wait(20)
