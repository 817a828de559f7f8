"""What a kiosk asks of a server, called by name: joining, challenges, searches, and the people of its gallery."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, Self, cast
from urllib.parse import urlencode

from veilface.protect.envelope import PUBLIC_POINT_BYTES
from veilface.sdk.answers import (
    Challenge,
    Json,
    bytes_field,
    digest_field,
    encode_bytes,
    field,
    id_field,
    object_field,
    objects_field,
    optional,
)
from veilface.sdk.client import Client
from veilface.sdk.errors import MalformedAnswer, NameTooLong, PersonKnown, ServerRefused

Ask = Literal["identify", "register"]
Verdict = Literal["approval", "refusal"]
Outcome = Literal["found", "nobody", "ambiguous"]
OUTCOMES: Final = ("found", "nobody", "ambiguous")
MOST_PAGES: Final = 100_000
NAME_CHARACTERS: Final = 40
NAME_BYTES: Final = 160
"""Of a name in UTF-8 on the wire, filled up with zeros."""


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
    """A kiosk and its gallery of so many ``people``. One that is ``pending`` waits for an approval or ``active_from``.

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
class WaitingKiosk:
    """A further kiosk of the gallery, which acts from ``active_from`` on, or as soon as an active one lets it in.

    ``public_key`` – 65 B: whoever lets it in signs for this key.
    """

    id: str
    name: str
    public_key: bytes
    active_from: str

    @classmethod
    def parse(cls, answer: Json) -> Self:
        """From ``GET /kiosk/waiting``; raises :class:`MalformedAnswer`."""
        return cls(
            id=id_field(answer, "id"),
            name=field(answer, "name", str),
            public_key=bytes_field(answer, "public_key", PUBLIC_POINT_BYTES),
            active_from=field(answer, "active_from", str),
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
        self,
        *,
        code: str,
        name: str,
        kiosk_id: str,
        header: bytes,
        signature: bytes,
        public_key: bytes,
        token_hash: bytes,
    ) -> GalleryRecord:
        """Becomes a kiosk of the gallery, by the token whose SHA-256 (32 B) it says. Repeating it changes nothing."""
        body = {
            "code": code,
            "name": name,
            "device_id": kiosk_id,
            "header": encode_bytes(header),
            "signature": encode_bytes(signature),
            "public_key": encode_bytes(public_key),
            "token_hash": encode_bytes(token_hash),
        }
        return GalleryRecord.parse(object_field(self._json("POST", "/kiosks", json=body), "gallery"))

    def kiosk(self) -> KioskRecord:
        """What the server knows of the kiosk and its gallery."""
        return KioskRecord.parse(self._json("GET", "/kiosk"))

    def waiting(self) -> list[WaitingKiosk]:
        """The gallery's kiosks that wait."""
        return [WaitingKiosk.parse(entry) for entry in self._list("/kiosk/waiting")]

    def verdict_challenge(self, kiosk_id: str, verdict: Verdict) -> Challenge:
        """A challenge for the word about a kiosk that waits."""
        asked = {"refuse": verdict == "refusal"}
        return Challenge.parse(self._json("POST", f"/kiosk/waiting/{kiosk_id}/challenge", json=asked))

    def decide(self, kiosk_id: str, verdict: Verdict, *, header: bytes, signature: bytes) -> None:
        """Lets a kiosk that waits in, or turns it away."""
        signed = {"header": encode_bytes(header), "signature": encode_bytes(signature)}
        self._json("POST", f"/kiosk/waiting/{kiosk_id}/{verdict}", json=signed)

    def challenges(self, kind: Ask, count: int) -> list[Challenge]:
        """Challenges to have ahead, at most four; as many as were asked for, or :class:`MalformedAnswer`."""
        body, path = {"type": kind, "count": count}, "/kiosk/challenges"
        found = [Challenge.parse(entry) for entry in self._list(path, method="POST", json=body)]
        if len(found) != count:
            raise MalformedAnswer(what=path)
        return found

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

    def register_person(
        self, *, probe: bytes, template: bytes, name: str, consent: bool, replaces: str | None
    ) -> Person:
        """Sends ``H‖sig‖P`` and ``H‖sig‖T`` of somebody, and whether they agreed to it.

        Raises :class:`PersonKnown` for somebody who is there already, unless it is whom this ``replaces``.
        """
        asked = {"consent": "true" if consent else "false"} | ({} if replaces is None else {"replaces": replaces})
        content = _name_field(name) + probe + template
        try:
            return Person.parse(self._json("POST", f"/kiosk/people?{urlencode(asked)}", content=content))
        except ServerRefused as refused:
            if refused.server_code != "galleries.person_known":
                raise
            person, named, kind = (field(refused.facts, key, str) for key in ("person", "name", "kind"))
            raise PersonKnown(person=person, name=named, kind=kind) from refused

    def rename_person(self, person: str, *, name: str) -> Person:
        """Gives somebody whom a kiosk registered another name."""
        return Person.parse(self._json("PATCH", f"/kiosk/people/{person}", json={"name": name}))

    def remove_person(self, person: str) -> None:
        """Removes somebody from the gallery."""
        self._send("DELETE", f"/kiosk/people/{person}")

    def remove_everybody(self, *, confirm: str) -> None:
        """Removes all whom kiosks of this gallery registered; ``confirm`` is the gallery's name."""
        self._send("DELETE", "/kiosk/people", json={"confirm": confirm})


def _name_field(name: str) -> bytes:
    """``length ‖ name in UTF-8``, filled up to 161 bytes: a name stands in no address, which others write down."""
    octets = name.strip().encode()
    if len(octets) > NAME_BYTES:
        raise NameTooLong(limit=NAME_CHARACTERS)
    return bytes([len(octets)]) + octets.ljust(NAME_BYTES, b"\0")
