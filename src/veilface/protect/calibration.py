"""Thresholds of every protection for the embeddings of this contract, with where they came from.

``calibration.json`` is made by ``veilface calibrate``; a threshold is the least score that counts as the same person.
What decides – matcher, key holder, device – goes by :func:`threshold_units`, a whole number that a signed message
names together with the embedding contract (:func:`model_fp`). ``web/src/contract.ts`` reads the same file.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Self

from veilface.contract import CONTRACT
from veilface.protect.errors import NotCalibrated

VERSION: Final = 1
FMRS: Final[dict[str, float]] = {"1e-3": 1e-3, "1e-4": 1e-4, "1e-5": 1e-5}
DEFAULT_FMR: Final = "1e-4"
MILLION: Final = 1_000_000
_UNITS_OF_ONE: Final = {"homomorphic": MILLION}
"""Units in a score of one, where scores are no whole numbers already."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The data behind thresholds: ``fingerprint`` is the SHA-256 of embeddings and identities.

    ``cosine_error_rms`` is the error of encryption in the scores that the homomorphic threshold was found on: it is
    in the threshold already, and needs no margin.
    """

    name: str
    fingerprint: str
    pictures: int
    people: int
    impostor_pairs: int
    tokens: int
    cosine_error_rms: float


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Thresholds by scheme and false match rate (``1e-3``, ``1e-4``, ``1e-5``)."""

    contract_id: str
    data: Provenance
    thresholds: Mapping[str, Mapping[str, float]]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read :meth:`to_json`; raises :class:`NotCalibrated` for another version."""
        content: dict[str, Any] = json.loads(text)
        if content.pop("version", None) != VERSION:
            raise NotCalibrated(scheme="*", fmr="*")
        return cls(**content | {"data": Provenance(**content["data"])})

    def to_json(self) -> str:
        """One JSON object with the version."""
        return json.dumps({"version": VERSION} | asdict(self), indent=2) + "\n"

    def threshold(self, scheme: str, *, fmr: str = DEFAULT_FMR) -> float:
        """The least accepted score; raises :class:`NotCalibrated` for another scheme, rate or embedding contract."""
        if self.contract_id != CONTRACT.contract_id.hex() or fmr not in self.thresholds.get(scheme, {}):
            raise NotCalibrated(scheme=scheme, fmr=fmr)
        return self.thresholds[scheme][fmr]


@cache
def shipped() -> Calibration:
    """The thresholds that come with this release."""
    return Calibration.parse(files("veilface.protect").joinpath("calibration.json").read_text("utf-8"))


def threshold_units(scheme: str) -> int:
    """The least accepted score at :data:`DEFAULT_FMR`: millionths of a cosine, or whole scores of a keyed protection.

    Raises :class:`NotCalibrated`.
    """
    return round(shipped().threshold(scheme) * _UNITS_OF_ONE.get(scheme, 1))


def cosine_threshold() -> float:
    """The least cosine that counts as the same person under homomorphic protection."""
    return threshold_units("homomorphic") / MILLION


def model_fp(scheme: str) -> bytes:
    """SHA-256 (32 bytes) of the contract id and the threshold in units: what a signed header names.

    Raises :class:`NotCalibrated`.
    """
    return hashlib.sha256(CONTRACT.contract_id + threshold_units(scheme).to_bytes(4, "big")).digest()
