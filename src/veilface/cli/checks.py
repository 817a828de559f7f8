"""The single checks of ``veilface doctor``; each looks, changes nothing, and says what it found."""

import hashlib
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

import httpx

from veilface.contract import CONTRACT

State = Literal["good", "notice", "broken"]
OLDEST_PYTHON: Final = (3, 11)
FREE_BYTES: Final = 1_000_000_000
CLOCK_SLACK_S: Final = 60
LEAST_PLAUSIBLE_S: Final = 1_735_689_600  # 2025 began: a clock that says less is not set
ANSWER_S: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check. ``notice``: it works, or is not needed now; ``broken``: it must be mended."""

    check: str
    state: State
    found: str


def examine(data: Path, server: str) -> list[Finding]:
    """All checks in the order in which one would mend what they find."""
    local: dict[str, Callable[[], tuple[State, str]]] = {
        "python": _python,
        "models": _models,
        "onnxruntime": _onnxruntime,
        "seal": _seal,
        "keyed": _keyed,
        "web": _web,
        "permissions": lambda: _permissions(data),
        "database": lambda: _database(data / "server" / "veilface.sqlite3"),
        "disk": lambda: _disk(data),
    }
    return [*(_guarded(check, look) for check, look in local.items()), *_running(server)]


def _guarded(check: str, look: Callable[[], tuple[State, str]]) -> Finding:
    """A check that fails to run has found something as well."""
    try:
        state, found = look()
    except Exception as error:  # noqa: BLE001 – whatever a broken installation throws is the finding
        state, found = "broken", f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return Finding(check=check, state=state, found=found)


def _python() -> tuple[State, str]:
    return "good" if sys.version_info >= OLDEST_PYTHON else "broken", sys.version.split()[0]


def _models() -> tuple[State, str]:
    folder = files("veilface.face") / "models"
    found = {
        hashlib.sha256(entry.read_bytes()).hexdigest() for entry in folder.iterdir() if entry.name.endswith(".onnx")
    }
    missing = {CONTRACT.detector_sha256, CONTRACT.embedder_sha256} - found
    return "broken" if missing else "good", f"{2 - len(missing)}/2"


def _onnxruntime() -> tuple[State, str]:
    import numpy as np

    from veilface.face.pipeline import FacePipeline

    FacePipeline().faces(np.zeros((64, 64, 3), np.uint8))
    return "good", version("onnxruntime")


def _seal() -> tuple[State, str]:
    from veilface.protect.rlwe import PublicKey, SecretKey, generate_key

    secret, public_key = generate_key()
    PublicKey(public_key).zero()
    SecretKey.unpack(secret.pack())
    return "good", version("seal-python")


def _keyed() -> tuple[State, str]:
    """The keyed protections tell one synthetic vector from another, so this NumPy computes as it must."""
    from veilface.evaluate.synthetic import unit_vectors
    from veilface.protect.calibration import threshold_units
    from veilface.protect.scheme import OpenProtection, protections
    from veilface.protect.token import fresh_token

    found = [one for one in protections() if isinstance(one, OpenProtection)]
    for protection in found:
        material = {"key": protection.generate_key().public_key, "token": fresh_token()}
        same, other = (protection.probe(vector, **material) for vector in unit_vectors("veilface doctor", 2))
        template = protection.enrol(unit_vectors("veilface doctor", 1)[0], **material)
        threshold = threshold_units(protection.name)
        if not protection.score(other, template) < threshold <= protection.score(same, template):
            return "broken", protection.name
    return "good", ", ".join(protection.name for protection in found)


def _web() -> tuple[State, str]:
    page = files("veilface.server") / "static" / "web" / "index.html"
    return ("good", "index.html") if page.is_file() else ("broken", "–")


def _permissions(data: Path) -> tuple[State, str]:
    if not data.exists():
        return "notice", "–"
    open_paths = [
        path for path in (data, *data.rglob("*")) if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    shared = [path for path in open_paths if not _shielded(path, data)]
    return ("broken", str(shared[0])) if shared else ("good", str(data))


def _shielded(path: Path, data: Path) -> bool:
    """Whether a folder above, not below ``data``, keeps others out."""
    above = [parent for parent in path.parents if parent == data or data in parent.parents]
    return any(not stat.S_IMODE(parent.stat().st_mode) & 0o077 for parent in above)


def _database(path: Path) -> tuple[State, str]:
    from veilface.server import databases, env

    url = env.secret("VEILFACE_DATABASE_URL")
    if url is not None and not url.startswith("sqlite:"):
        return _remote_database(databases.configure(url))
    if not path.exists():
        return "notice", "–"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        answer = connection.execute("PRAGMA quick_check").fetchone()[0]
    finally:
        connection.close()
    return "good" if answer == "ok" else "broken", f"SQLite {sqlite3.sqlite_version}: {answer}"


def _remote_database(configured: dict[str, Any]) -> tuple[State, str]:
    import pymysql

    connection = pymysql.connect(
        host=configured["HOST"] or None,
        port=int(configured["PORT"] or 0),
        user=configured["USER"],
        password=configured["PASSWORD"],
        database=configured["NAME"],
        unix_socket=configured["OPTIONS"].get("unix_socket"),
        connect_timeout=int(ANSWER_S),
    )
    try:
        return "good", connection.get_server_info()
    finally:
        connection.close()


def _disk(data: Path) -> tuple[State, str]:
    existing = next(path for path in (data.absolute(), *data.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    return "good" if free >= FREE_BYTES else "broken", f"{free / 1e9:.1f} GB"


def _running(server: str) -> Iterator[Finding]:
    """What only a running server can tell; where none runs, that is no fault."""
    try:
        answer = httpx.get(f"{server.rstrip('/')}/api/v1/health", timeout=ANSWER_S, trust_env=False)
        health, date = answer.json(), answer.headers.get("date")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        yield Finding(check="server", state="notice", found=server)
        yield _clock(None)
        return
    working = health.get("server") == "ok" and health.get("database") == "ok"
    yield Finding(check="server", state="good" if working else "broken", found=server)
    keyholder = str(health.get("keyholder"))
    yield Finding(check="keyholder", state="good" if keyholder == "ok" else "broken", found=keyholder)
    yield _clock(date)


def _clock(server_date: str | None) -> Finding:
    """The clock here beside the server's; without one, it must at least have been set."""
    now = time.time()
    drift = now - parsedate_to_datetime(server_date).timestamp() if server_date else 0.0
    right = now > LEAST_PLAUSIBLE_S and abs(drift) <= CLOCK_SLACK_S
    found = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    return Finding(check="clock", state="good" if right else "broken", found=f"{found} ({drift:+.0f} s)")
