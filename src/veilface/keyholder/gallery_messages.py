"""What crosses the wall for galleries: large bodies of words, each of an exact size that is known before it is read.

Words are 32 bits, little-endian, in C order; residues of suite 0x01 are 3 bytes, as everywhere. A number that is no
residue is for the flow to refuse, which knows the primes.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from veilface.keyholder.errors import Malformed
from veilface.keyholder.messages import SIGNED, Layout, Octets, exactly, one_of
from veilface.protect.envelope import HASH_BYTES, ID_BYTES
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import (
    MOST_HITS,
    RESULT,
    SCAN,
    SLOTS,
    Conversion,
    EpochKeys,
    GalleryPublicKey,
    Masked,
    PackedBlock,
    Reshared,
    Sealed,
    Verdict,
    require_words,
)
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.ring import DATA, N
from veilface.protect.rlwe import NORM_BYTES, PUBLIC_KEY_BYTES, RANGE_BYTES, RESIDUE_BYTES, SCORE_BYTES, pack_words
from veilface.protect.stream import SEED_BYTES
from veilface.protect.word_ring import Words

EPOCH_BYTES: Final = 4
WORD_BYTES: Final = 4
QUERY_BYTES: Final = 16
PACK_BYTES: Final = 16
MOST_PLACES: Final = 512
"""Blocks of a gallery: 1,048,576 templates."""
MOST_IN_PART: Final = 64
"""Templates of one ``gallery_pack_part``."""

REGISTER_EVIDENCE_BYTES: Final = SCORE_BYTES + 2 * (NORM_BYTES + RANGE_BYTES)
"""Of somebody registered at a kiosk: ``norm‖range`` of the template, ``score‖norm‖range`` of the probe beside it."""

_SECOND: Final = (len(DATA.primes), N)
_FIRST: Final = (len(DATA.primes), DIMENSION)
MASKED_BYTES: Final = HASH_BYTES + RESIDUE_BYTES * len(DATA.primes) * (N + DIMENSION)
_SLOT_BYTES: Final = 2
_PLACED_BYTES: Final = _SLOT_BYTES + MASKED_BYTES
_SHARE: Final = (3, SLOTS)
_BLINDED: Final = (3, len(RESULT), 2 * SLOTS)
_RESHARED: Final = (2, len(RESULT), 2 * SLOTS)
_SEALED: Final = (DIMENSION, SLOTS)


def _size(shape: tuple[int, ...]) -> int:
    return WORD_BYTES * int(np.prod(shape))


SHARE_BYTES: Final = _size(_SHARE)
BLINDED_BYTES: Final = _size(_BLINDED)
RESHARED_BYTES: Final = _size(_RESHARED)
SEALED_BYTES: Final = _size(_SEALED) + SEED_BYTES
EPOCH_KEYS_BYTES: Final = EPOCH_BYTES + _size((2, SLOTS)) + _size(_RESHARED) + PUBLIC_KEY_BYTES
PACKED_BYTES: Final = SEALED_BYTES + SLOTS // 8
CONVERSION_BYTES: Final = QUERY_BYTES + SEALED_BYTES
VERDICT_BYTES: Final = 2 + 4 * MOST_HITS


def reshared_bytes(places: int) -> int:
    """How long the answer is to shares of so many places."""
    return SEED_BYTES + places // 2 * RESHARED_BYTES


def _multiples(unit: int, most: int, *, step: int = 1) -> range:
    return range(step * unit, most * unit + 1, step * unit)


_GALLERY: Final = {"gallery": ID_BYTES}
_EPOCH: Final = _GALLERY | {"epoch": EPOCH_BYTES}
_QUERY: Final = {"query": QUERY_BYTES}
_PACK: Final = {"pack": PACK_BYTES}
_PROBE: Final = {"epoch": EPOCH_BYTES, "norm": NORM_BYTES, "range_": RANGE_BYTES, "probe": MASKED_BYTES}

REQUESTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        "gallery_create": Layout(_EPOCH),
        "gallery_erase_before": Layout(_EPOCH),
        "gallery_forget": Layout(_GALLERY),
        "gallery_opt_in": Layout(SIGNED),
        "gallery_opt_out": Layout(SIGNED),
        "gallery_drop": Layout(_GALLERY | {"account": ID_BYTES}),
        "gallery_revoke_kiosk": Layout(_GALLERY | {"device_id": ID_BYTES}),
        "gallery_register": Layout(SIGNED, frozenset({REGISTER_EVIDENCE_BYTES})),
        "gallery_pack_begin": Layout(_EPOCH),
        "gallery_pack_part": Layout(_PACK, _multiples(_PLACED_BYTES, MOST_IN_PART), "templates"),
        "gallery_pack_end": Layout(_PACK),
        "identify_begin": Layout(SIGNED | _PROBE),
        "identify_reshare": Layout(_QUERY, _multiples(SHARE_BYTES, MOST_PLACES, step=2), "shares"),
        "identify_conclude": Layout(_QUERY, _multiples(BLINDED_BYTES, MOST_PLACES // 2), "blinded"),
        "identify_transfer": Layout(_QUERY | {"template": MASKED_BYTES}),
        "identify_confirm": Layout(_QUERY, frozenset({SCORE_BYTES + NORM_BYTES + RANGE_BYTES})),
    }
)
"""The request of every verb of ``GalleryApi``: POST ``/v1/<verb>`` with exactly these bytes."""


# --- fields of requests ----------------------------------------------------------------------------------


def dump_masked(hidden: Masked) -> bytes:
    """``key_fp(32)‖second(36,864)‖first(1,152)``."""
    return hidden.key_fp + pack_words(hidden.second) + pack_words(hidden.first)


def load_masked(data: Octets) -> Masked:
    """Read 38,048 bytes."""
    exactly(data, MASKED_BYTES, "masked")
    # Overlapping 4-byte reads at a stride of 3; the spare last byte keeps the final read inside the buffer.
    residues = bytes(data[HASH_BYTES:]) + b"\0"
    overlapping = np.ndarray((len(residues) // RESIDUE_BYTES,), "<u4", buffer=residues, strides=(RESIDUE_BYTES,))
    words = overlapping & np.uint32((1 << 8 * RESIDUE_BYTES) - 1)
    split = int(np.prod(_SECOND))
    return Masked(
        key_fp=bytes(data[:HASH_BYTES]), second=words[:split].reshape(_SECOND), first=words[split:].reshape(_FIRST)
    )


def dump_templates(templates: Mapping[int, Masked]) -> bytes:
    """``slot(u16)‖masked(38,048)`` for each."""
    return b"".join(slot.to_bytes(_SLOT_BYTES, "big") + dump_masked(one) for slot, one in templates.items())


def load_templates(data: Octets) -> Mapping[int, Masked]:
    """Raises :class:`Malformed` for a slot twice or beyond 2047."""
    one_of(len(data), _multiples(_PLACED_BYTES, MOST_IN_PART), "templates")
    templates: dict[int, Masked] = {}
    for start in range(0, len(data), _PLACED_BYTES):
        slot = int.from_bytes(data[start : start + _SLOT_BYTES], "big")
        if slot >= SLOTS or slot in templates:
            raise Malformed(field="slot", got=slot, expected=f"0 … {SLOTS - 1}, once")
        templates[slot] = load_masked(data[start + _SLOT_BYTES : start + _PLACED_BYTES])
    return templates


def dump_words(words: Words) -> Octets:
    """Words of any shape, where they lie."""
    return np.ascontiguousarray(words, "<u4").reshape(-1).view(np.uint8).data


def _load_words(data: Octets, shape: tuple[int, ...], field: str) -> Words:
    """Words (…, *shape), as many as there are; they stay where they were received."""
    if not data or len(data) % _size(shape):
        raise Malformed(field=field, got=f"{len(data)} B", expected=f"n · {_size(shape)} B")
    words: Words = np.frombuffer(data, "<u4").astype(np.uint32, copy=False).reshape(-1, *shape)
    return words


READERS: Final[Mapping[str, Callable[[Octets], Any]]] = MappingProxyType(
    {
        "epoch": lambda data: int.from_bytes(data, "big"),
        "probe": load_masked,
        "template": load_masked,
        "templates": load_templates,
        "shares": lambda data: _load_words(data, _SHARE, "shares"),
        "blinded": lambda data: _load_words(data, _BLINDED, "blinded"),
    }
)
"""How the fields of a request that are more than bytes are read."""


# --- answers ---------------------------------------------------------------------------------------------

_OUTCOMES: Final = ("none", "hits", "ambiguous")


def dump(answer: EpochKeys | PackedBlock | Conversion | Reshared | Verdict) -> list[Octets]:
    """The one form of each: fields of fixed size, one after another; what is large is not copied."""
    match answer:
        case EpochKeys(epoch=epoch, zeros=zeros, probes=probes):
            return [epoch.to_bytes(EPOCH_BYTES, "big"), dump_words(zeros.scan), dump_words(zeros.result), probes]
        case PackedBlock(sealed=sealed, refused=refused):
            bits = np.zeros(SLOTS, np.bool_)
            bits[list(refused)] = True
            return [*_dump_sealed(sealed), np.packbits(bits).tobytes()]
        case Conversion(query=query, sealed=sealed):
            return [query, *_dump_sealed(sealed)]
        case Reshared(first=first, seed=seed):
            return [seed, dump_words(first)]
        case Verdict(outcome=outcome, positions=positions):
            places = b"".join(place.to_bytes(2, "big") + index.to_bytes(2, "big") for place, index in positions)
            head = bytes([_OUTCOMES.index(outcome), len(positions)])
            return [(head + places).ljust(VERDICT_BYTES, b"\0")]


def load_epoch_keys(data: Octets) -> EpochKeys:
    """Read 212,996 bytes; raises :class:`Malformed`, also for words that are not below their primes."""
    exactly(data, EPOCH_KEYS_BYTES, "keys")
    scan_end = EPOCH_BYTES + _size((2, SLOTS))
    zeros = GalleryPublicKey(
        scan=_load_words(data[EPOCH_BYTES:scan_end], (SLOTS,), "scan"),
        result=_load_words(data[scan_end:-PUBLIC_KEY_BYTES], _RESHARED, "result")[0],
    )
    _require(zeros.scan, (2, SLOTS), SCAN.prime)
    _require(zeros.result, _RESHARED, *(ring.prime for ring in RESULT))
    return EpochKeys(
        epoch=int.from_bytes(data[:EPOCH_BYTES], "big"), zeros=zeros, probes=bytes(data[-PUBLIC_KEY_BYTES:])
    )


def load_packed(data: Octets) -> PackedBlock:
    """Read 1,048,864 bytes; raises as :func:`load_epoch_keys` does."""
    exactly(data, PACKED_BYTES, "block")
    refused = np.flatnonzero(np.unpackbits(np.frombuffer(data[SEALED_BYTES:], np.uint8)))
    return PackedBlock(sealed=_load_sealed(data[:SEALED_BYTES]), refused=tuple(refused.tolist()))


def load_conversion(data: Octets) -> Conversion:
    """Read 1,048,624 bytes; raises as :func:`load_epoch_keys` does."""
    exactly(data, CONVERSION_BYTES, "conversion")
    return Conversion(query=bytes(data[:QUERY_BYTES]), sealed=_load_sealed(data[QUERY_BYTES:]))


def load_reshared(data: Octets, *, places: int) -> Reshared:
    """Read 98,304 bytes for each pair of ``places``, and a seed; raises as :func:`load_epoch_keys` does."""
    exactly(data, reshared_bytes(places), "shares")
    first = _load_words(data[SEED_BYTES:], _RESHARED, "shares")
    _require(first, first.shape, *(ring.prime for ring in RESULT))
    return Reshared(first=first, seed=bytes(data[:SEED_BYTES]))


def load_verdict(data: Octets, *, places: int) -> Verdict:
    """Read 18 bytes; raises :class:`Malformed` for positions that no such query has."""
    exactly(data, VERDICT_BYTES, "verdict")
    kind, count = data[0], data[1]
    numbers = [int.from_bytes(data[at : at + 2], "big") for at in range(2, 2 + 4 * count, 2)]
    positions = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    hits = kind < len(_OUTCOMES) and _OUTCOMES[kind] == "hits"
    fits = kind < len(_OUTCOMES) and count <= MOST_HITS and hits == bool(count) and not any(data[2 + 4 * count :])
    if not fits or any(place >= places or index >= SLOTS for place, index in positions):
        raise Malformed(field="verdict", got=bytes(data).hex(), expected="none, 1 … 4 positions, or ambiguous")
    return Verdict(outcome=_OUTCOMES[kind], positions=positions)


def load_bool(data: Octets) -> bool:
    """Read one byte, 0 or 1."""
    if bytes(data) not in {b"\0", b"\1"}:
        raise Malformed(field="answer", got=bytes(data).hex(), expected="00, 01")
    return data == b"\1"


def _dump_sealed(sealed: Sealed) -> list[Octets]:
    return [dump_words(sealed.first), sealed.seed]


def _load_sealed(data: Octets) -> Sealed:
    first = _load_words(data[:-SEED_BYTES], (SLOTS,), "sealed")
    _require(first, _SEALED, SCAN.prime)
    return Sealed(first=first, seed=bytes(data[-SEED_BYTES:]))


def _require(words: Words, shape: tuple[int, ...], *bounds: int) -> None:
    try:
        require_words(words, shape, *bounds)
    except MalformedCiphertext as error:
        raise Malformed(field="words", **error.details) from error
