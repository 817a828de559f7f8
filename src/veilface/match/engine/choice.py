"""Which engine a setting names. ``dask`` is loaded only where it is chosen: it is an extra."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Final
from urllib.parse import urlsplit

from veilface.match.engine.errors import EngineMissing, EngineUnknown
from veilface.match.engine.interface import Engine
from veilface.match.engine.local import LocalEngine

ENGINES: Final = ("local", "dask")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def engine_from(settings: Mapping[str, str], *, gallery: str) -> Engine:
    """The engine of one gallery, as settings (the environment, say) have it; nothing is connected yet.

    ``VEILFACE_ENGINE`` – ``local``, if not set, or ``dask``. For ``dask``: ``VEILFACE_DASK_SCHEDULER`` –
    ``tls://host:port``, or ``tcp://`` on loopback – and the PEM files ``VEILFACE_DASK_CA``, ``VEILFACE_DASK_CERT`` and
    ``VEILFACE_DASK_KEY``. Raises :class:`EngineUnknown` and :class:`EngineMissing`.
    """
    if _known(settings.get("VEILFACE_ENGINE") or "local") == "local":
        return LocalEngine()
    address = settings.get("VEILFACE_DASK_SCHEDULER", "")
    _require_private(address)
    security = _dask("security").Security(
        require_encryption=address.startswith("tls:"),
        tls_ca_file=settings.get("VEILFACE_DASK_CA") or None,
        tls_client_cert=settings.get("VEILFACE_DASK_CERT") or None,
        tls_client_key=settings.get("VEILFACE_DASK_KEY") or None,
    )
    engine: Engine = _ours("dask").DaskEngine(address, gallery=gallery, security=security)
    return engine


@contextmanager
def open_engine(name: str) -> Iterator[Engine]:
    """An engine by its name, for a measurement: ``dask`` comes with a cluster of this machine. Raises likewise."""
    with ExitStack() as stack:
        if _known(name) == "local":
            yield LocalEngine()
        else:
            cluster = stack.enter_context(_ours("loopback").loopback_cluster())
            engine = _ours("dask").DaskEngine(cluster.scheduler_address, gallery=name, security=cluster.security)
            stack.callback(engine.close)
            yield engine


def _known(name: str) -> str:
    if name not in ENGINES:
        raise EngineUnknown(got=name, expected=", ".join(ENGINES))
    return name


def _require_private(address: str) -> None:
    """Whoever can speak to a scheduler can have its workers run anything: that is for holders of a certificate."""
    parts = urlsplit(address)
    if parts.scheme != "tls" and not (parts.scheme == "tcp" and parts.hostname in _LOOPBACK):
        raise EngineUnknown(got=address or "dask", expected="tls://host:port")


def _dask(module: str) -> ModuleType:
    try:
        return import_module(f"distributed.{module}")
    except ModuleNotFoundError:
        raise EngineMissing(extra="scale") from None


def _ours(module: str) -> ModuleType:
    _dask("client")
    return import_module(f"veilface.match.engine.{module}")
