"""A kiosk asks who somebody is: 1:N over the blocks, then every hit once more 1:1. No score exists on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from veilface.keyholder.gallery_client import RemoteGalleryHolder
from veilface.keyholder.gallery_errors import GalleryUnknown, QueryUnknown, TemplateClosed
from veilface.match.confirmation import confirmed
from veilface.match.engine.errors import EngineFailed
from veilface.match.gallery_errors import GalleryBusy, GalleryDamaged, GalleryEmpty
from veilface.match.gallery_truth import Enrolment
from veilface.match.masks import prepare
from veilface.match.search import Candidates
from veilface.match.search import search as search_gallery
from veilface.protect.envelope import MessageType, SignedMessage, search_context
from veilface.server import keyholding
from veilface.server.enrolment import evidence
from veilface.server.galleries import joining, messages
from veilface.server.galleries.errors import GalleryUnusable
from veilface.server.galleries.models import Kiosk, Member
from veilface.server.galleries.people import Person, person_of
from veilface.server.galleries.rooms import Room, rooms
from veilface.server.recognition.services import Stopwatch

# Packed, rebuilt, rotated before the search began or while it ran, cut off from its workers: ask again.
UNUSABLE: Final = (GalleryBusy, GalleryDamaged, GalleryUnknown, QueryUnknown, EngineFailed)
Outcome = Literal["found", "nobody", "ambiguous"]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Who it is; several where 1:1 could not tell them apart. ``stages_ms`` goes to the kiosk and nowhere else."""

    outcome: Outcome
    people: tuple[Person, ...]
    searched: int
    stages_ms: dict[str, float]


def search(kiosk: Kiosk, *, data: bytes) -> Answer:
    """Search the kiosk's gallery for ``H ‖ signature ‖ P`` (74,048 B). Nothing of the probe is written anywhere.

    Fails closed: whatever goes wrong raises, and whoever left meanwhile is not named.
    """
    watch = Stopwatch()
    with watch.stage("check"):
        message = check(kiosk, data)
    return search_for(kiosk, message, watch=watch)


def check(kiosk: Kiosk, data: bytes) -> SignedMessage:
    """The kiosk's signed probe; raises what is wrong with it."""
    context = search_context(kiosk.gallery.wire_id)
    message = messages.check(kiosk, data, type_=MessageType.IDENTIFY, context=context)
    joining.note_use(kiosk)
    return message


def search_for(kiosk: Kiosk, message: SignedMessage, *, watch: Stopwatch | None = None) -> Answer:
    """What :func:`search` does with a message that was checked."""
    watch = watch or Stopwatch()
    query = _Query(rooms().room(kiosk.gallery), message)
    try:
        with watch.stage("search"):  # and the comparisons 1:1 in it: a stage of their own would tell of a near miss
            candidates, searched = query.candidates(), query.searched()
            persons = [person for person in candidates.persons if query.confirms(person)]
    except GalleryEmpty:
        return Answer(outcome="nobody", people=(), searched=0, stages_ms=watch.stages_ms)
    except UNUSABLE as error:
        raise GalleryUnusable from error
    query.room.pool.prepare_soon()  # in the place of what was spent, so that the next one need not wait for the keeper
    people = _people(kiosk, persons)
    return Answer(outcome=_outcome(candidates, people), people=people, searched=searched, stages_ms=watch.stages_ms)


@dataclass
class _Query:
    """One signed search of a room."""

    room: Room
    message: SignedMessage
    holders: list[RemoteGalleryHolder] = field(default_factory=list)

    def candidates(self) -> Candidates:
        """Who is above the threshold of the scan."""
        header = self.message.header
        return search_gallery(
            self.message.body,
            gallery=self.room.gallery,
            pool=self.room.pool,
            masks=evidence.masks(challenge=header.challenge.hex(), key_fp=header.key_fp.hex(), purpose="enrol"),
            holder=self._holder,
            engine=self.room.engine,
        )

    def searched(self) -> int:
        """How many templates there are to compare with."""
        return int(self.room.gallery.view().live.sum())

    def confirms(self, person: bytes) -> bool:
        """Whether a template of somebody found, compared 1:1 with the probe, is theirs as well."""
        return any(self._is_theirs(enrolment) for enrolment in self.room.enrolments(person))

    def _is_theirs(self, enrolment: Enrolment) -> bool:
        """Whether probe and template are one person's; not, where the key holder opens the template no longer.

        Whoever left it before they left here must not take the answer about the others with them.
        """
        ingest_key = self.room.gallery.keys.probes
        try:
            return confirmed(
                enrolment,
                self.message.body,
                ingest_key=ingest_key,
                masks=prepare(ingest_key, purpose="verify"),
                holder=self.holders[-1],
            )
        except TemplateClosed:
            return False

    def _holder(self, epoch: int) -> RemoteGalleryHolder:
        header, signature = self.message.header_bytes, self.message.signature
        self.holders.append(
            RemoteGalleryHolder(keyholding.keyholder(), epoch=epoch, header=header, signature=signature)
        )
        return self.holders[-1]


def _people(kiosk: Kiosk, persons: Sequence[bytes]) -> tuple[Person, ...]:
    """Those who are still there, in the order of the answer."""
    rows = Member.objects.filter(gallery=kiosk.gallery, person__in=[person.hex() for person in persons])
    named = {row.person: person_of(row) for row in rows.select_related("account")}
    return tuple(named[person.hex()] for person in persons if person.hex() in named)


def _outcome(candidates: Candidates, people: tuple[Person, ...]) -> Outcome:
    if candidates.ambiguous or len(people) > 1:
        return "ambiguous"
    return "found" if people else "nobody"
