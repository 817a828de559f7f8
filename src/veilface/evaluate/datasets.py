"""Who is measured: embeddings and identities, from an ``.npz`` file or from a folder of pictures.

An ``.npz`` holds ``embeddings`` (n × 128 float32, unit SFace outputs before centring), ``identity`` (n labels) and,
where somebody looked, ``clean`` (n booleans: False for wrong labels and unusable pictures). The centring of the
embedding contract is applied here. A folder holds a sub-folder of pictures for each person (the layout of LFW).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from veilface.contract import CONTRACT, DIMENSION, MU_UNIT
from veilface.evaluate.errors import DataUnusable
from veilface.evaluate.people import measure
from veilface.evaluate.stopwatch import Stopwatch
from veilface.face.pipeline import FacePipeline

MOST_PICTURES: Final = 6000
MOST_BYTES: Final = 1 << 30
_LENGTH_SLACK: Final = 1e-2
_FEWEST_PEOPLE: Final = 2

Embeddings = NDArray[np.float32]
People = NDArray[np.int32]
Advance = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Centred unit ``embeddings`` float32 (n, 128), ``people`` int32 (n) from 0 up, and ``clean`` bool (n).

    ``has_clean`` tells whether somebody marked pictures; without it all are taken as clean. ``failures`` of
    ``pictures`` gave no embedding (failures to enrol).
    """

    name: str
    embeddings: Embeddings
    people: People
    clean: NDArray[np.bool_]
    has_clean: bool
    pictures: int
    failures: int

    @property
    def fingerprint(self) -> str:
        """SHA-256 of embeddings and identities: which data a figure or a threshold came from."""
        return hashlib.sha256(self.embeddings.tobytes() + self.people.tobytes()).hexdigest()

    @property
    def fte(self) -> float:
        """Failure to enrol: the share of pictures without an embedding."""
        return self.failures / self.pictures

    def chosen(self, mask: NDArray[np.bool_]) -> Self:
        """The pictures where ``mask`` is true, people numbered anew."""
        _, people = np.unique(self.people[mask], return_inverse=True)
        return type(self)(
            name=self.name,
            embeddings=self.embeddings[mask],
            people=people.astype(np.int32),
            clean=self.clean[mask],
            has_clean=self.has_clean,
            pictures=self.pictures,
            failures=self.failures,
        )


def load(path: Path, *, advance: Advance = lambda _done, _total: None) -> Dataset:
    """Read an ``.npz`` file or measure a folder.

    Above 6,000 pictures whole people are taken, evenly over all of them. Raises :class:`DataUnusable`, or
    :class:`NoPeople` for a folder without pictures.
    """
    dataset = _from_folder(path, advance) if path.is_dir() else _from_file(path)
    if len(np.unique(dataset.people)) < _FEWEST_PEOPLE or np.bincount(dataset.people).max() < 2:  # noqa: PLR2004
        raise DataUnusable(path=str(path), got="no genuine or no impostor pair", expected="two people, two pictures")
    return _limited(dataset)


def centred(raw: NDArray[np.floating]) -> Embeddings:
    """The contract's centring x = (e − μ)/|e − μ| of unit outputs (n, 128)."""
    shifted = raw.astype(np.float64) - np.array(CONTRACT.mu) / MU_UNIT
    unit: Embeddings = (shifted / np.linalg.norm(shifted, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _from_file(path: Path) -> Dataset:
    if path.stat().st_size > MOST_BYTES:
        raise DataUnusable(path=str(path), got=f"{path.stat().st_size} B", expected=f"≤ {MOST_BYTES} B")
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files if name in {"embeddings", "identity", "clean"}}
    except (OSError, ValueError, AttributeError) as error:
        raise DataUnusable(path=str(path), got="no .npz", expected="embeddings, identity") from error
    if not {"embeddings", "identity"} <= arrays.keys():
        raise DataUnusable(path=str(path), got=", ".join(arrays) or "–", expected="embeddings, identity")
    raw, labels = arrays["embeddings"], arrays["identity"]
    lengths = np.linalg.norm(raw, axis=1) if raw.ndim == 2 and raw.shape[1] == DIMENSION else np.zeros(1)  # noqa: PLR2004
    if len(raw) != len(labels) or not (np.abs(lengths - 1) <= _LENGTH_SLACK).all():
        raise DataUnusable(path=str(path), got=f"{raw.shape}, |e| ≠ 1?", expected=f"(n, {DIMENSION}), |e| = 1")
    clean = arrays.get("clean", np.ones(len(raw), dtype=np.bool_)).astype(np.bool_)
    _, people = np.unique(labels, return_inverse=True)
    return Dataset(
        name=path.name,
        embeddings=centred(raw),
        people=people.astype(np.int32),
        clean=clean,
        has_clean="clean" in arrays,
        pictures=len(raw),
        failures=0,
    )


def _from_folder(path: Path, advance: Advance) -> Dataset:
    samples, failures = measure(path, FacePipeline(), watch=Stopwatch(), advance=advance)
    _, people = np.unique([sample.person for sample in samples], return_inverse=True)
    return Dataset(
        name=path.name,
        embeddings=np.stack([sample.embedding for sample in samples]),
        people=people.astype(np.int32),
        clean=np.ones(len(samples), dtype=np.bool_),
        has_clean=False,
        pictures=len(samples) + len(failures),
        failures=len(failures),
    )


def _limited(dataset: Dataset) -> Dataset:
    if len(dataset.people) <= MOST_PICTURES:
        return dataset
    every = int(np.ceil(len(dataset.people) / MOST_PICTURES))
    return dataset.chosen(dataset.people % every == 0)
