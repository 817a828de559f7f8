"""Face logins by every protection: server and key holder as two processes, a browser's requests over HTTP.

A round is one accepted login and, where they are wanted, one refusal of each kind, every time in another order. Limits
are those of production, so the accounts change as their hours are used up. Movements of the head are not asked for:
their record costs the server a comparison of 80 bytes, and the person seconds.
"""

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from veilface import launcher
from veilface.bench.apart import Apart, apart
from veilface.bench.errors import Unexpected
from veilface.bench.processes import cpu_s
from veilface.bench.visitor import OK, Opened, Visitor
from veilface.evaluate.stopwatch import Spread, Stopwatch
from veilface.evaluate.synthetic import at_cosine, unit_vectors
from veilface.protect.envelope import ID_BYTES, MessageType
from veilface.protect.scheme import protection
from veilface.sdk.client import Client
from veilface.sdk.device import SCHEMES
from veilface.sdk.folder import DeviceFolder
from veilface.sdk.joining import open_account
from veilface.sdk.material import fresh_material
from veilface.sdk.session import Session

if TYPE_CHECKING:
    import httpx

    from veilface.protect.homomorphic import Embedding

SETTINGS: Final = {"VEILFACE_LIVENESS": "none", "VEILFACE_LOG_LEVEL": "WARNING"}
WARM_UP_ROUNDS: Final = 1
DECISIONS_OF_ONE: Final = 18  # of the twenty an hour that the key holder makes for an account
LOOK_S: Final = 0.25
"""A person looks into the camera for longer, and masks are ready by then. It also keeps refusals below 120 a minute."""
REFUSED: Final = 401
ACCEPTED, NEAR_MISS = "accepted", "near_miss"
ME, _OTHER = unit_vectors("veilface bench login", 2)
Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A login that is refused – or not –, and why: a face at this ``cosine``, or a name that nobody has."""

    cosine: float
    judged: bool = True
    strange_account: bool = False
    strange_device: bool = False

    def message(self, visitor: Visitor, opened: Opened) -> bytes:
        """The login as it is sent."""
        face: Embedding = at_cosine(self.cosine, ME, _OTHER)
        account = secrets.token_bytes(ID_BYTES) if self.strange_account else None
        device = secrets.token_bytes(ID_BYTES) if self.strange_device else None
        return visitor.signed(opened, face, account=account, device=device)


SAME_FACE: Final = Kind(cosine=0.8)
REFUSALS: Final = {
    NEAR_MISS: Kind(cosine=0.25),
    "far_miss": Kind(cosine=-0.1),
    "unknown_account": Kind(cosine=0.8, judged=False, strange_account=True),
    "unknown_device": Kind(cosine=0.8, judged=False, strange_device=True),
}


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Refusals of one kind: from sending to the answer; ``apart`` – from those of a near miss, None for these."""

    answer: Spread
    apart: Apart | None


@dataclass(frozen=True, kw_only=True)
class ProtectionLogin:
    """One protection: accepted logins stage by stage, and refusals by kind.

    ``server_cpu_ms``, ``keyholder_cpu_ms`` – processor time of each program for one login, knock and key included, the
    mean; None where nobody counts it.
    ``shapes`` – how many different answers there were among the refusals: status, body, names and lengths of headers.
    """

    stages: dict[str, Spread]
    server_cpu_ms: float | None
    keyholder_cpu_ms: float | None
    refusals: dict[str, Refusals]
    shapes: int


@dataclass(frozen=True, kw_only=True)
class LoginBench:
    """Everything ``veilface bench login`` measured; the stages are explained in ``docs/bench.md``."""

    rounds: int
    protections: dict[str, ProtectionLogin]

    def as_json(self) -> dict[str, object]:
        """The report as one JSON object."""
        return asdict(self)


def bench_login(
    *,
    rounds: int,
    schemes: Sequence[str] = SCHEMES,
    refusals: bool = False,
    advance: Advance = lambda _done, _total: None,
) -> LoginBench:
    """Measures ``rounds`` logins by each protection; raises :class:`Unexpected` if one is answered otherwise."""
    names, kinds = [protection(scheme).name for scheme in schemes], REFUSALS if refusals else {}
    turns = WARM_UP_ROUNDS + rounds
    with tempfile.TemporaryDirectory(prefix="veilface-bench-") as made:
        folder = Path(made)
        with launcher.running(folder / "data", port=launcher.free_port(), settings=SETTINGS) as pair:
            series = {name: Series(pair=pair, scheme=name, folder=folder, kinds=kinds) for name in names}
            for turn in range(turns):
                for number, one in enumerate(series.values()):
                    if turn == WARM_UP_ROUNDS:
                        one.forget()
                    one.round()
                    advance(turn * len(series) + number + 1, turns * len(series))
    return LoginBench(rounds=rounds, protections={name: one.report() for name, one in series.items()})


