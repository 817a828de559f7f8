"""Searches are measured as they are made: the rows say what they should, whatever the times are."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from veilface.evaluate import search_benchmark
from veilface.evaluate.errors import NotEnoughMemory
from veilface.evaluate.ingest_benchmark import measure_ingest
from veilface.evaluate.search_benchmark import bench_search, measure_scan_error
from veilface.evaluate.search_plot import write_plots
from veilface.match.engine.errors import EngineUnknown


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_benchmark, "measure_ingest", lambda: measure_ingest(templates=40, rounds=2))
    monkeypatch.setattr(search_benchmark, "GROWTH_FROM", 100)
    monkeypatch.setattr(search_benchmark, "PEER_COMPARISONS", 4)
    monkeypatch.setattr(search_benchmark, "_SPINNING_S", 0)


@pytest.mark.usefixtures("_small")
def test_a_row_for_every_gallery_and_a_peer_for_every_dimension(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    bench = bench_search(
        sizes=(100, 5000), dimensions=(128, 8), rounds=2, advance=lambda done, total: seen.append((done, total))
    )
    assert [(row.n, row.d, row.engine, row.bytes_per_template) for row in bench.rows] == [
        (100, 128, "local", 1024),
        (5000, 128, "local", 1024),
        (100, 8, "local", 64),
        (5000, 8, "local", 64),
    ]
    for row in bench.rows:
        assert row.ratio > 0
        assert row.bandwidth_fraction > 0
        stages = {"encrypted", "plain", "read"} | ({"query", "keyholder", "prepare"} if row.d == 128 else set())
        assert row.minimum.keys() == stages
    for row in bench.rows[:2]:
        assert row.query_ms is not None
        assert row.keyholder_ms is not None
        assert row.exchanged_bytes is not None
        assert row.query_ms > row.keyholder_ms > 0
        assert row.exchanged_bytes > 2048 * 60
        assert row.no_query is None
    assert [(row.query_ms, row.no_query) for row in bench.rows[2:]] == [(None, "d = 128 only")] * 2
    peer = bench.peer[-1]
    assert (peer.d, peer.n, peer.comparisons) == (8, 5000, 4)
    assert peer.extrapolated_ms == peer.comparison.median_ms * 5000
    assert [done for done, _ in seen] == list(range(1, 25))
    assert {total for _, total in seen} == {24}
    assert [(growth.d, growth.start, growth.end) for growth in bench.growth] == [(128, 100, 5000), (8, 100, 5000)]
    assert bench.ingest is not None
    assert (bench.ingest.templates, bench.ingest.rounds) == (40, 2)
    write_plots(bench, tmp_path / "search.svg")
    for name, said in (("search.svg", "encrypted scan"), ("search.zh.svg", "密文扫描")):
        drawn = ET.fromstring((tmp_path / name).read_text("utf-8"))  # noqa: S314 – our own drawing
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
        assert said in [part.text for part in drawn.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.usefixtures("_small")
def test_an_engine_nobody_knows_is_refused() -> None:
    with pytest.raises(EngineUnknown):
        bench_search(sizes=(100,), dimensions=(8,), rounds=1, engine="abacus")


def test_scores_of_a_real_gallery_are_cosines() -> None:
    assert 0 < measure_scan_error(128) < 0.02


def test_what_does_not_fit_is_refused_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda _name: 1)
    with pytest.raises(NotEnoughMemory):
        bench_search(sizes=(2048,), dimensions=(128,), rounds=1)
