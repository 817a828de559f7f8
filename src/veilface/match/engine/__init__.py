"""Where galleries are scanned: on this machine, or on many (ADR 11)."""

from veilface.match.engine.choice import engine_from, open_engine
from veilface.match.engine.interface import Engine, Shard
from veilface.match.engine.local import LocalEngine

__all__ = ["Engine", "LocalEngine", "Shard", "engine_from", "open_engine"]
