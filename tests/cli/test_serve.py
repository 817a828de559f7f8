"""``veilface serve`` as processes: two of them, apart, together up, together down."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Veilface
from veilface import launcher
from veilface.sdk import SCHEMES

STARTED_S = 30
STOPPED_S = 60


def outside() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("VEILFACE_")}


@contextmanager
def serving(data: Path, port: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A launcher that has printed its address."""
    command = [sys.executable, "-m", "veilface", "serve", "--data", str(data), "--port", str(port), *arguments]
    environment = outside() | {"VEILFACE_LANG": "en", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=hear_ctrl_c,  # noqa: PLW1509 – no threads here
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"Veilface is running at http://localhost:{port}\n"
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def hear_ctrl_c() -> None:
    """A shell without job control has what it runs in the background ignore Ctrl-C; a terminal does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def children(process: subprocess.Popen[str]) -> dict[str, int]:
    """The launcher's processes by what they are."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return {
        "keyholder" if "keyholder serve" in arguments else "server": int(pid)
        for pid, parent, arguments in rows
        if int(parent) == process.pid
    }


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + STOPPED_S
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_both_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path / "data", launcher.free_port()) as process:
        both = children(process)
        assert set(both) == {"server", "keyholder"}
        process.send_signal(number)
        output, errors = process.communicate(timeout=STOPPED_S)
        assert process.returncode == 0
        assert "have stopped" in output
        assert errors == ""
        assert gone(list(both.values()))


@pytest.mark.parametrize(("killed", "other"), [("server", "keyholder"), ("keyholder", "server")])
def test_when_one_dies_the_other_is_stopped(tmp_path: Path, killed: str, other: str) -> None:
    with serving(tmp_path / "data", launcher.free_port()) as process:
        both = children(process)
        os.kill(both[killed], signal.SIGKILL)
        _, errors = process.communicate(timeout=STOPPED_S)
        assert process.returncode == 1
        assert re.fullmatch(
            rf"veilface: The {killed} ended by itself \(status -9\), .*{killed}\.log says why\.\n", errors
        )
        assert gone([both[other]])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_launcher_leaves_nobody_behind(tmp_path: Path) -> None:
    with serving(tmp_path / "data", launcher.free_port()) as process:
        both = children(process)
        process.kill()
        process.wait()
        assert gone(list(both.values()))


def test_folders_are_apart_and_private(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, launcher.free_port()):
        for folder in (data, data / "server", data / "keyholder"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (data / "server" / "veilface.sqlite3").exists()
        assert (data / "keyholder" / "keyholder.sqlite3").exists()
        assert {path.name for path in data.iterdir()} == {"server", "keyholder", "lock"}


def test_the_key_holder_listens_on_this_machine_alone(tmp_path: Path) -> None:
    with serving(tmp_path / "data", launcher.free_port()) as process:
        keyholder = children(process)["keyholder"]
        inodes = {
            target[8:-1]
            for link in Path(f"/proc/{keyholder}/fd").iterdir()
            if (target := str(link.readlink())).startswith("socket:[")
        }
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening = [row[1].split(":")[0] for row in rows if row[9] in inodes and row[3] == "0A"]
        assert listening == ["0100007F"]


def test_the_second_start_keeps_everything(tmp_path: Path) -> None:
    port = launcher.free_port()
    sites = []
    for _ in range(2):
        with serving(tmp_path / "data", port) as process:
            sites.append(httpx.get(f"http://localhost:{port}/api/v1/site", trust_env=False).json())
            process.terminate()
            process.wait(STOPPED_S)
    assert sites[0]["keyholder"] == sites[1]["keyholder"]


def test_a_taken_port_is_said_and_nothing_is_made(tmp_path: Path, veilface: Veilface) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = veilface("serve", "--port", str(port), "--data", tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr.startswith(f"veilface: Port {port} cannot be used")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_one_folder_one_launcher(tmp_path: Path, veilface: Veilface) -> None:
    with serving(tmp_path / "data", launcher.free_port()) as process:
        done = veilface("serve", "--port", str(launcher.free_port()), "--data", tmp_path / "data")
        assert done.returncode == 1
        assert "Another Veilface is using" in done.stderr
        assert process.poll() is None


def test_what_ends_at_once_is_said_with_its_log(tmp_path: Path, veilface: Veilface) -> None:
    (tmp_path / "data" / "server").mkdir(parents=True)
    (tmp_path / "data" / "server" / "veilface.sqlite3").write_bytes(b"not a database" * 1000)
    done = veilface("serve", "--port", str(launcher.free_port()), "--data", tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "server.log" in done.stderr


def test_selftest(veilface: Veilface, photos: Path) -> None:
    done = veilface("serve", "--selftest", VEILFACE_PHOTOS=str(photos))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("passed") == 4 + 3 * len(SCHEMES)
    for name in ("Homomorphic encryption", "Local ranking", "Negative database"):
        assert done.stdout.count(name) == 3
    assert "FAILED" not in done.stdout


def test_selftest_says_where_photographs_come_from(veilface: Veilface, tmp_path: Path) -> None:
    done = veilface("serve", "--selftest", VEILFACE_PHOTOS=str(tmp_path))
    assert done.returncode == 1
    assert "tools/photos.py" in done.stderr


def test_the_audit_of_a_running_key_holder(tmp_path: Path, veilface: Veilface) -> None:
    with serving(tmp_path / "data", launcher.free_port()):
        done = veilface("keyholder", "audit", "--data", tmp_path / "data" / "keyholder", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["records"] == 0
