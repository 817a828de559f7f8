"""A gallery with its kiosk, its matcher and people who joined it: what the tests of galleries are told with."""

import secrets
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.keyholder.people import Person, Signed, Vector, unit
from veilface.keyholder.client import KeyHolderApi
from veilface.keyholder.gallery_client import RemoteGalleryHolder, RemotePacker
from veilface.match import masks
from veilface.match.confirmation import confirmed
from veilface.match.conversion import SubjectKey, masked
from veilface.match.gallery import Gallery
from veilface.match.gallery_truth import Enrolment, SqliteTruth
from veilface.match.query_pool import QueryPool
from veilface.match.search import Candidates, search
from veilface.match.verification import registration_evidence, template_evidence
from veilface.protect import envelope
from veilface.protect.calibration import cosine_threshold, model_fp
from veilface.protect.envelope import MessageType, Receipt
from veilface.protect.homomorphic import encode_probe, encode_template, protect_probe
from veilface.protect.rlwe import PublicKey, encrypt, pack_words
from veilface.protect.stream import Stream


def joining(person: Person, gallery: bytes, act: str = "in", **changed: Any) -> Signed:
    """A person's opt-in, or with ``out`` their leaving; ``changed`` fields of the header are signed as they are."""
    context = envelope.gallery_context(gallery, act)  # type: ignore[arg-type]
    grant = person.grant(MessageType.GALLERY_OPT_IN, context)
    assert grant.suite is not None
    fields: dict[str, Any] = {
        "challenge": grant.challenge,
        "suite": grant.suite,
        "key_fp": grant.key_fp,
        "template_hash": grant.template_hash or envelope.ZERO_HASH,
        "model_fp": model_fp("homomorphic"),
    }
    return person.sign(replace(person.message(MessageType.GALLERY_OPT_IN, context=context, **fields), **changed))


def enrolment(person: Person) -> Enrolment:
    """What the matcher's database holds of a person who joined."""
    key_fp = person.holder.account_status(person.account).key_fp
    assert key_fp is not None
    return Enrolment(
        member=sha256(person.template).digest()[:16],
        person=person.account,
        template=person.template,
        public_key=person.holder.public_key(key_fp),
        key_fp=key_fp,
    )


@dataclass
class Kiosk(Person):
    """One kiosk of a gallery, whose id is its account."""

    ingest: bytes = b""

    def create(self, epoch: int = 1) -> None:
        self.ingest = self.holder.gallery_create(gallery=self.account, epoch=epoch).probes

    def another(self) -> "Kiosk":
        return Kiosk(self.holder, account=self.account, ingest=self.ingest)

    def searching(self, probe: bytes, **changed: Any) -> Signed:
        """The header of a search for a probe (73,728 B)."""
        context = envelope.search_context(self.account)
        fields: dict[str, Any] = {"key_fp": sha256(self.ingest).digest(), "model_fp": model_fp("homomorphic")}
        return self.sign(replace(self.message(MessageType.IDENTIFY, context=context, body=probe, **fields), **changed))

    def begun(self, face: Vector, *, epoch: int = 1, scale: int = 1, **changed: Any) -> dict[str, Any]:
        """All that ``identify_begin`` takes; ``scale`` other than 1 makes no unit vector."""
        probe = pack_words(encrypt(PublicKey(self.ingest), scale * encode_probe(face)))
        evidence = template_evidence(probe, masks=masks.prepare(self.ingest, purpose="enrol"))
        hidden, _ = masked(probe, SubjectKey(self.ingest), Stream())
        signed = self.searching(probe, **changed).arguments
        return {"norm": evidence.norm, "range_": evidence.range_, "probe": hidden, "epoch": epoch, **signed}

    def registering(
        self, face: Vector, *, scale: int = 1, searched: Vector | None = None, **changed: Any
    ) -> tuple[bytes, Signed]:
        """A template under the ingest key, and the kiosk's word for it; ``searched`` – whose probe is beside it."""
        template = pack_words(encrypt(PublicKey(self.ingest), scale * encode_template(face)))
        probe = protect_probe(face if searched is None else searched, public_key=self.ingest)
        evidence = registration_evidence(
            template,
            probe,
            masks=masks.prepare(self.ingest, purpose="enrol"),
            probe_masks=masks.prepare(self.ingest, purpose="verify"),
        )
        context = envelope.gallery_context(self.account, "register")
        fields: dict[str, Any] = {"key_fp": sha256(self.ingest).digest(), "model_fp": model_fp("homomorphic")}
        header = self.message(MessageType.GALLERY_OPT_IN, context=context, body=template, **fields)
        return template, self.sign(replace(header, **changed), evidence=evidence)


@dataclass
class Hall:
    """A gallery as the matcher runs it: blocks in a folder, masks from a pool, one kiosk at the door."""

    holder: KeyHolderApi
    folder: Path
    kiosk: Kiosk = field(init=False)
    gallery: Gallery = field(init=False)
    pool: QueryPool = field(init=False)

    def __post_init__(self) -> None:
        self.kiosk = Kiosk(self.holder)
        self.kiosk.create()
        self.kiosk.register()
        packer = RemotePacker(self.holder, self.kiosk.account)
        self.gallery = Gallery(self.folder / "blocks", SqliteTruth(self.folder / "truth.sqlite3"), packer)
        self.pool = QueryPool(self.gallery.view, threshold=cosine_threshold())

    def close(self) -> None:
        self.pool.close()

    def joined(self, face: Vector) -> Person:
        """Somebody enrolled who joins."""
        person = Person(self.holder)
        person.register()
        person.enrol(face)
        self.holder.gallery_opt_in(**joining(person, self.kiosk.account).arguments)
        self.gallery.add([enrolment(person)])
        return person

    def registered(self, face: Vector) -> Enrolment:
        """Somebody without an account, whom the kiosk registers."""
        template, signed = self.kiosk.registering(face)
        receipt = Receipt.parse(self.holder.gallery_register(**signed.arguments))
        assert receipt.outcome is envelope.Outcome.ACCEPTED
        name = secrets.token_bytes(16)
        public_key = self.kiosk.ingest
        key_fp = sha256(public_key).digest()
        made = Enrolment(member=name, person=name, template=template, public_key=public_key, key_fp=key_fp)
        self.gallery.add([made])
        return made

    def search(self, face: Vector) -> tuple[Candidates, RemoteGalleryHolder, bytes]:
        """The answer, the search that gave it, and the probe."""
        probe = protect_probe(face, public_key=self.kiosk.ingest)
        signed = self.kiosk.searching(probe)
        searches: list[RemoteGalleryHolder] = []

        def holder(epoch: int) -> RemoteGalleryHolder:
            search_of = partial(RemoteGalleryHolder, self.holder, header=signed.header.to_bytes())
            searches.append(search_of(epoch=epoch, signature=signed.signature))
            return searches[-1]

        prepared = masks.prepare(self.kiosk.ingest, purpose="enrol")
        found = search(probe, gallery=self.gallery, pool=self.pool, masks=prepared, holder=holder)
        return found, searches[-1], probe

    def confirmed(self, enrolment: Enrolment, search: RemoteGalleryHolder, probe: bytes) -> bool:
        """Whether a 1:1 comparison says so too."""
        prepared = masks.prepare(self.kiosk.ingest, purpose="verify")
        return confirmed(enrolment, probe, ingest_key=self.kiosk.ingest, masks=prepared, holder=search)


FRIEND = unit(11)
