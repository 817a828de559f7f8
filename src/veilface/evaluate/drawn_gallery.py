"""A large gallery at once: people who are drawn, sealed under a gallery's own key without an ingest of each.

A scan cannot tell the blocks from those that were packed. Nobody in them has a template, so they can be searched and
never packed anew.
"""

import secrets
from collections.abc import Iterator
from typing import Final

import numpy as np

from veilface.evaluate.synthetic import unit_vectors
from veilface.match import scan
from veilface.match.block_files import BlockFiles
from veilface.match.gallery_truth import Placed
from veilface.protect.gallery import SLOTS, TEMPLATE_DIVISOR, GallerySecretKey
from veilface.protect.homomorphic import SCALE, Embedding

NEAREST: Final = 0.25
"""Whoever is drawn nearer than that to the person searched for stands on the other side of the sphere instead."""
_ID_BYTES: Final = 16


def drawn_blocks(
    secret: GallerySecretKey, scan_fp: bytes, files: BlockFiles, *, people: int, kind: str, away_from: Embedding
) -> Iterator[Placed]:
    """Write blocks with so many people, about as many in each, none of them near the unit embedding ``away_from``.

    ``scan_fp`` – the fingerprint of that key's public half; ``kind`` – by which way they are said to have come in.
    """
    blocks = -(-people // SLOTS)
    for number in range(blocks):
        count = people * (number + 1) // blocks - people * number // blocks
        drawn = unit_vectors(f"drawn gallery {number}", SLOTS).astype(np.float64)
        drawn[drawn @ away_from > NEAREST] *= -1
        coordinates = np.ascontiguousarray(np.rint(drawn.T * (SCALE / TEMPLATE_DIVISOR)).astype(np.int64))
        block, words = secrets.token_bytes(_ID_BYTES), secret.seal(coordinates).words()
        checksum = files.write(block, scan.arranged(np.ascontiguousarray(words.swapaxes(0, 1))))
        members = {slot: secrets.token_bytes(_ID_BYTES) for slot in range(count)}
        yield Placed(block=block, checksum=checksum, key_fp=scan_fp, kind=kind, packed=count, members=members)
