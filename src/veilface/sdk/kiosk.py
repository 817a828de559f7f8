"""A kiosk of a gallery: says who somebody is, and registers people where the operator allowed it.

Pictures and embeddings stay in this process. What leaves it is encrypted under the gallery's key, which the key holder
alone can open, and signed with this folder's key. The answer is a name or none, and never how alike two faces are.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Final, Literal, Self

import numpy as np

from veilface.face.pipeline import FacePipeline, average
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import (
    Header,
    KeyPurpose,
    MessageType,
    gallery_context,
    join_message,
    public_point,
    search_context,
    sha256,
    sign_header,
)
from veilface.protect.homomorphic import DIMENSION, Embedding
from veilface.protect.scheme import protection
from veilface.sdk.answers import Challenge
from veilface.sdk.device import Picture, read_picture
from veilface.sdk.errors import ConsentMissing, KeyNotTrusted, MayNotRegister, SdkError
from veilface.sdk.folder import Pins
from veilface.sdk.joining import trusted_site
from veilface.sdk.kiosk_client import (
    Ask,
    Identification,
    KioskClient,
    KioskRecord,
    Person,
    Verdict,
    WaitingKiosk,
)
from veilface.sdk.kiosk_folder import GalleryPins, KioskFolder, Membership
from veilface.sdk.kiosk_joining import begun, decide, find_waiting, join, kiosk_code
from veilface.sdk.session import check_site
from veilface.sdk.trust import check_key

SCHEME: Final = "homomorphic"
KIOSK_NAME: Final = "veilface"
AHEAD: Final = 4
"""Challenges fetched at once, so that a search need not wait for one."""
LEAST_LEFT_MS: Final = 5_000
NOBODY: Final = np.eye(1, DIMENSION, dtype=np.float32)[0]
"""An embedding that is no face's, for making ready."""
TYPES: Final = {"identify": MessageType.IDENTIFY, "register": MessageType.GALLERY_OPT_IN}


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a search answered. ``timings_ms``: protect, and search – the round trip."""

    answer: Identification
    timings_ms: Mapping[Literal["protect", "search"], float]


class Kiosk:
    """The kiosk in ``folder``. ``faces`` may be shared; it is made when first needed.

    Every verb may raise any :class:`~veilface.sdk.errors.SdkError`; an :class:`~veilface.sdk.errors.Alarm` among
    them means that somebody may be lying and must be shown to the operator.
    """

    def __init__(self, folder: Path, *, faces: FacePipeline | None = None) -> None:
        self._folder = KioskFolder(folder)
        self._given_faces = faces
        self.membership = self._folder.membership()

    @classmethod
    def join(
        cls,
        folder: Path,
        *,
        server: str,
        code: str,
        name: str = KIOSK_NAME,
        keyholder_fingerprint: str | None = None,
        faces: FacePipeline | None = None,
    ) -> Self:
        """Makes ``folder`` a kiosk of the gallery whose operator gave out the one-time ``code``.

        ``keyholder_fingerprint`` – SHA-256 of the key holder's key, where it is known from elsewhere; else the key
        seen now is pinned. Cut off, it is repeated with the same code, as often as need be.
        """
        kept = KioskFolder(folder)
        kept.prepare()
        joining = begun(kept, server=server, code=code)
        with KioskClient(server) as client:
            site = trusted_site(client, server, keyholder_fingerprint)
            gallery = join(client, kept.key(), joining, name=name)
        with KioskClient(server, token=joining.token) as client:
            kiosk = client.kiosk()
        kept.write_pins(GalleryPins(keyholder_key=site.keyholder_key.hex(), key_fp=kiosk.key_fp.hex()))
        kept.write_membership(
            Membership(
                server=server,
                gallery_id=gallery.id,
                gallery_name=gallery.name,
                kiosk_id=joining.kiosk_id,
                token=joining.token,
            )
        )
        return cls(folder, faces=faces)

    def record(self) -> KioskRecord:
        """What the server knows of this kiosk and its gallery now."""
        with self._client() as client:
            return client.kiosk()

    @property
    def code(self) -> str:
        """What stands for this kiosk's key: at the active kiosk it is compared before this one is let in."""
        return kiosk_code(public_point(self._folder.key().public_key()))

    def waiting(self) -> list[WaitingKiosk]:
        """Further kiosks of the gallery that wait to be let in."""
        with self._client() as client:
            return client.waiting()

    def approve(self, kiosk_id: str, *, code: str) -> WaitingKiosk:
        """Lets a kiosk that waits act at once; this one must be active.

        ``code`` is what that kiosk shows of its own key (:attr:`code`): the server only relays keys, and this
        signature says whose key it is. Raises :class:`WrongKiosk`.
        """
        return self._decide(kiosk_id, "approval", code=code)

    def refuse(self, kiosk_id: str) -> WaitingKiosk:
        """Turns a kiosk that waits away for good; this one must be active. Raises :class:`WrongKiosk`."""
        return self._decide(kiosk_id, "refusal")

    @contextmanager
    def searching(self) -> Iterator["Desk"]:
        """For as many searches as are wanted over one connection."""
        with self._client() as client:
            yield Desk(client, self._folder, self.membership)

    def search(self, picture: Picture) -> Search:
        """Who is on ``picture``: one person alone must be meant. Raises as :meth:`FacePipeline.single` does."""
        embedding = self._faces.embedding(read_picture(picture))
        with self.searching() as desk:
            return desk.search(embedding)

    def register(self, *pictures: Picture, name: str, consent: bool, replaces: str | None = None) -> Person:
        """Registers the person who is on every one of ``pictures``; several are averaged.

        ``consent`` – whether that person knows of it and agreed: it is what the server is told, and without it nothing
        is measured or sent (:class:`ConsentMissing`). ``replaces`` – the id of whom these are new pictures of. Raises
        what :meth:`FacePipeline.single` raises for a picture that will not do, :class:`MayNotRegister`, and
        :class:`~veilface.sdk.errors.PersonKnown` for somebody who is in the gallery already.
        """
        _insist(consent=consent)
        measured = [self._faces.embedding(read_picture(picture), require_quality=True) for picture in pictures]
        return self.register_embeddings(measured, name=name, consent=consent, replaces=replaces)

    def register_embeddings(
        self, embeddings: Sequence[Embedding], *, name: str, consent: bool, replaces: str | None = None
    ) -> Person:
        """The same with unit embeddings (128,) that were measured before."""
        _insist(consent=consent)
        with self.searching() as desk:
            return desk.register(average(list(embeddings)), name=name, consent=consent, replaces=replaces)

    def people(self) -> Iterator[Person]:
        """Everybody in the gallery."""
        with self._client() as client:
            yield from client.people()

    def rename(self, person: str, *, name: str) -> Person:
        """Gives somebody whom a kiosk registered another name."""
        with self._client() as client:
            return client.rename_person(person, name=name)

    def remove(self, person: str) -> None:
        """Removes somebody: from now on no search finds them."""
        with self._client() as client:
            client.remove_person(person)

    def remove_all(self, *, confirm: str) -> None:
        """Removes everybody whom this gallery's kiosks registered; ``confirm`` is the gallery's name."""
        with self._client() as client:
            client.remove_everybody(confirm=confirm)

    def _decide(self, kiosk_id: str, verdict: Verdict, *, code: str | None = None) -> WaitingKiosk:
        with self._client() as client:
            other = find_waiting(client, kiosk_id, code=code)
            decide(client, self._folder.key(), self.membership, other, verdict)
        return other

    @cached_property
    def _faces(self) -> FacePipeline:
        return self._given_faces or FacePipeline()

    @contextmanager
    def _client(self) -> Iterator[KioskClient]:
        with KioskClient(self.membership.server, token=self.membership.token) as client:
            check_site(client, server=self.membership.server, keyholder_key=self._folder.pins().keyholder_key)
            yield client


