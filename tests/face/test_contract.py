"""The contract and the files it names."""

import hashlib
import json
from dataclasses import replace
from importlib.resources import files

import numpy as np

from veilface.contract import CONTRACT, MU_UNIT


def test_the_shipped_models_are_the_contracts() -> None:
    models = files("veilface.face.models")
    for name, expected in (("yunet.onnx", CONTRACT.detector_sha256), ("sface.onnx", CONTRACT.embedder_sha256)):
        assert hashlib.sha256(models.joinpath(name).read_bytes()).hexdigest() == expected


def test_mu_is_plausible() -> None:
    assert len(CONTRACT.mu) == 128
    assert all(abs(value) < 2**15 for value in CONTRACT.mu)
    assert 0.3 < np.linalg.norm(np.array(CONTRACT.mu) / MU_UNIT) < 0.4


def test_the_id_is_the_hash_of_canonical_json() -> None:
    content = json.loads(files("veilface").joinpath("contract.json").read_text())
    shaping = {name: content[name] for name in ("version", "detector_sha256", "embedder_sha256", "preprocessing", "mu")}
    canonical = json.dumps(shaping, sort_keys=True, separators=(",", ":")).encode()
    assert CONTRACT.contract_id == hashlib.sha256(canonical).digest()
    assert replace(CONTRACT, mu=(0,) * 128).contract_id != CONTRACT.contract_id
