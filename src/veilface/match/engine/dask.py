"""The engine of many machines: blocks placed once with the workers of a Dask cluster, and scanned where they lie.

A probe (1 MB) goes out and 12 B a score come back. Every answer says for which blocks it is. What is missing – a worker
was lost, or was restarted and holds nothing – is placed with those who are there, and asked for again.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Any, Final

import numpy as np
from distributed import Client, Future
from distributed.security import Security

from veilface.errors import VeilfaceError
from veilface.match import scan
from veilface.match.engine.errors import EngineIncomplete, EngineUnavailable
from veilface.match.engine.held import Scanned, hold, keep, scan_held
from veilface.match.engine.interface import Shard
from veilface.match.gallery_errors import GalleryDamaged
from veilface.protect.word_ring import Words

TIMEOUT_S: Final = 30.0
ATTEMPTS: Final = 4
MESSAGE_BYTES: Final = 9_000_000
"""Of blocks in one message to a worker: what the cluster's scheduler passes on without complaint."""
SILENT_S: Final = 15.0
"""A worker that the scheduler has not heard of for so long is lost."""
WATCH_S: Final = 0.1
"""How often to look for lost workers while waiting for answers."""
_Job = tuple[str, Callable[..., Any], Sequence[object]]


class DaskEngine:
    """Scans one gallery on a cluster. Connects when it is first used, and again after a fork or a failure.

    ``gallery`` names what is held on the workers: engines of the same name share it, in any number of processes.
    ``timeout_s`` bounds every wait for the cluster.
    """

    def __init__(
        self, address: str, *, gallery: str, security: Security | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._address: Final = address
        self._gallery: Final = gallery
        self._security: Final = security
        self._timeout_s: Final = timeout_s
        self._lock = RLock()
        self._owners: dict[bytes, str] = {}
        self._client: Client | None = None
        self._process = os.getpid()

    def place(self, shards: Sequence[Shard]) -> None:
        with self._failing():
            for _ in range(ATTEMPTS):
                if not _missing(shards, self._placed(shards, anew=True)):
                    return
        raise EngineUnavailable

    def scan(self, shards: Sequence[Shard], probe: Words) -> Words:
        answered: dict[bytes, Words] = {}
        with self._failing():
            for attempt in range(ATTEMPTS):
                owners = self._placed(shards, anew=attempt > 0)
                left = {block: worker for block, worker in owners.items() if block not in answered}
                answered |= self._asked(left, probe)
                if not _missing(shards, answered):
                    break
        if missing := _missing(shards, answered):
            raise EngineIncomplete(got=len(shards) - len(missing), expected=len(shards))
        return np.array([answered[shard.block] for shard in shards], np.uint32).reshape(-1, 3, scan.N)

    def close(self) -> None:
        """Have the workers let go of the gallery, if they can be reached."""
        with self._lock:
            if self._client is not None:
                with suppress(EngineUnavailable), self._failing():
                    self._everywhere(keep, self._gallery, {})
            self._disconnect()

    # --- placing -----------------------------------------------------------------------------------------

    def _placed(self, shards: Sequence[Shard], *, anew: bool) -> dict[bytes, str]:
        """Which worker holds each of these blocks; ``anew``: ask them, rather than believe what they last said."""
        with self._lock:
            if anew or self._owners.keys() != {shard.block for shard in shards}:
                self._owners = {}
                self._owners = self._spread(shards)
            return dict(self._owners)

    def _spread(self, shards: Sequence[Shard]) -> dict[bytes, str]:
        """Find what is held where, drop the rest, and load what is held nowhere."""
        owners: dict[bytes, str] = {}
        wanted = {shard.block: shard.checksum for shard in shards}
        for holding in self._everywhere(keep, self._gallery, wanted):
            owners |= dict.fromkeys(holding.blocks, holding.worker)
        shares = _shares(_missing(shards, owners), Counter(owners.values()), self._workers())
        self._load(shares, owners)
        return owners

    def _load(self, shares: dict[str, list[Shard]], owners: dict[bytes, str]) -> None:
        """Send every worker its share, a message each at a time; ``owners`` notes who has what then."""
        while any(shares.values()):
            together = {worker: _message(share) for worker, share in shares.items() if share}
            jobs = [(worker, hold, (self._gallery, _plain(some))) for worker, some in together.items()]
            for holding in self._answers(jobs):
                owners |= dict.fromkeys(holding.blocks, holding.worker)
                refused = _missing(together.pop(holding.worker), holding.blocks)
                if refused:  # it has what it was sent, unless that is not what the checksum says
                    raise GalleryDamaged(blocks=len(refused))
            for lost in together:
                shares[lost].clear()

    # --- asking ------------------------------------------------------------------------------------------

    def _asked(self, owners: Mapping[bytes, str], probe: Words) -> dict[bytes, Words]:
        """What was answered of these blocks, which may be less; never anything else, nor anything twice."""
        shares: dict[str, list[bytes]] = {}
        for block, worker in owners.items():
            shares.setdefault(worker, []).append(block)
        jobs = [(worker, scan_held, (self._gallery, blocks, probe)) for worker, blocks in shares.items()]
        answered: dict[bytes, Words] = {}
        for scanned in self._answers(jobs):
            _require_fitting(scanned, shares[scanned.worker])
            answered |= dict(zip(scanned.blocks, scanned.scores, strict=True))
        return answered

    def _everywhere(self, function: Callable[..., Any], *arguments: object) -> list[Any]:
        return self._answers([(worker, function, arguments) for worker in self._workers()])

    def _answers(self, jobs: Sequence[_Job]) -> list[Any]:
        """What each worker answers to its job; nothing of those who are lost before they did."""
        client = self._connected()
        futures = {
            client.submit(function, *arguments, workers=[worker], pure=False): worker
            for worker, function, arguments in jobs
        }
        answers: list[Any] = client.sync(_settled, client, futures, callback_timeout=self._timeout_s)
        return answers

    def _workers(self) -> dict[str, int]:
        """The threads of each worker; raises :class:`EngineUnavailable` if none comes in time."""
        client, deadline = self._connected(), time.monotonic() + self._timeout_s
        while not (workers := client.sync(_present, client, callback_timeout=self._timeout_s)):
            if time.monotonic() > deadline:
                raise EngineUnavailable
            time.sleep(WATCH_S)
        return dict(workers)

    # --- the connection ----------------------------------------------------------------------------------

    def _connected(self) -> Client:
        with self._lock:
            if self._process != os.getpid():  # the threads of a connection stay behind in a fork's parent
                self._client, self._owners, self._process = None, {}, os.getpid()
            if self._client is None:
                self._client = Client(
                    self._address, security=self._security, set_as_default=False, timeout=self._timeout_s
                )
            return self._client

    def _disconnect(self) -> None:
        with self._lock:
            client, self._client, self._owners = self._client, None, {}
        if client is not None:
            with suppress(Exception):
                client.close(timeout=self._timeout_s)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Whatever a cluster fails with is an :class:`EngineUnavailable`; the next use begins afresh."""
        try:
            yield
        except VeilfaceError:
            raise
        except Exception as error:
            self._disconnect()
            raise EngineUnavailable from error


async def _settled(client: Client, futures: Mapping[Future[Any], str]) -> list[Any]:
    """Waits for answers, and looks now and then whether those who are to give them are still there."""
    asking = {asyncio.ensure_future(future): worker for future, worker in futures.items()}
    waiting = set(asking)
    try:
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=WATCH_S)
            present = await _present(client) if waiting else {}
            waiting -= {one for one in waiting if asking[one] not in present}
        return [one.result() for one in asking if one.done()]
    finally:
        for one in asking:
            one.cancel()


async def _present(client: Client) -> dict[str, int]:
    """The threads of each worker that the scheduler has heard of lately."""
    if client.scheduler is None:
        raise EngineUnavailable
    workers = (await client.scheduler.identity(n_workers=-1))["workers"]
    latest = max((worker["last_seen"] for worker in workers.values()), default=0)
    heard = {address: worker for address, worker in workers.items() if latest - worker["last_seen"] < SILENT_S}
    return {address: worker["nthreads"] for address, worker in heard.items()}


def _missing(shards: Sequence[Shard], blocks: Container[bytes]) -> list[Shard]:
    return [shard for shard in shards if shard.block not in blocks]


def _shares(shards: Sequence[Shard], load: Counter[str], workers: Mapping[str, int]) -> dict[str, list[Shard]]:
    """Each block to whoever has the fewest for their threads."""
    shares: dict[str, list[Shard]] = {worker: [] for worker in workers}
    for shard in shards:
        worker = min(workers, key=lambda one: load[one] / workers[one])
        shares[worker].append(shard)
        load[worker] += 1
    return shares


def _message(share: list[Shard]) -> list[Shard]:
    """Takes from a share as many blocks as fit one message, and at least one."""
    count = max(1, MESSAGE_BYTES // share[0].words.nbytes)
    taken, share[:] = share[:count], share[count:]
    return taken


def _plain(shards: Sequence[Shard]) -> list[Shard]:
    """The same blocks in arrays that know nothing of the file they were mapped from."""
    return [
        Shard(block=one.block, checksum=one.checksum, words=np.asarray(one.words).view(np.ndarray)) for one in shards
    ]


def _require_fitting(scanned: Scanned, asked: Sequence[bytes]) -> None:
    """Raises :class:`EngineIncomplete` for an answer to something else, twice, or in another shape."""
    answered, scores = scanned.blocks, scanned.scores
    fitting = scores.dtype == np.uint32 and scores.shape == (len(answered), 3, scan.N)
    if not fitting or len(set(answered)) < len(answered) or not set(answered) <= set(asked):
        raise EngineIncomplete(got=len(set(answered) & set(asked)), expected=len(asked))
    if scores.size and scores.max() >= scan.PRIME:
        raise EngineIncomplete(got=0, expected=len(asked))
