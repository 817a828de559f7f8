"""A photo becomes faces: detector, aligner, quality, embedder; see :mod:`veilface.face.pipeline`."""

import os

# onnxruntime's published wheels upload usage events under an identifier they keep in the home directory, unless this
# stands in the environment when the library starts. A program that measures faces calls nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
