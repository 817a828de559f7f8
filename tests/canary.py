"""Looks for an embedding or a token in files, in every form somebody might have written it down in.

A form is searched by runs of neighbouring values, forwards and backwards, so a vector is found wherever it stands
whole, whatever stands around it.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from veilface.protect.ring import DATA

SCALES = (127, 160, 1 << 14, 1 << 15)
FLOATS = ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8")
INTEGERS = ("<i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8")
SEPARATORS = (",", ", ", " ", "\n", ";", "\t")
PRECISIONS = range(3, 18)
RUN = 16
ANCHOR = 8  # bytes by which needles are told apart first
MASK = np.uint64((1 << 24) - 1)
# Database files are mostly empty; no form holds this many zero bytes in a row.
SOME_EMPTINESS = bytes(64)
EMPTINESS = re.compile(rb"\x00{64,}")


@dataclass(frozen=True)
class Needle:
    form: str
    data: bytes


@dataclass(frozen=True)
class Finding:
    form: str
    place: str


class Haystacks:
    """Looks for many needles at once: one look-up a byte by three bytes of each, and only then in earnest."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.needles = list(needles)
        self._by_anchor: dict[int, list[Needle]] = {}
        for needle in self.needles:
            anchor = int.from_bytes(needle.data[:ANCHOR], "little")
            self._by_anchor.setdefault(anchor, []).append(needle)
        self._anchors = np.array(sorted(self._by_anchor), np.uint64)
        self._table = np.zeros(1 << 24, np.bool_)
        self._table[self._anchors & MASK] = True

    def search(self, data: bytes, *, place: str) -> list[Finding]:
        """Every needle that stands in ``data``."""
        anchors = {int(anchor) for shift in range(ANCHOR) for anchor in self._candidates(data, shift)}
        near = [needle for anchor in anchors for needle in self._by_anchor[anchor]]
        return [Finding(needle.form, place) for needle in near if needle.data in data]

    def _candidates(self, data: bytes, shift: int) -> NDArray[np.uint64]:
        words = np.frombuffer(data, "<u8", count=max(0, len(data) - shift) // ANCHOR, offset=min(shift, len(data)))
        words = np.unique(words[self._table[words & MASK]])
        nearest = np.searchsorted(self._anchors, words).clip(max=len(self._anchors) - 1)
        return np.asarray(words[self._anchors[nearest] == words])


def search(embedding: NDArray[np.float64], *roots: Path) -> list[Finding]:
    """Every form of ``embedding`` (128,) that stands in a file below ``roots``."""
    haystacks = Haystacks(needles_of(embedding))
    findings = []
    for root in roots:
        for file in sorted(path for path in (root, *root.rglob("*")) if path.is_file()):
            findings += haystacks.search(EMPTINESS.sub(SOME_EMPTINESS, file.read_bytes()), place=str(file))
    return findings


def search_bytes(secret: bytes, *roots: Path) -> list[Finding]:
    """Every form of ``secret`` that stands in a file below ``roots``."""
    haystacks = Haystacks(_written("bytes", secret))
    files = sorted(path for root in roots for path in root.rglob("*") if path.is_file())
    return [finding for file in files for finding in haystacks.search(file.read_bytes(), place=str(file))]


def needles_of(embedding: NDArray[np.float64]) -> Iterator[Needle]:
    """Runs of the embedding in every form."""
    for direction, values in (("forwards", embedding), ("backwards", embedding[::-1])):
        for start in range(0, len(values), RUN):
            run = values[start : start + RUN]
            for form, data in _binary(run):
                yield from _written(f"{form} {direction}", data)
            for form, text in _texts(run):
                yield Needle(f"{form} {direction}", text.encode())


def _binary(run: NDArray[np.float64]) -> Iterator[tuple[str, bytes]]:
    for kind in FLOATS:
        yield kind, run.astype(kind).tobytes()
    for scale in SCALES:
        for rounding, scaled in _rounded(run, scale):
            for kind in INTEGERS:
                limits = np.iinfo(kind)
                if scaled.min() >= limits.min and scaled.max() <= limits.max:
                    yield f"{rounding}(x·{scale}) as {kind}", scaled.astype(kind).tobytes()
            for prime in DATA.primes:
                words = (scaled % prime).astype("<u4")
                yield f"{rounding}(x·{scale}) mod {prime}", words.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def _rounded(run: NDArray[np.float64], scale: int) -> Iterator[tuple[str, NDArray[np.int64]]]:
    yield "round", np.floor(run * scale + 0.5).astype(np.int64)
    yield "trunc", np.trunc(run * scale).astype(np.int64)


def _written(form: str, data: bytes) -> Iterator[Needle]:
    """The bytes themselves, in hex, and in base64 at each of its three alignments."""
    yield Needle(form, data)
    yield Needle(f"{form}, hex", data.hex().encode())
    yield Needle(f"{form}, HEX", data.hex().upper().encode())
    for offset in range(3):
        # Characters that depend on the neighbours outside the run are cut off at both ends.
        whole = base64.b64encode(bytes(offset) + data)
        inner = whole[(offset * 8 + 5) // 6 : (offset + len(data)) * 8 // 6]
        yield Needle(f"{form}, base64", inner)
        yield Needle(f"{form}, base64url", inner.translate(bytes.maketrans(b"+/", b"-_")))


def _texts(run: NDArray[np.float64]) -> Iterator[tuple[str, str]]:
    renderings = {"repr": [repr(float(x)) for x in run], "repr of float32": [str(np.float32(x)) for x in run]}
    for digits in PRECISIONS:
        renderings[f".{digits}f"] = [f"{x:.{digits}f}" for x in run]
        renderings[f".{digits}e"] = [f"{x:.{digits}e}" for x in run]
        renderings[f".{digits}g"] = [f"{x:.{digits}g}" for x in run]
    for scale in SCALES:
        for rounding, scaled in _rounded(run, scale):
            renderings[f"{rounding}(x·{scale})"] = [str(int(x)) for x in scaled]
    for form, numbers in renderings.items():
        for separator in SEPARATORS:
            yield f"{form} as text", separator.join(numbers)
