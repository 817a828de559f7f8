"""A kiosk of a gallery: says who somebody is, and registers people where the operator allowed it.

Pictures and embeddings stay in this process. What leaves it is encrypted under the gallery's key, which the key holder
alone can open, and signed with this folder's key. The answer is a name or none, and never how alike two faces are.
"""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Final, Literal, Self

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec

from veilface.face.pipeline import FacePipeline, average
from veilface.protect.calibration import model_fp
from veilface.protect.envelope import (
    Header,
    KeyPurpose,
    MessageType,
    device_context,
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
from veilface.sdk.errors import ConsentMissing, KeyNotTrusted, MalformedAnswer, MayNotRegister, SdkError
from veilface.sdk.folder import Pins
from veilface.sdk.joining import trusted_site
from veilface.sdk.kiosk_client import Ask, Identification, KioskClient, KioskRecord, Person
from veilface.sdk.kiosk_folder import GalleryPins, KioskFolder, Membership
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
        seen now is pinned.
        """
        kept = KioskFolder(folder)
        kept.prepare()
        key = ec.generate_private_key(ec.SECP256R1())
        kept.write_key(key)
        with KioskClient(server) as client:
            site = trusted_site(client, server, keyholder_fingerprint)
            membership = _join(client, key, server=server, code=code, name=name)
        with KioskClient(server, token=membership.token) as client:
            kiosk = client.kiosk()
        kept.write_pins(GalleryPins(keyholder_key=site.keyholder_key.hex(), key_fp=kiosk.key_fp.hex()))
        kept.write_membership(membership)
        return cls(folder, faces=faces)

    def record(self) -> KioskRecord:
        """What the server knows of this kiosk and its gallery now."""
        with self._client() as client:
            return client.kiosk()

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

    def register(self, *pictures: Picture, name: str, consent: bool) -> Person:
        """Registers the person who is on every one of ``pictures``; several are averaged.

        ``consent`` – whether that person knows of it and agreed: it is what the server is told, and without it nothing
        is measured or sent (:class:`ConsentMissing`). Raises what :meth:`FacePipeline.single` raises for a picture that
        will not do, and :class:`MayNotRegister`.
        """
        _insist(consent=consent)
        measured = [self._faces.embedding(read_picture(picture), require_quality=True) for picture in pictures]
        return self.register_embeddings(measured, name=name, consent=consent)

    def register_embeddings(self, embeddings: Sequence[Embedding], *, name: str, consent: bool) -> Person:
        """The same with unit embeddings (128,) that were measured before."""
        _insist(consent=consent)
        with self.searching() as desk:
            return desk.register(average(list(embeddings)), name=name, consent=consent)

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

    @cached_property
    def _faces(self) -> FacePipeline:
        return self._given_faces or FacePipeline()

    @contextmanager
    def _client(self) -> Iterator[KioskClient]:
        with KioskClient(self.membership.server, token=self.membership.token) as client:
            check_site(client, server=self.membership.server, keyholder_key=self._folder.pins().keyholder_key)
            yield client


def _join(client: KioskClient, key: ec.EllipticCurvePrivateKey, *, server: str, code: str, name: str) -> Membership:
    """Proves possession of the key to the key holder, for the gallery that the code belongs to."""
    kiosk_id, public_key = secrets.token_bytes(16), public_point(key.public_key())
    context = device_context(public_key, kiosk_id)
    gallery, challenge = client.joining_challenge(code=code, kiosk_id=kiosk_id.hex(), context_hash=context)
    header = Header(
        type=MessageType.DEVICE,
        account_id=bytes.fromhex(gallery.id),
        device_id=kiosk_id,
        challenge=challenge.challenge,
        issued_ms=challenge.server_time_ms,
        context_hash=context,
        body_hash=sha256(b""),
    )
    token, joined = client.join(
        code=code,
        name=name,
        kiosk_id=kiosk_id.hex(),
        header=header.to_bytes(),
        signature=sign_header(key, header),
        public_key=public_key,
    )
    if joined.id != gallery.id:
        raise MalformedAnswer(what="gallery")
    return Membership(
        server=server, gallery_id=gallery.id, gallery_name=gallery.name, kiosk_id=kiosk_id.hex(), token=token
    )


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
        body = protection(SCHEME).probe(embedding, key=self._public_key(challenge), token=b"")
        context = search_context(self._gallery)
        message = self._signed("identify", challenge, granted_at, context=context, body=body)
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

    def register(self, embedding: Embedding, *, name: str, consent: bool) -> Person:
        """Adds a person who agreed to it by their averaged unit embedding (128,)."""
        _insist(consent=consent)
        if not self._client.kiosk().gallery.may_register:
            raise MayNotRegister
        granted_at = time.monotonic()
        (challenge,) = self._client.challenges("register", 1)
        body = protection(SCHEME).enrol(embedding, key=self._public_key(challenge), token=b"")
        context = gallery_context(self._gallery, "register")
        message = self._signed("register", challenge, granted_at, context=context, body=body)
        return self._client.register_person(message, name=name, consent=consent)

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
