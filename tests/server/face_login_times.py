"""How long face logins take, and whether refusals can be told apart by time: python -m tests.server.face_login_times

Server and key holder are real processes, asked over HTTP; every account makes a few attempts, so no limit is lifted.
Prints JSON: milliseconds from sending to the answer, and Mann–Whitney's test of each refusal against a near miss.
"""

import json
import math
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tests.processes import HttpTransport, Machine, free_port
from tests.server.browser import Browser
from tests.support import Answer, Api, Device, Message, near, unit
from veilface.protect.scheme import protections

ACCOUNTS, ROUNDS = 8, 3
ME = unit(1)


class Forwarded(HttpTransport):
    """Comes from an address of its own, as behind a proxy."""

    address = ""

    def send(
        self, method: str, path: str, body: bytes = b"", kind: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return super().send(method, path, body, kind, {"X-Forwarded-For": self.address} | dict(headers or {}))


@contextmanager
def running(folder: Path) -> Iterator[Machine]:
    machine = Machine(folder, f"sqlite:///{folder / 'server.sqlite3'}", free_port(), free_port())
    machine.settings["VEILFACE_PROXY_HOPS"] = "1"
    machine.settings["VEILFACE_LOG_LEVEL"] = "WARNING"
    machine.initialise()
    with closing(machine), machine.keyholder(), machine.server():
        yield machine


def api(machine: Machine, address: str) -> Api:
    transport = Forwarded(machine.url)
    transport.address = address
    machine.transports.append(transport)
    return Api(transport)


def measure(machine: Machine, scheme: str) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {}
    for number in range(ACCOUNTS):
        address = f"10.0.{number}.{1 + len(scheme)}"
        device = Device(api(machine, address).register(f"{scheme}-{number}"), secrets.token_bytes(16))
        device.register()
        device.scheme = scheme
        assert device.enrol(ME).status == 201
        browser = Browser(device, api(machine, address))
        for _ in range(ROUNDS):
            for name, message in messages(browser):
                time.sleep(0.15)  # masks are ready, as they are after a person has looked into the camera
                sealed = browser.sealed(message())
                begin = time.perf_counter()
                answer = browser.api.octets("/face-login", sealed)
                taken.setdefault(name, []).append((time.perf_counter() - begin) * 1000)
                assert answer.status == (200 if name == "accepted" else 401), answer.body
                if name == "accepted":
                    parts = answer.headers["Server-Timing"].split(", ")
                    taken.setdefault("server", []).append(sum(float(part.split("=")[1]) for part in parts))
            browser = Browser(device, api(machine, address))
    return taken


def messages(browser: Browser) -> Iterator[tuple[str, Callable[[], Message]]]:
    stranger = secrets.token_bytes(16)
    near_miss, far_miss = browser.login(near(ME, cosine=0.25)), browser.login(near(ME, cosine=-0.1))
    message = browser.login(near(ME, cosine=0.8))
    yield "near miss", lambda: near_miss
    yield "unknown account", lambda: message.with_header(account_id=stranger)
    yield "far miss", lambda: far_miss
    yield "unknown device", lambda: message.with_header(device_id=stranger)
    yield "accepted", lambda: message


def mann_whitney(one: list[float], other: list[float]) -> float:
    """The two-sided probability (normal approximation) of ranks this uneven among equal distributions."""
    n, m = len(one), len(other)
    ranks = np.argsort(np.argsort(np.array(one + other))) + 1
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))


def report(taken: dict[str, list[float]]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, times in taken.items():
        low, median, high = statistics.quantiles(times, n=4)
        shown[name] = {
            "n": len(times),
            "median_ms": round(median, 2),
            "min_ms": round(min(times), 2),
            "iqr_ms": round(high - low, 2),
        }
        if name not in {"near miss", "accepted", "server"}:
            shown[name]["p_equal_to_near_miss"] = round(mann_whitney(taken["near miss"], times), 3)
    return shown


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as machine:
        results = {known.name: report(measure(machine, known.name)) for known in protections()}
    json.dump(results, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
