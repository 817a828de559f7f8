"""Searches of a kiosk: server and key holder as two processes, over HTTP, in galleries of any size.

The gallery is filled with drawn people before the programs start; one person is registered by the kiosk as any other,
packed by the server, and searched for, so every search has an answer that is compared 1:1. Between two searches the
programs come to rest, so that masks are prepared, as they are wherever a kiosk does not search all the time.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from veilface import launcher
from veilface.bench.filling import FACE, filled
from veilface.bench.login import timings
from veilface.bench.processes import cpu_s, memory, rest
from veilface.evaluate.errors import PathBroken
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.evaluate.synthetic import at_cosine, unit_vectors
from veilface.sdk.errors import SdkError
from veilface.sdk.kiosk import Desk, Kiosk
from veilface.sdk.kiosk_client import Identification, KioskClient
from veilface.sdk.kiosk_folder import KioskFolder

SIZES: Final = (10_000, 100_000)
SETTINGS: Final = {"VEILFACE_LOG_LEVEL": "WARNING"}
WARM_UP_ROUNDS: Final = 2
GENUINE_COSINE: Final = 0.75
PERSON: Final = "Ada"
SAME_FACE: Final = at_cosine(GENUINE_COSINE, FACE, unit_vectors("veilface bench http probe", 1)[0])
READY_S: Final = 600.0
AGAIN_S: Final = 0.5
PER_CENT: Final = 100
Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class SearchedRow:
    """Searches among ``n`` people. ``stages`` in milliseconds; ``server`` is what its own stages come to.

    ``server_cpu_ms``, ``keyholder_cpu_ms`` – processor time of each program for one search, the mean over rounds: at
    the server with the masks for a later one. ``server_memory``, ``keyholder_memory`` – bytes, the most seen, without
    the mapped blocks. None where the system does not count them.
    """

    n: int
    stages: dict[str, Spread]
    server_cpu_ms: float | None
    keyholder_cpu_ms: float | None
    server_memory: int | None
    keyholder_memory: int | None


@dataclass(frozen=True, kw_only=True)
class HttpBench:
    """Everything ``veilface bench http`` measured; the stages are explained in ``docs/bench.md``."""

    rounds: int
    rows: list[SearchedRow]

    def as_json(self) -> dict[str, object]:
        """The report as one JSON object."""
        return asdict(self)


def bench_http(
    *, sizes: Sequence[int] = SIZES, rounds: int, advance: Advance = lambda _done, _total: None
) -> HttpBench:
    """Measures every size, each with programs and folders of its own that are gone afterwards.

    Raises :class:`PathBroken` if the person is not found, and what :func:`~veilface.launcher.running` raises.
    """
    rows, each = [], PER_CENT * (1 + WARM_UP_ROUNDS + rounds)  # filling counts as one round
    for number, n in enumerate(sizes):
        step = _Step(advance, start=number * each, total=len(sizes) * each)
        with tempfile.TemporaryDirectory(prefix="veilface-bench-") as made:
            folder = Path(made)
            code = filled(folder / "data", people=n - 1, advance=step.filled)
            with _series(folder, code) as series:
                series.settle()
                for done in range(1, WARM_UP_ROUNDS + rounds + 1):
                    series.round()
                    if done == WARM_UP_ROUNDS:
                        series.forget()
                    step.to(PER_CENT * (1 + done))
                rows.append(series.row(n))
    return HttpBench(rounds=rounds, rows=rows)


@dataclass(frozen=True)
class _Step:
    """How far one size is, as a part of all."""

    advance: Advance
    start: int
    total: int

    def to(self, done: int) -> None:
        self.advance(self.start + done, self.total)

    def filled(self, done: int, people: int) -> None:
        self.to(PER_CENT * done // people)


class TimedClient(KioskClient):
    """Keeps what the server says of its own stages, in seconds."""

    stages: dict[str, float]

    def search(self, message: bytes) -> Identification:
        """Sends ``H‖sig‖P``."""
        answer = self._send("POST", "/kiosk/searches", content=message)
        self.stages = dict(timings(answer))
        return Identification.parse(answer.json())


@dataclass
class Series:
    """Searches at one pair of programs."""

    pair: launcher.Running
    client: TimedClient
    desk: Desk
    watch: Stopwatch = field(default_factory=Stopwatch)
    used: dict[str, list[float]] = field(default_factory=dict)
    held: dict[str, list[int]] = field(default_factory=dict)

    def settle(self) -> None:
        """The person is registered and found; what is asked while the gallery is still opened is asked again."""
        deadline, registered = time.monotonic() + READY_S, False
        while True:
            try:
                if self.desk.search(SAME_FACE).answer.outcome == "found":
                    return
                if not registered:
                    self.desk.register(FACE, name=PERSON, consent=True)
                    registered = True
            except SdkError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise PathBroken(stage="register")
            time.sleep(AGAIN_S)

    def round(self) -> None:
        """One search, when nothing else is to be done."""
        programs = {"server": self.pair.server.process.pid, "keyholder": self.pair.keyholder.process.pid}
        rest(list(programs.values()))
        before = {name: cpu_s(pid) for name, pid in programs.items()}
        found = self.desk.search(SAME_FACE)
        if found.answer.outcome != "found" or [name for _, name in found.answer.people] != [PERSON]:
            raise PathBroken(stage="search")
        self.watch.add("protect", found.timings_ms["protect"] / 1000)
        self.watch.add("answer", found.timings_ms["search"] / 1000)
        self.watch.add("server", sum(self.client.stages.values()))
        for stage, spent in self.client.stages.items():
            self.watch.add(f"server_{stage}", spent)
        rest(list(programs.values()))
        for name, pid in programs.items():
            after, started, holds = cpu_s(pid), before[name], memory(pid)
            if after is not None and started is not None:
                self.used.setdefault(name, []).append(after - started)
            if holds is not None:
                self.held.setdefault(name, []).append(holds)

    def forget(self) -> None:
        """Warm-up rounds do not count."""
        self.watch.clear()
        self.used.clear()
        self.held.clear()

    def row(self, n: int) -> SearchedRow:
        """What was measured since the warm-up."""
        cpu_ms = {name: statistics.mean(spent) * 1000 for name, spent in self.used.items()}
        held = {name: max(seen) for name, seen in self.held.items()}
        return SearchedRow(
            n=n,
            stages=self.watch.spreads(),
            server_cpu_ms=cpu_ms.get("server"),
            keyholder_cpu_ms=cpu_ms.get("keyholder"),
            server_memory=held.get("server"),
            keyholder_memory=held.get("keyholder"),
        )


@contextmanager
def _series(folder: Path, code: str) -> Iterator[Series]:
    with launcher.running(folder / "data", port=launcher.free_port(), settings=SETTINGS) as pair:
        joined = Kiosk.join(folder / "kiosk", server=pair.url, code=code).membership
        with TimedClient(pair.url, token=joined.token, timeout_s=READY_S) as client:
            yield Series(pair=pair, client=client, desk=Desk(client, KioskFolder(folder / "kiosk"), joined))
