"""Builds the kernel with GCC's address and undefined-behaviour sanitizers and runs its tests on it.

Everything lies in .cache/sanitized and is made again when a source has changed. Needs gcc, g++ and Python's headers.
"""

import hashlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import nanobind

ROOT: Final = Path(__file__).resolve().parents[1]
KERNEL: Final = ROOT / "kernel"
BUILD: Final = ROOT / ".cache/sanitized"
MODULE: Final = BUILD / f"_scan{sysconfig.get_config_var('EXT_SUFFIX')}"
SANITIZE: Final = ["-g", "-O1", "-fPIC", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
RUN: Final = """
import sys, pytest, veilface.kernel
veilface.kernel.__path__.insert(0, sys.argv[1])
from veilface.kernel import choice
assert choice.built().__file__.startswith(sys.argv[1])
tests = ["tests/kernel", *(f"tests/match/test_{name}.py" for name in ("scan", "products", "legs", "masking"))]
tests += [*(f"tests/protect/test_{name}.py" for name in ("sealing", "conversion")), "tests/keyholder/test_opening.py"]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *tests]))
"""


def main() -> None:
    """Exits with the tests' own status."""
    sources = [path for path in sorted(KERNEL.iterdir()) if path.suffix in {".c", ".h", ".cpp"}]
    stamp, state = BUILD / "stamp", hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    if not MODULE.exists() or stamp.read_text() != state:
        BUILD.mkdir(parents=True, exist_ok=True)
        build()
        stamp.write_text(state)
    environment = os.environ | {
        "LD_PRELOAD": " ".join(library(name) for name in ("libasan.so", "libubsan.so")),
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter's own
        "VEILFACE_KERNEL": "",
    }
    sys.exit(subprocess.run([sys.executable, "-c", RUN, str(BUILD)], cwd=ROOT, env=environment, check=False).returncode)


def build() -> None:
    """C and the module with sanitizers, nanobind without."""
    outside = Path(nanobind.include_dir()).parent
    includes = [f"-I{path}" for path in (nanobind.include_dir(), outside / "ext/robin_map/include")]
    includes.append(f"-I{sysconfig.get_paths()['include']}")
    cplusplus = ["g++", "-std=c++17", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing", *includes]
    compile_all(["gcc", "-std=c11", *SANITIZE], sorted(KERNEL.glob("*.c")))
    compile_all([*cplusplus, *SANITIZE], sorted(KERNEL.glob("*.cpp")))
    compile_all([*cplusplus, "-O0"], [Path(nanobind.source_dir()) / "nb_combined.cpp"])
    objects = [str(path) for path in sorted(BUILD.glob("*.o"))]
    run(["g++", "-shared", "-pthread", *SANITIZE, *objects, "-o", str(MODULE)])


def compile_all(compiler: list[str], sources: list[Path]) -> None:
    """Each source to an object beside the module."""
    for source in sources:
        run([*compiler, "-c", str(source), "-o", str(BUILD / f"{source.stem}.o")])


def run(command: list[str]) -> None:
    """Runs a compiler; its own words say what is wrong."""
    subprocess.run(command, check=True)


def library(name: str) -> str:
    """Where GCC keeps one of its libraries."""
    found = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


if __name__ == "__main__":
    main()
