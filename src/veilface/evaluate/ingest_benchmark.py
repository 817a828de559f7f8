"""How fast templates enter a gallery: database, matcher, key holder and block file, all in this process (ADR 9)."""

import secrets
import statistics
import time
from dataclasses import dataclass
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from veilface.evaluate.errors import PathBroken
from veilface.evaluate.synthetic import unit_vectors
from veilface.keyholder.galleries import GalleryOffice, gallery_secrets
from veilface.keyholder.gallery_keys import GalleryKeys
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.store import Store
from veilface.match.gallery import Gallery
from veilface.match.gallery_truth import Enrolment, SqliteTruth
from veilface.protect.gallery import SLOTS
from veilface.protect.homomorphic import protect_template

ROUNDS: Final = 3
_DISTINCT: Final = 32
_GALLERY: Final = bytes(16)


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """Medians of a few rounds of ``templates`` each: added to the database, then packed into one block."""

    templates: int
    rounds: int
    add_ms: float
    pack_ms: float
    templates_per_s: float


def measure_ingest(*, templates: int = SLOTS, rounds: int = ROUNDS) -> Ingest:
    """Let so many people into a fresh gallery, again and again. Templates are under the gallery's ingest key."""
    with TemporaryDirectory(prefix="veilface-ingest-") as folder:
        store, kek = Store(Path(folder), create=True), KeyEncryptionKey(secrets.token_bytes(32))
        office = GalleryOffice(GalleryKeys(store, kek), _GALLERY, secret_of=gallery_secrets(store, kek, _GALLERY))
        public_key = office.create(1).probes
        some = [protect_template(one, public_key=public_key) for one in unit_vectors("ingest", _DISTINCT)]
        truth = SqliteTruth(Path(folder) / "truth.sqlite3")
        gallery = Gallery(Path(folder) / "blocks", truth, office)
        times = [
            _round(gallery, some, public_key, range(start, start + templates))
            for start in range(0, rounds * templates, templates)
        ]
        if sum(len(placed.members) for placed in truth.blocks()) != rounds * templates:
            raise PathBroken(stage="ingest")
        truth.close()
    add, pack = (statistics.median(part) for part in zip(*times, strict=True))
    rate = templates / statistics.median(sum(both) for both in times)
    return Ingest(templates=templates, rounds=rounds, add_ms=add * 1000, pack_ms=pack * 1000, templates_per_s=rate)


def _round(gallery: Gallery, some: list[bytes], public_key: bytes, people: range) -> tuple[float, float]:
    key_fp = sha256(public_key).digest()
    enrolments = [
        Enrolment(
            member=_id(b"member", one),
            person=_id(b"person", one),
            template=template,
            public_key=public_key,
            key_fp=key_fp,
        )
        for one, template in zip(people, islice(cycle(some), len(people)), strict=True)
    ]
    started = time.perf_counter()
    gallery.add(enrolments)
    added = time.perf_counter()
    gallery.pack()
    return added - started, time.perf_counter() - added


def _id(kind: bytes, number: int) -> bytes:
    return sha256(kind + number.to_bytes(8, "big")).digest()[:16]