class Desk:
    """Searches and registrations over one connection; several threads may search at once."""

    def __init__(self, client: KioskClient, folder: KioskFolder, membership: Membership) -> None:
        self._client = client
        self._folder = folder
        self._gallery = bytes.fromhex(membership.gallery_id)
        self._kiosk = bytes.fromhex(membership.kiosk_id)
        self._key = folder.key()
        self._ahead: list[tuple[Challenge, float]] = []
        self._fetching = Lock()

    def prepare(self) -> None:
        """Does what the first search would have to wait for: fetches challenges, checks the key, encrypts once."""
        with self._fetching:
            self._fetch_ahead()
            challenge, _ = self._ahead[0]
        protection(SCHEME).probe(NOBODY, key=self._public_key(challenge), token=b"")

    def search(self, embedding: Embedding) -> Search:
        """Whose unit embedding (128,) this is. A challenge is fetched ahead for the next one."""
        challenge, granted_at = self._challenge()
        started = time.perf_counter()
        message = self._probe(embedding, challenge, granted_at)
        protected = time.perf_counter()
        answer = self._client.search(message)
        answered = time.perf_counter()
        timings: Mapping[Literal["protect", "search"], float] = {
            "protect": (protected - started) * 1000,
            "search": (answered - protected) * 1000,
        }
        with suppress(SdkError), self._fetching:  # what is wrong meets the next search, which fetches again
            self._fetch_ahead()
        return Search(answer=answer, timings_ms=timings)

    def register(self, embedding: Embedding, *, name: str, consent: bool, replaces: str | None = None) -> Person:
        """Adds a person who agreed to it by their averaged unit embedding (128,), once a search finds nobody else."""
        _insist(consent=consent)
        if not self._client.kiosk().gallery.may_register:
            raise MayNotRegister
        granted_at = time.monotonic()
        (challenge,) = self._client.challenges("register", 1)
        body = protection(SCHEME).enrol(embedding, key=self._public_key(challenge), token=b"")
        context = gallery_context(self._gallery, "register")
        template = self._signed("register", challenge, granted_at, context=context, body=body)
        probe = self._probe(embedding, *self._challenge())
        return self._client.register_person(
            probe=probe, template=template, name=name, consent=consent, replaces=replaces
        )

    def _probe(self, embedding: Embedding, challenge: Challenge, granted_at: float) -> bytes:
        """A signed search, ``H‖sig‖P``."""
        body = protection(SCHEME).probe(embedding, key=self._public_key(challenge), token=b"")
        return self._signed("identify", challenge, granted_at, context=search_context(self._gallery), body=body)

    def _challenge(self) -> tuple[Challenge, float]:
        """One that is good for a few seconds more, and the moment it was granted."""
        with self._fetching:
            self._fetch_ahead()
            return self._ahead.pop(0)

    def _fetch_ahead(self) -> None:
        self._ahead = [
            (known, granted_at)
            for known, granted_at in self._ahead
            if _now_ms(known, granted_at) < known.expires_ms - LEAST_LEFT_MS
        ]
        if not self._ahead:
            granted_at = time.monotonic()
            self._ahead = [(challenge, granted_at) for challenge in self._client.challenges("identify", AHEAD)]

    def _public_key(self, challenge: Challenge) -> bytes:
        """The gallery's key, vouched for by the pinned key holder and the same as when this kiosk joined."""
        pins = self._folder.pins()
        if challenge.key_cert is None or challenge.key_fp is None or challenge.key_fp.hex() != pins.key_fp:
            raise KeyNotTrusted(check="pinned key")
        kept = self._folder.public_key()
        key = kept if sha256(kept) == challenge.key_fp else self._client.public_key(challenge.key_fp)
        check_key(
            pins=Pins(keyholder_key=pins.keyholder_key, key_fp=pins.key_fp),
            account_id=self._gallery,
            certificate=challenge.key_cert,
            public_key=key,
            now_ms=time.time_ns() // 1_000_000,
            purpose=KeyPurpose.GALLERY,
        )
        if key is not kept:
            self._folder.write_public_key(key)
        return key

    def _signed(self, kind: Ask, challenge: Challenge, granted_at: float, *, context: bytes, body: bytes) -> bytes:
        header = Header(
            type=TYPES[kind],
            account_id=self._gallery,
            device_id=self._kiosk,
            challenge=challenge.challenge,
            issued_ms=_now_ms(challenge, granted_at),
            context_hash=context,
            body_hash=sha256(body),
            key_fp=bytes.fromhex(self._folder.pins().key_fp),
            model_fp=model_fp(SCHEME),
        )
        return join_message(header=header.to_bytes(), signature=sign_header(self._key, header), body=body)


def _insist(*, consent: bool) -> None:
    """Before anything is measured or sent: nobody is registered who did not agree."""
    if not consent:
        raise ConsentMissing


def _now_ms(challenge: Challenge, granted_at: float) -> int:
    """The time by the server's clock, so that a wrong clock here does not matter."""
    return challenge.server_time_ms + round((time.monotonic() - granted_at) * 1000)
