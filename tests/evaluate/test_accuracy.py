"""Rates, thresholds and intervals, on scores whose rates are known."""

import time
from statistics import NormalDist

import numpy as np
import pytest

from tests.evaluate.crowd import crowd
from veilface.evaluate.accuracy import PairScores, accuracy, compare_all
from veilface.evaluate.protections import KEY, PROTECTIONS, evaluation_token
from veilface.evaluate.runs import own_tokens, stolen_runs
from veilface.protect import ranking
from veilface.protect.scheme import open_scheme


def cosines(people: int = 40, pictures: int = 4, scatter: float = 0.06) -> tuple[PairScores, np.ndarray]:
    dataset = crowd(people, pictures, scatter=scatter)
    rows = dataset.embeddings
    return compare_all(lambda a, b: rows[a] @ rows[b].T, dataset.people), dataset.people


def test_every_pair_is_counted_once() -> None:
    run, people = cosines()
    assert len(run.genuine) == 40 * 6
    assert run.impostors == len(people) * (len(people) - 1) // 2 - 240
    assert [int(side.sum()) for side in run.histogram] == [240, run.impostors]
    assert (np.diff(run.tail) <= 0).all()
    assert (np.diff(run.genuine) >= 0).all()
    assert (run.tail_people[0] != run.tail_people[1]).all()


@pytest.mark.parametrize("fmr", [0.3, 1e-1, 1e-2, 1e-3])
def test_a_threshold_lets_through_what_it_says_and_no_more(fmr: float) -> None:
    run, _ = cosines()
    threshold = run.threshold(fmr)
    assert threshold is not None
    accepted = int((run.tail >= threshold).sum())
    assert accepted == int(fmr * run.impostors)
    assert run.tar(fmr) == np.mean(run.genuine >= threshold)


def test_rates_that_the_data_cannot_support_are_not_given() -> None:
    run, people = cosines(people=4)
    assert run.threshold(1e-3) is None
    assert accuracy([run], people).rates.tar["1e-4"] is None


def test_the_equal_error_rate_of_two_normal_distributions() -> None:
    generator = np.random.default_rng(2)
    people = np.repeat(np.arange(200, dtype=np.int32), 4)
    same = people[:, None] == people[None, :]
    scores = (generator.normal(size=same.shape) + 3.0 * same).astype(np.float32)
    run = compare_all(lambda rows, columns: scores[rows, columns], people)
    found = accuracy([run], people)
    expected = NormalDist().cdf(-1.5)
    assert found.rates.eer == pytest.approx(expected, abs=0.015)
    low, high = found.lower.eer, found.upper.eer
    assert low is not None
    assert high is not None
    assert low < expected < high
    tar = found.rates.tar["1e-2"]
    assert tar == pytest.approx(1 - NormalDist(3).cdf(NormalDist().inv_cdf(0.99)), abs=0.03)


def test_det_falls_from_left_to_right() -> None:
    run, _ = cosines(scatter=0.12)
    fmr, fnmr = run.det()
    assert (np.diff(fmr) > 0).all()
    assert (np.diff(fnmr) <= 0).all()


@pytest.mark.parametrize("name", ["insecure_plain", "ranking", "negative"])
def test_bulk_scores_are_those_of_the_single_calls(name: str) -> None:
    dataset, token = crowd(people=3, pictures=2), evaluation_token("bulk")
    generator = np.random.default_rng(0)
    bulk, single = PROTECTIONS[name](), open_scheme(name)
    templates = bulk.templates(dataset.embeddings, token, generator)
    probes = bulk.probes(dataset.embeddings, token, generator)
    scores = bulk.score(templates, probes)
    if name == "ranking":
        stored = ((templates[0] + ranking.DEFAULT.group - 1) / 2).astype(np.uint8)
        assert ranking.pack_ranks(stored) == single.enrol(dataset.embeddings[0], key=KEY, token=token)
    template = (
        templates[0].astype(np.int8).tobytes()
        if name == "negative"
        else single.enrol(dataset.embeddings[0], key=KEY, token=token)
    )
    for index, embedding in enumerate(dataset.embeddings):
        assert single.score(single.probe(embedding, key=KEY, token=token), template) == pytest.approx(
            float(scores[0, index]), abs=1e-5
        )


def test_a_stolen_token_costs_little_and_a_wrong_one_opens_nothing() -> None:
    dataset = crowd(people=70, pictures=5, scatter=0.1)
    generator = np.random.default_rng(3)
    plain = accuracy(stolen_runs(PROTECTIONS["insecure_plain"](), dataset, 1, generator), dataset.people)
    for name, most in (("homomorphic", 0.005), ("ranking", 0.04), ("negative", 0.1)):
        protection = PROTECTIONS[name]()
        found = accuracy(stolen_runs(protection, dataset, 3, generator), dataset.people)
        best, tar = plain.rates.tar["1e-3"], found.rates.tar["1e-3"]
        assert best is not None
        assert tar is not None
        assert best - tar < most, name
        own, wrong = own_tokens(protection, dataset, found, generator)
        assert wrong.accepted.get("1e-3", 0) == wrong.accepted.get("1e-4", 0) == 0, name
        if name != "homomorphic":
            assert wrong.pairs == 350 * 350
            assert own.rates.eer is not None
            assert plain.rates.eer is not None
            assert own.rates.eer <= plain.rates.eer


def test_the_noise_of_encryption_is_that_of_the_protocol() -> None:
    dataset, protection = crowd(people=100, pictures=1), PROTECTIONS["homomorphic"]()
    generator = np.random.default_rng(4)
    stored = protection.templates(dataset.embeddings, b"", generator)
    probes = protection.probes(dataset.embeddings, b"", generator)
    error = protection.score(stored, probes) - dataset.embeddings @ dataset.embeddings.T
    assert 0.0004 < float(np.sqrt(np.mean(error**2))) < 0.0012
    assert float(np.abs(error).max()) < 0.006


def test_a_million_impostor_pairs_take_less_than_a_minute() -> None:
    dataset = crowd(people=360, pictures=4)
    started = time.monotonic()
    run = stolen_runs(PROTECTIONS["ranking"](), dataset, 1, np.random.default_rng(0))
    found = accuracy(run, dataset.people)
    assert found.impostors > 1_000_000
    assert time.monotonic() - started < 60
