"""The embedding contract: what two embeddings must share before they may be compared.

It is ``contract.json``: the sha256 of both model files, the name of the preprocessing, and the mean MU that is taken
from every embedding. ``web/src/contract.ts`` reads the same file. How alike two embeddings of one person are is another
matter: :mod:`veilface.protect.calibration`.
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


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One version of models, preprocessing and centring. ``mu`` holds 128 integers in units of 1/16384."""

    detector_sha256: str
    embedder_sha256: str
    preprocessing: str
    mu: tuple[int, ...]

    @cached_property
    def contract_id(self) -> bytes:
        """SHA-256 (32 bytes) of everything that shapes an embedding."""
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


def load() -> Contract:
    """The contract of this release; raises ``ValueError`` when the packaged file is not one."""
    content = json.loads(files("veilface").joinpath("contract.json").read_text("ascii"))
    if content["version"] != VERSION or len(content["mu"]) != DIMENSION:
        raise ValueError("contract.json is not a version 1 contract")
    return Contract(
        detector_sha256=content["detector_sha256"],
        embedder_sha256=content["embedder_sha256"],
        preprocessing=content["preprocessing"],
        mu=tuple(content["mu"]),
    )


CONTRACT: Final = load()
