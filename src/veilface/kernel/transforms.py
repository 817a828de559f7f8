"""The door to the kernel's transforms and reductions: in C, or in NumPy with equal results."""

from collections.abc import Callable
from types import ModuleType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import choice, plain
from veilface.kernel.roots import Roots, Words, forward_roots, inverse_roots

_KERNEL: ModuleType = choice.compiled or plain
_LEVEL: int = choice.level
available: Final = choice.compiled is not None
"""Whether the compiled kernel computes."""


def forward(coefficients: Words, *, prime: int) -> Words:
    """The NTTs of polynomials (…, n) modulo a prime below 2^30, of residues in [0, prime); a new array."""
    return _transformed(_KERNEL.forward, coefficients, forward_roots(prime, coefficients.shape[-1]), prime)


def inverse(words: Words, *, prime: int) -> Words:
    """The coefficients in [0, prime) of polynomials (…, n) in NTT form; a new array."""
    return _transformed(_KERNEL.inverse, words, inverse_roots(prime, words.shape[-1]), prime)


def reduce(values: NDArray[np.int64], *, prime: int) -> NDArray[np.int64]:
    """Integers of size below 2^62 modulo a prime below 2^30, in [0, prime); in place where they are C-contiguous."""
    values = np.ascontiguousarray(values)
    _KERNEL.reduce(values, prime, _LEVEL)
    return values


def _transformed(transform: Callable[..., None], words: Words, roots: Roots, prime: int) -> Words:
    choice.say_what_computes()
    rows = np.array(words, np.uint32, order="C").reshape(-1, words.shape[-1])
    transform(rows, roots.powers, roots.quotients, prime, _LEVEL)
    return rows.reshape(words.shape)
