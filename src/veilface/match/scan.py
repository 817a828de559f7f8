"""Scans of encrypted galleries: in C, or in NumPy with equal results.

A gallery block holds 2048 templates as d ciphertexts, ciphertext j with coordinate j of each, of two components of
2048 words. A scan reads them as :func:`arranged` lays them: 16 templates' words of one coordinate side by side – one
cache line – then the coordinate's other component, then the next coordinate. So the sums of 16 templates stay in
registers while memory is read once, in its own order. See ``docs/adr/0008-the-kernel.md``.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Final

import numpy as np

from veilface.kernel import choice, plain
from veilface.kernel import threads as cores
from veilface.kernel.roots import Words

N: Final = 2048
PRIME: Final = 1073692673
LANES: Final = 16
_GROUPS: Final = N // LANES

_KERNEL: ModuleType = choice.compiled or plain
_LEVEL: int = choice.level
available: Final = choice.compiled is not None
"""Whether the compiled kernel computes."""


def _kernel() -> ModuleType:
    choice.say_what_computes()
    return _KERNEL


def arranged(ciphertexts: Words) -> Words:
    """The d ciphertexts (…, d, 2, 2048) of a block as a scan reads them: (…, 128, d, 2, 16), copied."""
    *blocks, dimensions, components, _ = ciphertexts.shape
    grouped = ciphertexts.reshape(*blocks, dimensions, components, _GROUPS, LANES)
    return np.ascontiguousarray(np.moveaxis(grouped, -2, -4))


def arranged_probe(probe: Words) -> Words:
    """A converted probe (2, d, 2048) as a scan reads it: (128, d, 2, 16), copied."""
    return arranged(probe.swapaxes(0, 1))


def restored(block: Words) -> Words:
    """What :func:`arranged` was given."""
    *blocks, _, dimensions, components, _ = block.shape
    return np.ascontiguousarray(np.moveaxis(block, -4, -2)).reshape(*blocks, dimensions, components, N)


def scan(
    gallery: Sequence[Words] | Words, probe: Words, *, threads: int | None = None, out: Words | None = None
) -> Words:
    """Σ_j T_j·P_j modulo ``PRIME`` for every block, (blocks, 3, 2048), in the basis 1, s, s².

    ``gallery``, blocks (128, d, 2, 16), and ``probe`` (128, d, 2, 16) are C-contiguous uint32 words below ``PRIME``,
    in NTT form, laid out by :func:`arranged`; memory-mapped blocks are read in place. There is no relinearisation.
    ``out`` takes the result, so that a service need not ask for fresh memory with every query.
    """
    if out is None:
        out = np.empty((len(gallery), 3, N), np.uint32)
    _kernel().scan(list(gallery), probe, out, threads or cores.here(), _LEVEL)
    return out


def read(words: Words, *, threads: int | None = None) -> int:
    """The exclusive or of all words: what reading memory costs, to measure a scan against."""
    read_all: int = _kernel().read(words, threads or cores.here(), _LEVEL)
    return read_all
