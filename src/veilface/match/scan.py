"""The door to the kernel: scans of encrypted galleries, transforms, samples – in C, or in NumPy with equal results.

A gallery block holds 2048 templates as d ciphertexts, ciphertext j with coordinate j of each, of two components of
2048 words. A scan reads them as :func:`arranged` lays them: 16 templates' words of one coordinate side by side – one
cache line – then the coordinate's other component, then the next coordinate. So the sums of 16 templates stay in
registers while memory is read once, in its own order. See ``docs/adr/0008-the-kernel.md``.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.match import kernel, plain_scan
from veilface.match.roots import Roots, Words, forward_roots, inverse_roots

N: Final = 2048
PRIME: Final = 1073692673
LANES: Final = 16
BINOMIAL_BYTES: Final = 6
_GROUPS: Final = N // LANES
_SPARE_WORDS: Final = 16


_KERNEL: ModuleType = kernel.compiled or plain_scan
_LEVEL: int = kernel.level
available: Final = kernel.compiled is not None
"""Whether the compiled kernel computes."""


def _kernel() -> ModuleType:
    kernel.say_what_computes()
    return _KERNEL


def threads_here() -> int:
    """How many threads a scan uses unless told: the cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- scans -----------------------------------------------------------------------------------------------


def arranged(ciphertexts: Words) -> Words:
    """D ciphertexts, (…, d, 2, 2048), as a scan reads them: (…, 128, d, 2, 16), copied."""
    *blocks, dimensions, components, _ = ciphertexts.shape
    grouped = ciphertexts.reshape(*blocks, dimensions, components, _GROUPS, LANES)
    return np.ascontiguousarray(np.moveaxis(grouped, -2, -4))


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
    _kernel().scan(list(gallery), probe, out, threads or threads_here(), _LEVEL)
    return out


def read(words: Words, *, threads: int | None = None) -> int:
    """The exclusive or of all words: what reading memory costs, to measure a scan against."""
    read_all: int = _kernel().read(words, threads or threads_here(), _LEVEL)
    return read_all


# --- transforms ------------------------------------------------------------------------------------------


def forward(coefficients: Words, *, prime: int = PRIME) -> Words:
    """The NTTs of polynomials (…, n) modulo a prime below 2^30, of residues in [0, prime); a new array."""
    return _transformed(_kernel().forward, coefficients, forward_roots(prime, coefficients.shape[-1]), prime)


def inverse(words: Words, *, prime: int = PRIME) -> Words:
    """The coefficients in [0, prime) of polynomials (…, n) in NTT form; a new array."""
    return _transformed(_kernel().inverse, words, inverse_roots(prime, words.shape[-1]), prime)


def _transformed(transform: Callable[..., None], words: Words, roots: Roots, prime: int) -> Words:
    rows = np.array(words, np.uint32, order="C").reshape(-1, words.shape[-1])
    transform(rows, roots.powers, roots.quotients, prime, _LEVEL)
    return rows.reshape(words.shape)


# --- samples ---------------------------------------------------------------------------------------------


def uniform(*shape: int, prime: int = PRIME) -> Words:
    """Uniform residues in [0, prime) from the operating system's generator; too large ones are drawn again."""
    count, mask = int(np.prod(shape)), (1 << prime.bit_length()) - 1
    kept, parts = 0, []
    while kept < count:
        words = np.empty(count - kept + _SPARE_WORDS, np.uint32)
        parts.append(words[: _kernel().uniform(secrets.token_bytes(words.nbytes), mask, prime, words)])
        kept += len(parts[-1])
    return np.concatenate(parts)[:count].reshape(shape)


def ternary(*shape: int) -> NDArray[np.int8]:
    """Uniform −1, 0, 1 from the operating system's generator."""
    count = int(np.prod(shape))
    kept, parts = 0, []
    while kept < count:
        digits = np.empty(4 * ((count - kept) // 3 + _SPARE_WORDS), np.int8)
        parts.append(digits[: _kernel().ternary(secrets.token_bytes(len(digits) // 4), digits)])
        kept += len(parts[-1])
    return np.concatenate(parts)[:count].reshape(shape)


def binomial(*shape: int) -> NDArray[np.int8]:
    """Centred binomial integers, 21 bits less 21 bits (σ = 3.24), from the operating system's generator."""
    errors = np.empty(int(np.prod(shape)), np.int8)
    _kernel().binomial(secrets.token_bytes(BINOMIAL_BYTES * len(errors)), errors)
    return errors.reshape(shape)


def residues(small: NDArray[np.int8], *, prime: int = PRIME) -> Words:
    """Small signed integers as residues in [0, prime)."""
    signed = small.astype(np.int32)
    signed += (signed < 0) * np.int32(prime)
    return signed.astype(np.uint32)
