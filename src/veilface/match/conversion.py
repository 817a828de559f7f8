"""Handing coordinates over blindly: from a suite-0x01 ciphertext to the scan key of a gallery (protocol §9).

The matcher re-randomises the ciphertext and adds a mask r, uniform in [0, 2^59), to each of the 128 coefficients that
carry a coordinate. The key holder opens those, rescales the sum and encrypts it under the gallery's key; the matcher
takes the rescaled mask away. The other 3,968 coefficients are not sent at all, which hides them better than a mask.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import numpy as np

from veilface.protect.conversion import Samples, mask
from veilface.protect.gallery import PROBE_FACTOR, SCAN, TEMPLATE_DIVISOR, Masked, Sealed
from veilface.protect.stream import Integers, Stream
from veilface.protect.word_ring import Words


class SubjectKey:
    """An account's public key, or that of a gallery's probes."""

    def __init__(self, data: bytes, fingerprint: bytes | None = None) -> None:
        """Take 98,304 wire bytes, and their SHA-256 where it is known."""
        self.data: Final = data
        self.fingerprint: Final = fingerprint or sha256(data).digest()


def masked(ciphertext: bytes, key: SubjectKey, stream: Stream) -> tuple[Masked, Integers]:
    """What goes to the key holder for a template or a probe (73,728 B), and the masks r (128,) that stay here.

    Raises :class:`~veilface.protect.errors.MalformedCiphertext`, also for a key that is none.
    """
    (hidden,), masks = all_masked([ciphertext], [key], stream)
    return hidden, masks[0]


def all_masked(
    ciphertexts: Sequence[bytes], keys: Sequence[SubjectKey], stream: Stream
) -> tuple[list[Masked], Integers]:
    """The same for several, each with its key; masks (count, 128)."""
    samples = Samples.draw(len(ciphertexts), stream)
    first, second = mask(ciphertexts, [key.data for key in keys], samples)
    hidden = [
        Masked(key_fp=key.fingerprint, first=one, second=other)
        for key, one, other in zip(keys, first, second, strict=True)
    ]
    return hidden, samples.masks


def packed_templates(sealed: Sealed, masks: Integers) -> Words:
    """A block's ciphertexts (2, 128, 2048), coordinate by coordinate, from those under ``masks`` (128, 2048)."""
    words = sealed.words()
    words[0] = _less(words[0], SCAN.forward(rounded(masks)))
    return words


def converted_probe(sealed: Sealed, masks: Integers) -> Words:
    """Constant ciphertexts (2, 128, 2048) of three times each coordinate, from those under ``masks`` (128,).

    A constant is the same word everywhere. Coordinates of a probe stand in reverse order.
    """
    words = sealed.words()
    constants = SCAN.reduce(masks[::-1] * PROBE_FACTOR).astype(np.uint32)
    words[0] = _less(words[0], constants[:, None])
    return words


def rounded(values: Integers) -> Integers:
    """round(value/13) modulo the scan's prime: what the key holder does to a masked coordinate."""
    return SCAN.reduce((2 * values + TEMPLATE_DIVISOR) // (2 * TEMPLATE_DIVISOR))


def _less(words: Words, masks: Words) -> Words:
    """The difference or that and the prime, whichever is smaller: below zero, 32 bits wrap around to a large number."""
    words -= masks
    smaller: Words = np.minimum(words, words + np.uint32(SCAN.prime))
    return smaller
