"""Learns what of the embedding contract comes from data: the mean MU.

``python tools/learn_contract.py FILE.npz`` reads ``embeddings`` (n x 128 float32, unit SFace outputs before
centring), ``identity`` (n integers) and ``clean`` (n booleans), writes ``src/veilface/contract.json`` and prints the
figures for the model card. Only the 128 numbers of MU leave the data.

MU is the mean of the people's means, so that a person with many photographs weighs no more than one with few.
The thresholds printed are the smallest centred cosines, in millionths, with at most that share of impostor pairs
accepted, over all pairs of clean photographs of different people. Those in use come from ``veilface calibrate``.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
CONTRACT = ROOT / "src/veilface/contract.json"
MODELS = ROOT / "src/veilface/face/models"
PREPROCESSING = "vf-pre-1"
MU_UNIT = 16384
MILLION = 1_000_000
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def mean_of_people(embeddings: Floats, identity: Integers) -> Integers:
    """MU in units of 1/16384, shape (128,)."""
    people = [embeddings[identity == person].mean(axis=0) for person in np.unique(identity)]
    mu: Integers = np.rint(np.mean(people, axis=0) * MU_UNIT).astype(np.int64)
    return mu


def centred(embeddings: Floats, mu: Integers) -> Floats:
    """``(e - mu) / |e - mu|``, row by row."""
    shifted = embeddings - mu / MU_UNIT
    return np.asarray(shifted / np.linalg.norm(shifted, axis=1, keepdims=True))


def pair_scores(embeddings: Floats, identity: Integers) -> tuple[Floats, Floats]:
    """Cosines of all genuine and of all impostor pairs, each sorted upwards."""
    first, second = np.triu_indices(len(embeddings), 1)
    scores = (embeddings @ embeddings.T)[first, second]
    genuine = identity[first] == identity[second]
    return np.sort(scores[genuine]), np.sort(scores[~genuine])


def threshold_at(impostor: Floats, fmr: float) -> float:
    """The smallest threshold in whole millionths whose false match rate is at most ``fmr``."""
    rejected = impostor[len(impostor) - int(fmr * len(impostor)) - 1]
    return (int(np.floor(rejected * MILLION)) + 1) / MILLION


def share_accepted(scores: Floats, threshold: float) -> float:
    """The share of ``scores`` at or above ``threshold``."""
    return float(np.mean(scores >= threshold))


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Learn MU, write the contract.")
    parser.add_argument("data", type=Path, help="npz with embeddings, identity and clean")
    with np.load(parser.parse_args().data, allow_pickle=False) as data:
        clean = data["clean"]
        embeddings, identity = data["embeddings"][clean].astype(np.float64), data["identity"][clean].astype(np.int64)
    mu = mean_of_people(embeddings, identity)
    genuine, impostor = pair_scores(centred(embeddings, mu), identity)
    print(f"{len(embeddings)} photographs, {len(np.unique(identity))} people, |MU| {np.linalg.norm(mu / MU_UNIT):.4f}")
    print(f"{len(genuine):,} genuine and {len(impostor):,} impostor pairs")
    for target in (1e-2, 1e-3, 1e-4, 1e-5):
        threshold = threshold_at(impostor, target)
        fmr, tar = share_accepted(impostor, threshold), share_accepted(genuine, threshold)
        print(f"FMR target {target:.0e}: threshold {threshold:.6f}, FMR {fmr:.3e}, TAR {100 * tar:.2f} %")
    contract = {
        "version": 1,
        "detector_sha256": hashlib.sha256((MODELS / "yunet.onnx").read_bytes()).hexdigest(),
        "embedder_sha256": hashlib.sha256((MODELS / "sface.onnx").read_bytes()).hexdigest(),
        "preprocessing": PREPROCESSING,
        "mu": mu.tolist(),
    }
    CONTRACT.write_text(json.dumps(contract) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
