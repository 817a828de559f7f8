"""D_sys and its control."""

import numpy as np
import pytest

from tests.evaluate.crowd import crowd
from veilface.evaluate.linkage import linkage
from veilface.evaluate.protections import PROTECTIONS
from veilface.evaluate.unlinkability import d_sys, unlinkability

GENERATOR = np.random.default_rng(9)


def normal(count: int, mean: float = 0.0) -> np.ndarray:
    return GENERATOR.normal(mean, size=count).astype(np.float32)


def test_equal_distributions_are_at_the_floor() -> None:
    found = unlinkability(normal(5000), normal(100_000), generator=GENERATOR)
    assert found.floor < 0.05
    assert found.d_sys < 1.5 * found.floor


def test_distributions_apart_are_linked_completely() -> None:
    assert d_sys(normal(5000, mean=20), normal(5000)) == pytest.approx(1, abs=1e-3)


def test_two_known_bins() -> None:
    mated = np.repeat(np.array([0, 1], np.float32), [20, 80])
    non_mated = np.repeat(np.array([0, 1], np.float32), [80, 20])
    # LR is 4 where 80 % of the mated scores are: D = 2·4/5 − 1, and 0 elsewhere.
    assert d_sys(mated, non_mated) == pytest.approx(0.8 * 0.6)


@pytest.mark.parametrize("name", ["ranking", "negative"])
def test_renewals_cannot_be_linked_without_tokens_and_can_with_them(name: str) -> None:
    found = linkage(PROTECTIONS[name](), crowd(people=60, pictures=2))
    assert found.unknown.d_sys < 1.5 * found.unknown.floor
    assert found.known is not None
    assert found.known.d_sys > 0.9


def test_ciphertexts_cannot_be_linked_and_plain_embeddings_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veilface.evaluate.linkage.SEALED_RENEWALS", 2)
    dataset = crowd(people=60, pictures=2)
    sealed = linkage(PROTECTIONS["homomorphic"](), dataset).unknown
    assert sealed.d_sys < sealed.floor + 0.2  # forty-eight mated scores
    assert linkage(PROTECTIONS["insecure_plain"](), dataset).unknown.d_sys > 0.9
