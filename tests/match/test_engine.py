"""Every engine gives the same words for every block, or says why not: also while a worker dies."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from distributed import LocalCluster

from tests.match import worker_seams
from tests.match.galleries import House, identity
from veilface.match import scan
from veilface.match.engine import LocalEngine, Shard, engine_from, open_engine
from veilface.match.engine.dask import DaskEngine, _shares
from veilface.match.engine.errors import EngineIncomplete, EngineMissing, EngineUnavailable, EngineUnknown
from veilface.match.engine.loopback import loopback_cluster
from veilface.match.gallery_errors import GalleryDamaged
from veilface.match.query_pool import QueryPool
from veilface.protect.word_ring import Words

DIMENSION = 8
"""Small blocks, 128 kB: the same code."""
WORKERS = 2
PATIENCE_S = 120
TLS = {"VEILFACE_ENGINE": "dask", "VEILFACE_DASK_SCHEDULER": "tls://scheduler.example:8786"}


def words(seed: int) -> Words:
    return np.random.default_rng(seed).integers(0, scan.PRIME, (128, DIMENSION, 2, scan.LANES), np.uint32)


def shard(seed: int) -> Shard:
    made = words(seed)
    return Shard(block=identity(seed), checksum=sha256(made.data).digest(), words=made)


SHARDS = [shard(seed) for seed in range(7)]
PROBE = words(1000)


def listening() -> set[tuple[int, str, int]]:
    """(process, address, port) of this process and all below it."""
    me = psutil.Process()
    return {
        (process.pid, socket.laddr.ip, socket.laddr.port)
        for process in (me, *me.children(recursive=True))
        for socket in process.net_connections()
        if socket.status == psutil.CONN_LISTEN
    }


@pytest.fixture(scope="module")
def listening_before() -> set[tuple[int, str, int]]:
    return listening()


@pytest.fixture(scope="module")
def cluster(listening_before: object) -> Iterator[LocalCluster]:
    with loopback_cluster() as made:
        yield made


@pytest.fixture
def engine(cluster: LocalCluster, request: pytest.FixtureRequest) -> Iterator[DaskEngine]:
    made = DaskEngine(cluster.scheduler_address, gallery=request.node.name, security=cluster.security)
    made._connected().wait_for_workers(WORKERS, timeout=PATIENCE_S)  # after a test that killed one
    yield made
    made.close()


def on_workers(
    engine: DaskEngine, function: Callable[..., Any], *arguments: object, of: str | None = None
) -> list[Any]:
    return list(engine._connected().run(function, *arguments, workers=[of] if of else None).values())


def same(engine: DaskEngine, shards: list[Shard]) -> bool:
    return np.array_equal(engine.scan(shards, PROBE), LocalEngine(threads=1).scan(shards, PROBE))


def ids(shards: list[Shard]) -> set[bytes]:
    return {one.block for one in shards}


def test_both_engines_give_the_same_words_in_the_order_of_the_blocks(engine: DaskEngine) -> None:
    assert same(engine, SHARDS)
    assert same(engine, SHARDS[::-1])
    assert engine.scan([], PROBE).shape == (0, 3, scan.N)


def test_a_new_layout_places_what_is_new_and_drops_what_is_gone(
    engine: DaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Shard] = []
    real = DaskEngine._load

    def load(engine: DaskEngine, shares: dict[str, list[Shard]], owners: dict[bytes, str]) -> None:
        sent.extend(one for share in shares.values() for one in share)
        real(engine, shares, owners)

    monkeypatch.setattr(DaskEngine, "_load", load)
    engine.place(SHARDS[:5])
    assert same(engine, SHARDS[2:])
    assert [one.block for one in sent] != []
    assert Counter(one.block for one in sent) == Counter(one.block for one in SHARDS)
    held = on_workers(engine, worker_seams.blocks_held, engine._gallery)
    assert set.union(*held) == ids(SHARDS[2:])
    assert sum(map(len, held)) == len(SHARDS[2:])
    sent.clear()
    later = DaskEngine(engine._address, gallery=engine._gallery, security=engine._security)
    assert same(later, SHARDS[2:])
    assert sent == [], "another process finds what is held already"
    later.close()
    assert not any(on_workers(engine, worker_seams.blocks_held, engine._gallery))
    assert same(engine, SHARDS[2:]), "and this one notices that it is gone"


@pytest.mark.parametrize("function", ["scan", "_own"])
def test_a_worker_killed_midway_is_noticed_and_its_blocks_are_scanned_elsewhere(
    engine: DaskEngine, function: str
) -> None:
    engine.place(SHARDS[:4])
    victim = engine._owners[SHARDS[0].block]
    on_workers(engine, worker_seams.die_in, function, of=victim)
    shards = SHARDS[:4] if function == "scan" else SHARDS
    assert same(engine, shards)
    assert victim not in engine._owners.values()
    assert engine._owners.keys() == ids(shards)


@pytest.mark.parametrize(
    "how",
    [
        "one less, always",
        "one twice",
        "one that nobody asked for",
        "scores cut short",
        "too few scores",
        "words out of range",
    ],
)
def test_an_answer_that_is_not_one_for_every_block_is_none(engine: DaskEngine, how: str) -> None:
    on_workers(engine, worker_seams.answer_wrongly, how)
    with pytest.raises(EngineIncomplete):
        engine.scan(SHARDS, PROBE)
    on_workers(engine, worker_seams.answer_rightly)
    assert same(engine, SHARDS)


def test_a_block_that_is_not_what_was_written_is_not_scanned(engine: DaskEngine) -> None:
    damaged = Shard(block=identity("damaged"), checksum=SHARDS[0].checksum, words=words(5))
    with pytest.raises(GalleryDamaged):
        engine.scan([*SHARDS[:2], damaged], PROBE)
    assert not any(
        identity("damaged") in held for held in on_workers(engine, worker_seams.blocks_held, engine._gallery)
    )
    assert same(engine, SHARDS[:2])


def test_a_person_is_found_on_a_cluster(cluster: LocalCluster, tmp_path: Path) -> None:
    house = House(tmp_path)
    house.add(*range(3))
    house.add(7)
    view = house.gallery.view()
    assert len(view.blocks) > 1
    pool = QueryPool(house.gallery.view, threshold=0.4)
    engine = DaskEngine(cluster.scheduler_address, gallery="house", security=cluster.security)
    assert house.asked(pool, 7, engine=engine).persons == (identity(7),)
    engine.close()
    pool.close()


def test_nothing_listens_beyond_this_machine(
    cluster: LocalCluster, listening_before: set[tuple[int, str, int]]
) -> None:
    assert {address for _, address, _ in listening() - listening_before} == {"127.0.0.1"}
    assert cluster.scheduler_address.startswith("tls://")


def test_nobody_there_is_said_in_time() -> None:
    with loopback_cluster(workers=0) as empty:
        engine = DaskEngine(empty.scheduler_address, gallery="x", security=empty.security, timeout_s=0.2)
        with pytest.raises(EngineUnavailable):
            engine.scan(SHARDS, PROBE)
        stranger = DaskEngine(empty.scheduler_address, gallery="x", timeout_s=0.5)
        with pytest.raises(EngineUnavailable):
            stranger.place(SHARDS)
    with pytest.raises(EngineUnavailable):
        engine.scan(SHARDS, PROBE)
    engine.close()
    engine.close()


def test_blocks_are_shared_by_threads() -> None:
    shares = _shares(SHARDS, Counter({"a": 1}), {"a": 1, "b": 3})
    assert {worker: len(share) for worker, share in shares.items()} == {"a": 1, "b": 6}


def test_settings_name_certificates(cluster: LocalCluster, tmp_path: Path) -> None:
    settings = {"VEILFACE_ENGINE": "dask", "VEILFACE_DASK_SCHEDULER": cluster.scheduler_address}
    for name, field in (("CA", "tls_ca_file"), ("CERT", "tls_client_cert"), ("KEY", "tls_client_key")):
        file = tmp_path / name
        file.write_text(getattr(cluster.security, field))
        settings[f"VEILFACE_DASK_{name}"] = str(file)
    engine = engine_from(settings, gallery="certificates")
    expected = LocalEngine().scan(SHARDS[:2], PROBE)
    assert np.array_equal(engine.scan(SHARDS[:2], PROBE), expected)
    engine.close()


def test_settings_choose_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(engine_from({}, gallery="g"), LocalEngine)
    assert isinstance(engine_from({"VEILFACE_ENGINE": "local"}, gallery="g"), LocalEngine)
    assert isinstance(engine_from(TLS, gallery="g"), DaskEngine)
    for address in ("", "tcp://scheduler.example:8786", "scheduler.example:8786"):
        with pytest.raises(EngineUnknown):
            engine_from(TLS | {"VEILFACE_DASK_SCHEDULER": address}, gallery="g")
    with pytest.raises(EngineUnknown):
        engine_from({"VEILFACE_ENGINE": "cuda"}, gallery="g")
    with open_engine("local") as local:
        assert isinstance(local, LocalEngine)
    monkeypatch.setitem(sys.modules, "distributed.security", None)
    with pytest.raises(EngineMissing):
        engine_from(TLS, gallery="g")
