"""``veilface bench``: one JSON object, or tables."""

import json
from pathlib import Path

from tests.cli.conftest import Veilface


def test_bench_verify(veilface: Veilface) -> None:
    done = veilface("bench", "verify", "--rounds", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert report["rounds"] == 2
    assert {"veilface", "tenseal", "numpy", "sizes", "tenseal_sizes", "cosine_error", "protections"} < set(report)


def test_bench_verify_for_people(veilface: Veilface) -> None:
    done = veilface("bench", "verify", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    for word in ("TenSEAL", "NumPy", "73,728", "rms", "Local ranking", "Negative database", "2,048"):
        assert word in done.stdout


def test_bench_search(veilface: Veilface) -> None:
    done = veilface("bench", "search", "--n", "100", "--d", "16", "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    row = json.loads(done.stdout)["rows"][0]
    expected = "n d engine encrypted_ms plain_ms ratio bandwidth_fraction keyholder_ms query_ms bytes_per_template"
    assert {*expected.split(), "probe_bytes", "exchanged_bytes", "max_cosine_error"} < set(row)
    said = veilface("bench", "search", "--n", "100", "--d", "16", "--rounds", "1")
    for word in ("TenSEAL", "extrapolated", "Kernel", "100"):
        assert word in said.stdout


def test_bench_login(veilface: Veilface) -> None:
    """Both programs are started; every refusal has one shape."""
    done = veilface("bench", "login", "--rounds", "1", "--scheme", "ranking", "--refusals")
    assert done.returncode == 0, done.stderr
    for word in ("Local ranking", "key holder, over TLS", "another face", "(status, body, headers): 1."):
        assert word in done.stdout


def test_bench_http(veilface: Veilface, tmp_path: Path) -> None:
    """Both programs are started on a filled gallery; nothing is left of it."""
    done = veilface("bench", "http", "--n", "2048", "--rounds", "1", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    for word in ("2,048", "from sending the probe to the name", "and the hit 1:1", "1 searches of each gallery"):
        assert word in done.stdout
    assert [line.count(" ms") for line in done.stdout.splitlines() if " ms" in line] == [2] * 5 + [1] * 2
    assert done.stdout.count(" MB") == 2
    assert list(tmp_path.iterdir()) == []


def test_bench_pipeline_needs_pictures(veilface: Veilface, tmp_path: object) -> None:
    done = veilface("bench", "pipeline", str(tmp_path), "--json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "sub-folder for each person" in done.stderr
