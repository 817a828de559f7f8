"""The key holder's part in gallery mode: converting blindly, opening shares, answering with places (ADR 9).

What it opens is uniform, or a number of random size at a random place. What it answers is one to four places, nobody
or too many; and to one probe it answers only a few times, so that a robbed matcher learns little from it.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from veilface.kernel import threads
from veilface.keyholder import opening
from veilface.keyholder.audit import Cause
from veilface.keyholder.decide import Evidence, judge
from veilface.keyholder.gallery_errors import ProbeUnsound, QueryUnknown
from veilface.keyholder.gallery_keys import GalleryKey
from veilface.protect.conversion import open_masked
from veilface.protect.gallery import (
    MOST_HITS,
    PROBE_FACTOR,
    RESULT,
    SCAN,
    SLOTS,
    TEMPLATE_DIVISOR,
    Conversion,
    Masked,
    PackedBlock,
    Reshared,
    Verdict,
    require_words,
    seeded_results,
)
from veilface.protect.homomorphic import DIMENSION, coordinate_residues
from veilface.protect.ring import DATA
from veilface.protect.rlwe import PublicKey, pack_words
from veilface.protect.stream import Integers, Stream, fresh_seed
from veilface.protect.word_ring import Words

SecretOf = Callable[[bytes], bytes | None]
"""The packed account secret (1,024 B) of a public key's fingerprint, or None where there is none that is current."""

QUERY_LIFETIME_S: Final = 30.0
MOST_QUERIES: Final = 32
MOST_ANSWERS: Final = 4
_TOGETHER: Final = 16
"""Templates that are opened at once."""


@dataclass(kw_only=True)
class _Query:
    expires: float
    answers: int = MOST_ANSWERS
    places: int | None = None