@dataclass
class Series:
    """Rounds of one protection at one server; those of the others come between, so that load meets all alike."""

    pair: launcher.Running
    scheme: str
    folder: Path
    kinds: Mapping[str, Kind]
    watch: Stopwatch = field(default_factory=Stopwatch)
    refused: dict[str, list[float]] = field(default_factory=dict)
    shapes: set[tuple[object, ...]] = field(default_factory=set)
    used: dict[str, list[float]] = field(default_factory=dict)
    rounds: int = 0
    device: DeviceFolder = field(init=False)

    def forget(self) -> None:
        """Warm-up rounds do not count."""
        self.watch.clear()
        self.refused.clear()
        self.used.clear()

    def round(self) -> None:
        """Every kind of refusal, then a login, which sets the count of failures back."""
        decisions = 1 + sum(kind.judged for kind in self.kinds.values())
        if self.rounds % (DECISIONS_OF_ONE // decisions) == 0:
            self.device = newcomer(self.pair.url, self.folder / f"{self.scheme}-{self.rounds}", self.scheme)
        names = list(self.kinds)
        turn = self.rounds % max(1, len(names))
        for name in names[turn:] + names[:turn]:
            self._refuse(name)
        with self._processor_time():
            self._log_in()
        self.rounds += 1

    def report(self) -> ProtectionLogin:
        """What was measured since the warm-up."""
        refusals = Stopwatch()
        for name, times in self.refused.items():
            for spent in times:
                refusals.add(name, spent)
        spreads, near = refusals.spreads(), self.refused.get(NEAR_MISS, [])
        return ProtectionLogin(
            stages=self.watch.spreads(),
            server_cpu_ms=self._mean("server"),
            keyholder_cpu_ms=self._mean("keyholder"),
            refusals={
                name: Refusals(
                    answer=spreads[name], apart=None if name == NEAR_MISS else apart(near, self.refused[name])
                )
                for name in self.kinds
            },
            shapes=len(self.shapes),
        )

    @contextmanager
    def _processor_time(self) -> Iterator[None]:
        programs = (self.pair.server, self.pair.keyholder)
        before = [cpu_s(program.process.pid) for program in programs]
        yield
        for program, began in zip(programs, before, strict=True):
            ended = cpu_s(program.process.pid)
            if began is not None and ended is not None:
                self.used.setdefault(program.name, []).append((ended - began) * 1000)

    def _mean(self, program: str) -> float | None:
        return statistics.fmean(self.used[program]) if program in self.used else None

    def _log_in(self) -> None:
        with Visitor(self.pair.url, self.device) as visitor:
            with self.watch.stage("knock"):
                grant = visitor.knock()
            with self.watch.stage("key"):
                opened = visitor.fetch_key(grant)
            time.sleep(LOOK_S)
            with self.watch.stage("protect"):
                message = SAME_FACE.message(visitor, opened)
            with self.watch.stage("answer"):
                answer = visitor.send(message)
        if answer.status_code != OK:
            raise Unexpected(path="face-login", got=answer.status_code, expected=OK)
        stages = dict(timings(answer))
        for name, spent in [*stages.items(), ("server", sum(stages.values()))]:
            self.watch.add(f"server_{name}" if name != "server" else name, spent)

    def _refuse(self, name: str) -> None:
        with Visitor(self.pair.url, self.device) as visitor:
            opened = visitor.fetch_key(visitor.knock())
            time.sleep(LOOK_S)
            message = self.kinds[name].message(visitor, opened)
            started = time.perf_counter()
            answer = visitor.send(message)
            spent = time.perf_counter() - started
        if answer.status_code != REFUSED:
            raise Unexpected(path="face-login", got=answer.status_code, expected=REFUSED)
        self.refused.setdefault(name, []).append(spent)
        sizes = sorted((header, len(value)) for header, value in answer.headers.items())
        self.shapes.add((answer.status_code, answer.content, *sizes))


def newcomer(url: str, folder: Path, scheme: str) -> DeviceFolder:
    """The device of a new account with a face that is nobody's."""
    device = DeviceFolder(folder)
    open_account(
        device,
        server=url,
        username=folder.name,
        password=secrets.token_urlsafe(24),
        display_name=folder.name,
        accept_terms=True,
        device_name=folder.name,
        keyholder_fingerprint=None,
    )
    with Client(url, token=device.account().token) as client:
        session = Session(device, client)
        action = session.begin(MessageType.ENROL, scheme=scheme)
        body = fresh_material(session, action, protection(scheme)).template(ME)
        session.decide(action, body, session.client.enrol)
    return device


def timings(answer: "httpx.Response") -> Iterator[tuple[str, float]]:
    """The server's own stages, in seconds."""
    for part in answer.headers["Server-Timing"].split(", "):
        name, _, milliseconds = part.partition(";dur=")
        yield name, float(milliseconds) / 1000
