"""Thresholds and losses on people whom they were not found on."""

import numpy as np
import pytest

from tests.evaluate.crowd import crowd
from veilface.evaluate.accuracy import compare_all
from veilface.evaluate.transfer import rates_at, transfer


def test_pairs_among_some_people_are_those_of_a_comparison_without_the_others() -> None:
    dataset = crowd(people=20, pictures=3)
    rows, odd = dataset.embeddings, dataset.people % 2 == 1
    whole = compare_all(lambda a, b: rows[a] @ rows[b].T, dataset.people)
    half = whole.among(np.arange(20) % 2 == 1, dataset.people)
    _, people = np.unique(dataset.people[odd], return_inverse=True)
    alone = compare_all(lambda a, b: rows[odd][a] @ rows[odd][b].T, people.astype(np.int32))
    assert half.impostors == alone.impostors
    assert half.genuine == pytest.approx(alone.genuine, abs=1e-6)
    assert half.tail[:50] == pytest.approx(alone.tail[:50], abs=1e-6)


def test_thresholds_hold_for_people_like_those_they_were_found_on() -> None:
    dataset = crowd(people=120, pictures=4, scatter=0.1)
    rows = dataset.embeddings
    run = compare_all(lambda a, b: rows[a] @ rows[b].T, dataset.people)
    found = transfer("insecure_plain", [run, run], dataset.people)
    held_out, whole = found.held_out["1e-3"], run.tar(1e-3)
    assert held_out is not None
    assert whole is not None
    assert 0.3e-3 < held_out.fmr < 3e-3
    assert held_out.tar == pytest.approx(whole, abs=0.05)
    assert found.shipped.keys() == {"1e-3", "1e-4", "1e-5"}
    assert all(half["1e-2"] is not None for half in found.halves)
    threshold = run.threshold(1e-3)
    assert threshold is not None
    assert rates_at([run], threshold).tar == whole


def test_a_half_without_pairs_has_no_figures() -> None:
    dataset = crowd(people=2, pictures=3)
    rows = dataset.embeddings
    run = compare_all(lambda a, b: rows[a] @ rows[b].T, dataset.people)
    found = transfer("ranking_published", [run], dataset.people)
    assert found.held_out["1e-3"] is None
    assert found.halves[0]["1e-2"] is None
    assert found.shipped == {}
