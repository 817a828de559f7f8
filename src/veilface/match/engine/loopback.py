"""A Dask cluster of this machine, for benchmarks and tests: on loopback, under keys of its own, without a dashboard."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Final

import dask
from distributed import LocalCluster
from distributed.security import Security

from veilface.kernel import threads

_HOST: Final = "127.0.0.1"
_ANY_PORT: Final = f"{_HOST}:0"
_RESTART_S: Final = 600
"""How long a worker that died may take to come back, on a busy machine, before it is given up."""


@contextmanager
def loopback_cluster(*, workers: int = 2) -> Iterator[LocalCluster]:
    """So many worker processes, which share the cores; they end with the block.

    Whoever can reach a worker can have it run anything, so that also on one machine connections are under TLS.
    """
    with (
        TemporaryDirectory(prefix="veilface-workers-") as folder,
        dask.config.set({"distributed.deploy.lost-worker-timeout": _RESTART_S}),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=max(1, threads.here() // max(1, workers)),
            processes=True,
            host=_HOST,
            security=Security.temporary(),
            worker_dashboard_address=_ANY_PORT,
            scheduler_kwargs={"dashboard": False, "dashboard_address": _ANY_PORT},
            memory_limit=0,  # blocks are meant to stay in memory, never to be spilled to a disk
            local_directory=folder,
        ) as cluster,
    ):
        yield cluster
