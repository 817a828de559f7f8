import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from veilface.protect.errors import UnusableEmbedding
from veilface.protect.homomorphic import DIMENSION, SCALE, encode_probe, encode_template
from veilface.protect.ring import DATA


def unit(seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    vector = np.random.default_rng(seed).standard_normal(DIMENSION)
    return vector / np.linalg.norm(vector)


def test_template_and_probe_mirror_each_other() -> None:
    embedding = unit(0)
    template, probe = encode_template(embedding), encode_probe(embedding)
    assert (template[:DIMENSION][::-1] == probe[:DIMENSION]).all()
    assert not template[DIMENSION:].any()
    assert not probe[DIMENSION:].any()
    assert np.abs(template[:DIMENSION] - embedding * SCALE).max() <= 0.5


def test_coefficient_127_of_the_product_is_the_cosine() -> None:
    left, right = unit(1), unit(2)
    product = DATA.inverse(DATA.residues(DATA.forward(encode_template(left)) * DATA.forward(encode_probe(right))))
    score = DATA.crt([int(row[DIMENSION - 1]) for row in product])
    assert score / SCALE**2 == pytest.approx(float(left @ right), abs=1e-4)


@pytest.mark.parametrize(
    "embedding",
    [
        np.zeros(DIMENSION),
        unit(0) * 1.01,
        unit(0) * 0.99,
        np.full(DIMENSION, np.nan),
        np.full(DIMENSION, np.inf),
        unit(0)[:127],
        np.stack([unit(0), unit(1)]),
    ],
)
def test_what_is_no_unit_embedding_is_refused(embedding: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    for encode in (encode_template, encode_probe):
        with pytest.raises(UnusableEmbedding):
            encode(embedding)


def test_vectors(vectors: Path) -> None:
    for case in json.loads((vectors / "homomorphic.json").read_text())["cases"]:
        embedding = np.array(case["embedding"], np.float32)
        assert encode_template(embedding)[:DIMENSION].tolist() == case["template"]
        words = DATA.forward(encode_probe(embedding)).astype("<u4")
        assert hashlib.sha256(words.tobytes()).hexdigest() == case["probe_words_sha256"]
