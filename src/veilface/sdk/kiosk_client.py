"""What a kiosk asks of a server, called by name: joining, challenges, searches, and the people of its gallery."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, Self, cast
from urllib.parse import urlencode

from veilface.sdk.answers import (
    Challenge,
    Json,
    digest_field,
    encode_bytes,
    field,
    id_field,
    object_field,
    objects_field,
    optional,
)
from veilface.sdk.client import Client
from veilface.sdk.errors import MalformedAnswer

Ask = Literal["identify", "register"]
Outcome = Literal["found", "nobody", "ambiguous"]
OUTCOMES: Final = ("found", "nobody", "ambiguous")
MOST_PAGES: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class GalleryRecord:
    """A gallery as its kiosks see it."""

    id: str
    name: str
    purpose: str
    may_register: bool

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From any answer that carries a gallery; raises :class:`MalformedAnswer`."""
        return cls(
            id=id_field(answer, "id"),
            name=field(answer, "name", str),
            purpose=field(answer, "purpose", str),
            may_register=field(answer, "may_register", bool),
        )


@dataclass(frozen=True, kw_only=True)
class KioskRecord:
    """A kiosk and its gallery of so many ``people``. One that is ``pending`` may not search before ``active_from``.

    ``key_fp`` – the fingerprint (32 B) of the key that faces are protected with there.
    """

    name: str
    state: str
    active_from: str
    gallery: GalleryRecord
    people: int
    key_fp: bytes

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From ``GET /kiosk``; raises :class:`MalformedAnswer`."""
        return cls(
            name=field(answer, "name", str),
            state=field(answer, "state", str),
            active_from=field(answer, "active_from", str),
            gallery=GalleryRecord.parse(object_field(answer, "gallery")),
            people=field(answer, "people", int),
            key_fp=digest_field(object_field(answer, "probe_key"), "key_fp"),
        )


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody in the gallery. ``kind``: ``account`` for who joined by signature, ``kiosk`` for who was registered."""

    id: str
    name: str
    registered_at: str
    kind: str

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From any answer that carries a person; raises :class:`MalformedAnswer`."""
        return cls(
            id=id_field(answer, "id"),
            name=field(answer, "name", str),
            registered_at=field(answer, "registered_at", str),
            kind=field(answer, "kind", str),
        )


@dataclass(frozen=True, kw_only=True)
class Identification:
    """Who was found: ids and names, none or several where it is ``nobody`` or ``ambiguous``; among how many."""

    outcome: Outcome
    people: tuple[tuple[str, str], ...]
    searched: int

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From ``POST /kiosk/searches``; raises :class:`MalformedAnswer`."""
        outcome = field(answer, "outcome", str)
        if outcome not in OUTCOMES:
            raise MalformedAnswer(what="outcome")
        people = objects_field(answer, "people")
        return cls(
            outcome=cast("Outcome", outcome),
            people=tuple((id_field(person, "id"), field(person, "name", str)) for person in people),
            searched=field(answer, "searched", int),
        )


class KioskClient(Client):
    """Talks to one server as a kiosk, or in order to become one."""

    def joining_challenge(self, *, code: str, kiosk_id: str, context_hash: bytes) -> tuple[GalleryRecord, Challenge]:
        """The gallery that the one-time code belongs to, and a challenge for a new kiosk of it."""
        body = {"code": code, "device_id": kiosk_id, "context_hash": encode_bytes(context_hash)}
        answer = self._json("POST", "/kiosks/challenges", json=body)
        gallery = GalleryRecord.parse(object_field(answer, "gallery"))
        return gallery, Challenge.parse(object_field(answer, "challenge"))

    def join(
        self, *, code: str, name: str, kiosk_id: str, header: bytes, signature: bytes, public_key: bytes
    ) -> tuple[str, GalleryRecord]:
        """Becomes a kiosk; the token, which is shown this once, and the gallery."""
        body = {
            "code": code,
            "name": name,
            "device_id": kiosk_id,
            "header": encode_bytes(header),
            "signature": encode_bytes(signature),
            "public_key": encode_bytes(public_key),
        }
        answer = self._json("POST", "/kiosks", json=body)
        return field(answer, "token", str), GalleryRecord.parse(object_field(answer, "gallery"))

    def kiosk(self) -> KioskRecord:
        """What the server knows of the kiosk and its gallery."""
        return KioskRecord.parse(self._json("GET", "/kiosk"))

    def challenges(self, kind: Ask, count: int) -> list[Challenge]:
        """Challenges to have ahead, at most four."""
        body = {"type": kind, "count": count}
        return [Challenge.parse(entry) for entry in self._list("/kiosk/challenges", method="POST", json=body)]

    def search(self, message: bytes) -> Identification:
        """Sends ``H‖sig‖P``."""
        return Identification.parse(self._json("POST", "/kiosk/searches", content=message))

    def people(self) -> Iterator[Person]:
        """Everybody in the gallery, page by page."""
        after: str | None = None
        for _ in range(MOST_PAGES):
            page = self._json("GET", "/kiosk/people" + (f"?{urlencode({'after': after})}" if after else ""))
            yield from (Person.parse(entry) for entry in objects_field(page, "people"))
            after = optional(page, "next", str)
            if after is None:
                return

    def register_person(self, message: bytes, *, name: str, consent: bool) -> Person:
        """Sends ``H‖sig‖T`` of somebody, and whether they agreed to it."""
        asked = urlencode({"name": name, "consent": "true" if consent else "false"})
        return Person.parse(self._json("POST", f"/kiosk/people?{asked}", content=message))

    def rename_person(self, person: str, *, name: str) -> Person:
        """Gives somebody whom a kiosk registered another name."""
        return Person.parse(self._json("PATCH", f"/kiosk/people/{person}", json={"name": name}))

    def remove_person(self, person: str) -> None:
        """Removes somebody from the gallery."""
        self._send("DELETE", f"/kiosk/people/{person}")

    def remove_everybody(self, *, confirm: str) -> None:
        """Removes all whom kiosks of this gallery registered; ``confirm`` is the gallery's name."""
        self._send("DELETE", "/kiosk/people", json={"confirm": confirm})
