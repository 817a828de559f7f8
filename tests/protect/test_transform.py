"""KT-1 against the published vector and an independent derivation."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from veilface.protect.errors import UnusableEmbedding, UnusableToken
from veilface.protect.token import TOKEN_BYTES, check_token, fresh_token
from veilface.protect.transform import DIMENSION, hadamard, keyed_transform, quantise


def cases(vectors: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((vectors / "kt1.json").read_text())["cases"]
    return found


def test_vectors(vectors: Path) -> None:
    for case in cases(vectors):
        transform = keyed_transform(
            bytes.fromhex(case["token"]),
            salt=bytes.fromhex(case["salt"]),
            info=bytes.fromhex(case["info"]),
            blocks=case["blocks"],
        )
        embedding = np.array(case["embedding"])
        outputs = transform.apply(embedding)
        assert quantise(embedding).tolist() == case["quantised"]
        assert outputs[:8].tolist() == case["first_outputs"], case["name"]
        assert hashlib.sha256(outputs.astype("<i4").tobytes()).hexdigest() == case["outputs_sha256"], case["name"]


def test_many_at_once_and_the_matrix_agree_with_one_by_one() -> None:
    transform = keyed_transform(fresh_token(), salt=b"", info=b"test", blocks=4)
    embeddings = np.random.default_rng(7).normal(size=(5, DIMENSION))
    single = np.stack([transform.apply(row) for row in embeddings])
    assert (transform.apply(embeddings) == single).all()
    assert (quantise(embeddings) @ transform.matrix().T == single).all()


def test_angles_survive() -> None:
    transform = keyed_transform(fresh_token(), salt=b"", info=b"test", blocks=2)
    first, second = np.random.default_rng(8).normal(size=(2, DIMENSION))
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    left, right = (transform.apply(side).astype(np.float64) for side in (first, second))
    assert left @ right / np.linalg.norm(left) / np.linalg.norm(right) == pytest.approx(cosine, abs=2e-3)


def test_hadamard_is_its_own_inverse() -> None:
    values = np.arange(DIMENSION, dtype=np.int64) ** 2
    assert (hadamard(hadamard(values)) == DIMENSION * values).all()


def test_token_salt_and_label_all_change_the_outputs() -> None:
    embedding, token = np.eye(DIMENSION)[3], fresh_token()
    outputs = {
        keyed_transform(*key, salt=salt, info=info, blocks=1).apply(embedding).tobytes()
        for key in ((token,), (fresh_token(),))
        for salt in (b"a", b"b")
        for info in (b"x", b"y")
    }
    assert len(outputs) == 8


@pytest.mark.parametrize("token", [b"", bytes(31), bytes(TOKEN_BYTES), b"123456" * 5 + b"12", bytes(33)])
def test_tokens_nobody_drew_are_refused(token: bytes) -> None:
    with pytest.raises(UnusableToken):
        check_token(token)


@pytest.mark.parametrize("bad", [np.zeros(128), np.full(128, np.nan), np.full(128, np.inf), np.ones(127)])
def test_unusable_embeddings_are_refused(bad: np.ndarray) -> None:
    with pytest.raises(UnusableEmbedding):
        quantise(bad)
