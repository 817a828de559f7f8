"""People who do not exist: Gaussian identities with pictures scattered about them."""

from pathlib import Path

import numpy as np

from veilface.evaluate.datasets import Dataset


def crowd(people: int = 40, pictures: int = 4, *, scatter: float = 0.06, seed: int = 1) -> Dataset:
    """Unit embeddings; a scatter of 0.06 makes cosines of about 0.7 within a person."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(people, 128))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    rows = np.repeat(centres, pictures, axis=0) + scatter * generator.normal(size=(people * pictures, 128))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return Dataset(
        name="crowd",
        embeddings=rows.astype(np.float32),
        people=np.repeat(np.arange(people, dtype=np.int32), pictures),
        clean=np.ones(len(rows), dtype=np.bool_),
        has_clean=False,
        pictures=len(rows),
        failures=0,
    )


def saved(path: Path, dataset: Dataset) -> Path:
    """The same as an ``.npz``; the last picture is marked as not clean."""
    clean = dataset.clean.copy()
    clean[-1] = False
    np.savez(path, embeddings=dataset.embeddings, identity=dataset.people, clean=clean)
    return path