class GalleryDesk:
    """One gallery's queries under one epoch of its key. Safe to call from many threads."""

    def __init__(self, key: GalleryKey, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.key: Final = key
        self.public_key: Final = key.secret.public_key()
        self.probe_key: Final = PublicKey(key.probe_public)
        self._probe_secret = SubjectSecret(key.probe_secret.pack())
        self._clock = clock
        self._queries: OrderedDict[bytes, _Query] = OrderedDict()
        self._lock = Lock()

    def begin(self, *, norm: bytes, range_: bytes, probe: Masked) -> Conversion:
        """Check range and norm, then convert; raises ``ProbeUnsound`` and, for bytes no evidence has, ``Malformed``."""
        cause, coordinates = self.examined(Evidence.parse(norm=norm, range_=range_), probe)
        if cause is not Cause.NONE or coordinates is None:
            raise ProbeUnsound
        return self.converted(coordinates)

    def examined(self, evidence: Evidence, probe: Masked) -> tuple[Cause, Integers | None]:
        """What is wrong with a probe, if anything, and its masked coordinates; both are found out every time."""
        cause, coordinates = judge(self.key.probe_secret, evidence), opened(probe, self._probe_secret)
        return cause | (Cause.RANGE if coordinates is None else Cause.NONE), coordinates

    def converted(self, coordinates: Integers) -> Conversion:
        """Encrypt three times each masked coordinate as a constant.

        The id (16 B) that comes back is good for one :meth:`reshare` and a few :meth:`conclude`.
        """
        constants = np.zeros((DIMENSION, SLOTS), np.int64)
        constants[:, 0] = SCAN.reduce(coordinates[::-1] * PROBE_FACTOR)
        return Conversion(query=self.admit(), sealed=self.key.secret.seal(constants))

    def admit(self) -> bytes:
        """The id of a query whose probe was found sound. Only so many are open; the oldest gives way."""
        query = secrets.token_bytes(16)
        with self._lock:
            self._queries[query] = _Query(expires=self._clock() + QUERY_LIFETIME_S)
            while len(self._queries) > MOST_QUERIES:
                self._queries.popitem(last=False)
        return query

    def reshare(self, query: bytes, shares: Words) -> Reshared:
        """Open uniform shares (places, 3, 2048), an even number of places, and encrypt them with their wrap bits.

        Raises ``QueryUnknown`` – also for a second time – and ``MalformedCiphertext``.
        """
        require_words(shares, (len(shares) // 2 * 2, 3, SLOTS), SCAN.prime)
        with self._lock:
            entry = self._open(query)
            if entry.places is not None:
                raise QueryUnknown
            entry.places = len(shares)
        return reshared(self.key, shares)

    def conclude(self, query: bytes, blinded: Words) -> Verdict:
        """Open blinded scores (pairs, 3, 3, 4096); raises ``QueryUnknown`` and ``MalformedCiphertext``."""
        with self._lock:
            entry = self._open(query)
            if entry.places is None or not entry.answers:
                raise QueryUnknown
            entry.answers -= 1
        require_words(blinded, (entry.places // 2, 3, len(RESULT), 2 * SLOTS), *(ring.prime for ring in RESULT))
        return verdict(blinded_values(self.key, blinded))

    def _open(self, query: bytes) -> _Query:
        entry = self._queries.get(query)
        if entry is None or entry.expires <= self._clock():
            raise QueryUnknown
        return entry


def reshared(key: GalleryKey, shares: Words) -> Reshared:
    """U of the shares and K of their wrap bits, places 2i and 2i + 1 as real and imaginary parts."""
    seed, pairs = fresh_seed(), len(shares) // 2
    noise = Stream().errors((pairs, 2, RESULT[0].n))
    return Reshared(first=opening.reshared(key.secret, shares, seeded_results(seed, pairs), noise), seed=seed)


def blinded_values(key: GalleryKey, blinded: Words) -> NDArray[np.float64]:
    """ρ·(score − θ) for every place and index, (places, 2048): what a query lets the key holder see."""
    return opening.answers(key.secret, blinded)


def verdict(values: NDArray[np.float64]) -> Verdict:
    """Where the values (places, 2048) are positive, if that is in one to four places."""
    hits = np.flatnonzero(values > 0)
    if not len(hits):
        return Verdict(outcome="none")
    if len(hits) > MOST_HITS:
        return Verdict(outcome="ambiguous")
    return Verdict(outcome="hits", positions=tuple(divmod(int(hit), SLOTS) for hit in hits))


# --- conversion ------------------------------------------------------------------------------------------


class SubjectSecret:
    """The secret (1,024 B, packed) a masked ciphertext is under."""

    __slots__ = ("packed",)

    def __init__(self, packed: bytes) -> None:
        self.packed: Final = packed


class Packing:
    """A block in the making: masked templates, slot by slot, become columns, and in the end they are sealed at once."""

    def __init__(self, key: GalleryKey, secret_of: SecretOf) -> None:
        self.key: Final = key
        self._secret_of: Final = secret_of
        self._columns = np.zeros((SLOTS, DIMENSION), np.int64)
        self._refused: list[int] = []

    def add(self, templates: Iterable[tuple[int, Masked]]) -> None:
        """Open and rescale templates (slot, masked), each slot once.

        A template under a key that is gone, or with numbers no mask can have made, leaves its slot empty.
        """
        left = iter(templates)
        while some := list(islice(left, _TOGETHER)):
            self._add(some)

    def _add(self, templates: Sequence[tuple[int, Masked]]) -> None:
        secrets = {key_fp: self._secret_of(key_fp) for key_fp in {one.key_fp for _, one in templates}}
        known = [(slot, one, secret) for slot, one in templates if (secret := secrets[one.key_fp]) is not None]
        some, secrets_of_some = [one for _, one, _ in known], [secret for _, _, secret in known]
        coordinates, sound = open_masked(secrets_of_some, some, threads=threads.here())
        slots = np.array([slot for slot, _, _ in known], np.int64)[sound]
        rescaled = (2 * coordinates[sound] + TEMPLATE_DIVISOR) // (2 * TEMPLATE_DIVISOR)
        self._columns[slots] = SCAN.reduce(rescaled)
        self._refused += {slot for slot, _ in templates} - set(slots.tolist())

    def seal(self) -> PackedBlock:
        """The block, encrypted coordinate by coordinate."""
        sealed = self.key.secret.seal(np.ascontiguousarray(self._columns.T))
        return PackedBlock(sealed=sealed, refused=tuple(sorted(self._refused)))


def packed(key: GalleryKey, templates: Iterable[Masked | None], secret_of: SecretOf) -> PackedBlock:
    """A whole block at once, its slots in order; None leaves a slot empty."""
    packing = Packing(key, secret_of)
    packing.add((slot, one) for slot, one in enumerate(islice(templates, SLOTS)) if one is not None)
    return packing.seal()


def rekeyed(key: PublicKey, coordinates: Integers) -> bytes:
    """Masked integers (128,), encrypted afresh under a public key of suite 0x01 (73,728 B)."""
    words = key.zero()
    words[0] = DATA.residues(words[0] + coordinate_residues(coordinates))
    return pack_words(words)


def opened(hidden: Masked, secret: SubjectSecret) -> Integers | None:
    """The 128 masked integers of a :class:`Masked`, exactly; None where one is none that a mask can make.

    Raises ``MalformedCiphertext`` for words of another shape, or not below their primes.
    """
    (coordinates,), (sound,) = open_masked([secret.packed], [hidden])
    return coordinates if sound else None
