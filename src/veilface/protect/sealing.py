"""Fresh symmetric encryptions under the scan key of a gallery: in C, or in NumPy with equal results."""

from types import ModuleType
from typing import Final

import numpy as np

from veilface.kernel import choice, threads
from veilface.kernel.roots import Words, forward_roots
from veilface.kernel.sampling import Small
from veilface.protect import plain_sealing
from veilface.protect.word_ring import SCAN, Integers

_KERNEL: ModuleType = choice.compiled or plain_sealing
_LEVEL: int = choice.level
_ROOTS: Final = forward_roots(SCAN.prime, SCAN.n)


def sealed(messages: Integers, noise: Small, second: Words, secret: Words) -> Words:
    """First components (d, 2048) of encryptions of ``messages`` (d, 2048), of size below 2^30, under ``secret`` (2048).

    ``noise`` – the errors – and ``second`` components are of the same shape.
    """
    out, messages = np.empty(second.shape, np.uint32), np.ascontiguousarray(messages)
    _KERNEL.seal(messages, noise, second, secret, _ROOTS.powers, _ROOTS.quotients, out, threads.here(), _LEVEL)
    return out
