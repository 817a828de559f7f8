"""The embedding contract: what two embeddings must share before they may be compared.

It is ``contract.json``: the sha256 of both model files, the name of the preprocessing, the mean MU that is taken
from every embedding, and the decision threshold. ``web/src/contract.ts`` reads the same file.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Final

VERSION: Final = 1
DIMENSION: Final = 128
MU_UNIT: Final = 16384
MILLION: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One version of models, preprocessing, centring and threshold.

    ``mu`` holds 128 integers in units of 1/16384; ``threshold_millionths`` is the least accepted centred cosine.
    """

    detector_sha256: str
    embedder_sha256: str
    preprocessing: str
    mu: tuple[int, ...]
    threshold_millionths: int

    @cached_property
    def contract_id(self) -> bytes:
        """SHA-256 (32 bytes) of everything that shapes an embedding; the threshold does not."""
        canonical = json.dumps(
            {
                "version": VERSION,
                "detector_sha256": self.detector_sha256,
                "embedder_sha256": self.embedder_sha256,
                "preprocessing": self.preprocessing,
                "mu": self.mu,
            },
            sort_keys=True,
            separators=(",", ":"),
        )
        return hashlib.sha256(canonical.encode("ascii")).digest()

    @cached_property
    def model_fp(self) -> bytes:
        """SHA-256 (32 bytes) of the contract id and the threshold: what a signed header names."""
        return hashlib.sha256(self.contract_id + self.threshold_millionths.to_bytes(4, "big")).digest()

    @property
    def threshold(self) -> float:
        """The least centred cosine that counts as the same person."""
        return self.threshold_millionths / MILLION


def load() -> Contract:
    """The contract of this release; raises ``ValueError`` when the packaged file is not one."""
    content = json.loads(files("veilface").joinpath("contract.json").read_text("ascii"))
    if content.pop("version") != VERSION or len(content["mu"]) != DIMENSION:
        raise ValueError("contract.json is not a version 1 contract")
    return Contract(**content | {"mu": tuple(content["mu"])})


CONTRACT: Final = load()
