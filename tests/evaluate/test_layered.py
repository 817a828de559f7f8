"""Keyed templates inside ciphertexts: the sealed score is the open one, and the checks still refuse."""

import numpy as np
import pytest

from tests.evaluate.crowd import crowd
from veilface.evaluate.layered import (
    LayeredEvidence,
    decide_sealed,
    evaluate_sealed,
    layered,
    seal_probe,
    seal_template,
    sealed_cosine,
    sealed_scores,
    unit,
)
from veilface.evaluate.protections import PROTECTIONS, evaluation_token
from veilface.evaluate.runs import Protected, compared, stolen_tokens
from veilface.keyholder.audit import Cause
from veilface.protect.rlwe import SecretKey, generate_key

GENERATOR = np.random.default_rng(6)


@pytest.fixture(scope="module")
def keys() -> tuple[SecretKey, bytes]:
    return generate_key()


def keyed(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Unit templates and probes of three people, two pictures each, under one token."""
    embeddings, token = crowd(people=3, pictures=2).embeddings, evaluation_token("layered")
    protection = PROTECTIONS[name]()
    return (
        unit(protection.templates(embeddings, token, GENERATOR)),
        unit(protection.probes(embeddings, token, GENERATOR)),
    )


@pytest.mark.parametrize("name", ["ranking", "negative"])
def test_the_whole_path_decides_as_the_open_score_does(name: str, keys: tuple[SecretKey, bytes]) -> None:
    secret, public_key = keys
    templates, probes = keyed(name)
    template = seal_template(templates[0], public_key=public_key)
    for shown in probes[1:]:
        probe, cosine = seal_probe(shown, public_key=public_key), float(templates[0] @ shown)
        assert sealed_cosine(secret, template, probe, length=len(shown)) == pytest.approx(cosine, abs=0.005)
        for threshold in (cosine - 0.01, cosine + 0.01):
            evidence = evaluate_sealed(template, probe, length=len(shown), threshold=threshold, public_key=public_key)
            assert (decide_sealed(secret, evidence, length=len(shown)) is Cause.NONE) == (threshold < cosine)


def test_a_longer_vector_and_another_key_are_refused(keys: tuple[SecretKey, bytes]) -> None:
    secret, public_key = keys
    templates, probes = keyed("ranking")

    def decided(shown: np.ndarray, key: bytes) -> Cause:
        evidence: LayeredEvidence = evaluate_sealed(
            seal_template(templates[0], public_key=public_key),
            seal_probe(shown, public_key=key),
            length=512,
            threshold=0.3,
            public_key=public_key,
        )
        return decide_sealed(secret, evidence, length=512)

    assert decided(probes[1], public_key) is Cause.NONE
    assert Cause.NORM in decided(1.1 * probes[1], public_key)
    assert Cause.RANGE in decided(probes[1], generate_key()[1])


def test_the_second_layer_costs_no_accuracy() -> None:
    dataset, protection = crowd(people=60, pictures=4, scatter=0.1), PROTECTIONS["ranking"]()
    kept: list[Protected] = list(stolen_tokens(protection, dataset, 1, GENERATOR))
    found = layered([sealed_scores(kept[0], dataset.people, GENERATOR)], kept[0], dataset.people)
    plain = compared(protection, kept[0], dataset.people).tar(1e-3)
    sealed = found.accuracy.rates.tar["1e-3"]
    assert plain is not None
    assert sealed == pytest.approx(plain, abs=0.01)
    assert found.error < 0.005
