"""Searches are measured as they are made: the rows say what they should, whatever the times are."""

import pytest

from veilface.evaluate.errors import NotEnoughMemory
from veilface.evaluate.search_benchmark import bench_search, measure_scan_error


def test_a_row_for_every_gallery_and_a_peer_for_every_dimension() -> None:
    seen: list[tuple[int, int]] = []
    bench = bench_search(
        sizes=(100, 3000), dimensions=(8,), rounds=2, advance=lambda done, total: seen.append((done, total))
    )
    assert [(row.n, row.d, row.engine, row.bytes_per_template) for row in bench.rows] == [
        (100, 8, "local", 64),
        (3000, 8, "local", 64),
    ]
    for row in bench.rows:
        assert row.ratio == row.encrypted_ms / row.plain_ms
        assert row.bandwidth_fraction == row.read_ms / row.encrypted_ms
        assert row.minimum.keys() == {"encrypted", "plain", "read"}
    (peer,) = bench.peer
    assert (peer.d, peer.n, peer.comparisons) == (8, 3000, 64)
    assert peer.extrapolated_ms == peer.comparison.median_ms * 3000
    assert [done for done, _ in seen] == list(range(1, 73))
    assert {total for _, total in seen} == {72}


def test_scores_of_a_real_gallery_are_cosines() -> None:
    assert 0 < measure_scan_error(128) < 0.02


def test_what_does_not_fit_is_refused_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda _name: 1)
    with pytest.raises(NotEnoughMemory):
        bench_search(sizes=(2048,), dimensions=(128,), rounds=1)
