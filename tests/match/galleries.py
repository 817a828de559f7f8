"""Whom the tests of galleries need: accounts that opted in, a gallery, and the real key holder of both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from tests.match.parties import Account, Vector, at_cosine, unit
from veilface.keyholder.galleries import GalleryOffice
from veilface.keyholder.gallery_keys import GalleryKey, GalleryKeys
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.repack import GalleryDesk
from veilface.keyholder.store import Store
from veilface.match import scan
from veilface.match.blinding import QueryMasks, prepare
from veilface.match.engine import Engine, LocalEngine
from veilface.match.gallery import Gallery
from veilface.match.gallery_truth import Enrolment, SqliteTruth, Truth
from veilface.match.identification import blinded_scores, masked_scores
from veilface.match.masks import prepare as masks_of_a_probe
from veilface.match.query_pool import QueryPool
from veilface.match.search import Candidates, search
from veilface.protect.gallery import SLOTS, GallerySecretKey, Reshared
from veilface.protect.homomorphic import protect_probe
from veilface.protect.rlwe import generate_key
from veilface.protect.word_ring import Words

GALLERY = bytes(range(16))


def identity(label: object) -> bytes:
    return sha256(repr(label).encode()).digest()[:16]


@cache
def everybody() -> Account:
    """The one account whose key all templates are under, unless a test says otherwise: no key is like another."""
    return Account()


OpenTruth = Callable[[Path], Truth]


def open_sqlite(folder: Path) -> SqliteTruth:
    return SqliteTruth(folder / "truth.sqlite3")


@dataclass
class House:
    """One gallery with everything beside it, over a folder that outlives a killed process."""

    folder: Path
    accounts: dict[bytes, bytes] = field(default_factory=dict)
    account: Account = field(default_factory=everybody)
    open_truth: OpenTruth = open_sqlite

    def __post_init__(self) -> None:
        kek = KeyEncryptionKey(bytes(32))
        self.keys = GalleryKeys(Store(self.folder, create=True), kek)
        self.accounts[sha256(self.account.public).digest()] = self.account.secret.pack()
        self.restart()

    def restart(self) -> None:
        """What a new process finds."""
        self.office = GalleryOffice(self.keys, GALLERY, secret_of=self.accounts.get)
        self.truth = self.open_truth(self.folder)
        self.gallery = Gallery(self.folder / "blocks", self.truth, self.office)

    def enrolment(self, seed: int, *, shot: int = 0, account: Account | None = None) -> Enrolment:
        """Person ``seed``, who may have several shots."""
        account = account or self.account
        return Enrolment(
            member=identity((seed, shot)),
            person=identity(seed),
            template=account.template(unit(seed)),
            public_key=account.public,
            key_fp=sha256(account.public).digest(),
        )

    def add(self, *seeds: int) -> None:
        self.gallery.add([self.enrolment(seed) for seed in seeds])
        self.gallery.pack()

    def probe(self, embedding: Vector) -> bytes:
        return protect_probe(embedding, public_key=self.gallery.view().keys.probes)

    def asked(self, pool: QueryPool, seed: int, *, cosine: float = 0.6, engine: Engine | None = None) -> Candidates:
        """The whole search for somebody at this cosine to person ``seed``."""
        return search(
            self.probe(at_cosine(unit(seed), cosine, 10_000 + seed)),
            gallery=self.gallery,
            pool=pool,
            masks=masks_of_a_probe(self.gallery.view().keys.probes, purpose="enrol"),
            holder=self.office.desk,
            engine=engine or LocalEngine(),
        )

    def found(self, seed: int, *, threshold: float = 0.4) -> bool:
        """Whether person ``seed`` is found, and nobody in their place."""
        pool = QueryPool(self.gallery.view, threshold=threshold)
        answer = self.asked(pool, seed)
        pool.close()
        assert answer.persons in ((), (identity(seed),))
        return answer.persons != ()

    def members(self) -> set[bytes]:
        """Everybody who has a place in a block."""
        return {member for placed in self.truth.blocks() for member in placed.members.values()}

    def files(self) -> set[str]:
        """The names of block files, without what follows the block's id."""
        return {path.stem for path in (self.folder / "blocks").iterdir()}


@dataclass
class Query:
    """One query taken apart: a gallery of any dimension, sealed without an ingest."""

    templates: Vector
    key: GalleryKey = field(init=False)

    def __post_init__(self) -> None:
        secret, public = generate_key()
        self.key = GalleryKey(
            gallery=GALLERY,
            epoch=1,
            probe_public=public,
            secret=GallerySecretKey(GallerySecretKey.generate()),
            probe_secret=secret,
        )
        self.desk = GalleryDesk(self.key)
        self.blocks = [self._packed(block) for block in self.templates]
        self.live = np.ones(self.templates.shape[:2], np.bool_)

    def masks(self, threshold: float) -> QueryMasks:
        return prepare(generation=1, live=self.live, public_key=self.desk.public_key, threshold=threshold)

    def shares(self, probe: Vector, masks: QueryMasks) -> Words:
        """What the key holder gets first."""
        constants = np.zeros((len(probe), SLOTS), np.int64)
        constants[:, 0] = np.rint(probe * 3 * 2**15)
        probe_words = scan.arranged_probe(self.key.secret.seal(constants).words())
        return masked_scores(scan.scan(self.blocks, probe_words), masks)

    def reshared(self, probe: Vector, masks: QueryMasks) -> Reshared:
        query = self.desk.admit()
        return self.desk.reshare(query, self.shares(probe, masks))

    def blinded(self, probe: Vector, masks: QueryMasks) -> Words:
        """What it gets last."""
        reshared = self.reshared(probe, masks)
        return blinded_scores(reshared, reshared.second(), masks.blinding)

    def expected(self, probe: Vector, masks: QueryMasks) -> Vector:
        """The plaintext scores where the shuffle put them, (places, 2048)."""
        scores = self.templates @ probe
        return np.stack([scores[b][s] for b, s in zip(masks.shuffle.order, masks.shuffle.source(), strict=True)])

    def _packed(self, block: Vector) -> Words:
        sealed = self.key.secret.seal(np.rint(block.T * 2**15 / 13).astype(np.int64))
        return scan.arranged(np.ascontiguousarray(sealed.words().swapaxes(0, 1)))
