"""SFace: an aligned crop to 128 numbers, centred and of unit length.

Y. Zhong et al., "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition", IEEE TIP 30, 2021.
``web/src/face/embedder.ts`` mirrors this file.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from veilface.contract import CONTRACT, MU_UNIT
from veilface.face.runtime import open_session

Embedding = NDArray[np.float32]
MU: Final = np.array(CONTRACT.mu, np.float64) / MU_UNIT


class Embedder:
    """Turns crops into embeddings; the model is opened at the first use."""

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        return open_session("sface.onnx", sha256=CONTRACT.embedder_sha256)

    def embed(self, crop: NDArray[np.uint8]) -> Embedding:
        """The embedding of a 112 x 112 x 3 RGB crop: 128 float32, centred with MU, of unit length."""
        tensor = crop.transpose(2, 0, 1)[None].astype(np.float32)
        (output,) = self._session.run(["fc1"], {"data": tensor})
        return centre(output[0])


def centre(raw: NDArray[np.floating]) -> Embedding:
    """``x = (e - MU) / |e - MU|`` with ``e`` the model's output brought to unit length."""
    unit = raw.astype(np.float64) / np.linalg.norm(raw.astype(np.float64))
    shifted = unit - MU
    return np.asarray(shifted / np.linalg.norm(shifted), np.float32)


def average(embeddings: Sequence[Embedding]) -> Embedding:
    """The mean of one person's embeddings, brought back to unit length; raises ``ValueError`` for none."""
    if not embeddings:
        raise ValueError("no embeddings to average")
    mean = np.mean(np.asarray(embeddings, np.float64), axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)
