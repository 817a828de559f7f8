"""One gallery's truth in the site's database, as ``veilface.match`` reads and changes it.

Rows are locked in one order by whoever changes them: members, blocks, the gallery. A block's members are read again
only when its generation shows that a slot died, so that removing one person costs one block and not a million rows.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Case, F, IntegerField, Value, When
from django.utils import timezone

from veilface.keyholder.errors import StaleKey
from veilface.match.gallery_truth import Enrolment, Known, Placed, Repacking
from veilface.protect.envelope import sha256
from veilface.protect.gallery import SLOTS
from veilface.server.galleries.models import Block, Gallery, Member, Registration

AT_ONCE: Final = 500  # of identifiers in one statement
KNOWN: Final = ("id", "person", "account_id")
T = TypeVar("T")


class DjangoTruth:
    """A :class:`~veilface.match.gallery_truth.Truth`. ``public_key`` finds a key (98,304 B) by its fingerprint in hex.

    Safe for many threads, each with a connection of its own.
    """

    def __init__(self, gallery: str, *, public_key: Callable[[str], bytes]) -> None:
        self._gallery: Final = gallery
        self._public_key: Final = public_key
        self._seen: dict[int, tuple[int, Placed]] = {}

    def standing(self) -> tuple[int, int]:
        return Gallery.objects.values_list("epoch", "generation").get(pk=self._gallery)

    def blocks(self) -> list[Placed]:
        rows = Block.objects.filter(gallery=self._gallery).order_by("number")
        standing = list(rows)
        before = self._seen  # other threads put theirs in its place: what is looked at, and returned, is one's own
        members = _members(
            [row.number for row in standing if row.number not in before or before[row.number][0] != row.generation]
        )
        seen = {
            row.number: (row.generation, _placed(row, members[row.number]))
            if row.number in members
            else before[row.number]
            for row in standing
        }
        self._seen = seen
        return [placed for _, placed in seen.values()]

    def waiting(self) -> list[Known]:
        """The first who are in no block yet, as many as fit one: the others come after them."""
        rows = Member.objects.filter(gallery=self._gallery, block=None).order_by("number")
        return [_known(*row) for row in rows.values_list(*KNOWN)[:SLOTS]]

    def known(self, members: Sequence[bytes]) -> list[Known]:
        found: dict[bytes, Known] = {}
        for some in batches(members):
            rows = Member.objects.filter(gallery=self._gallery, id__in=[member.hex() for member in some])
            found |= {one.member: one for one in (_known(*row) for row in rows.values_list(*KNOWN))}
        return [found[member] for member in members if member in found]

    def enrolments(self, members: Sequence[bytes]) -> Iterator[Enrolment]:
        for some in batches(members, SLOTS // 64):
            rows = Member.objects.filter(gallery=self._gallery, id__in=[member.hex() for member in some])
            by_id = {row.id: row for row in rows.select_related("template", "registration")}
            for member in some:
                if (row := by_id.get(member.hex())) and (one := self._enrolment(row)):
                    yield one

    def enrolments_of(self, person: bytes) -> list[Enrolment]:
        """The templates of one person."""
        rows = Member.objects.filter(gallery=self._gallery, person=person.hex())
        return list(self.enrolments([bytes.fromhex(member) for member in rows.values_list("id", flat=True)]))

    def add(self, enrolments: Iterable[Enrolment]) -> None:
        for some in batches(list(enrolments)):
            with transaction.atomic():
                ids = [one.member.hex() for one in some]
                known = set(Member.objects.filter(id__in=ids).values_list("id", flat=True))
                fresh = {one.member.hex(): one for one in some if one.member.hex() not in known}
                Member.objects.bulk_create(
                    Member(id=member, gallery_id=self._gallery, person=one.person.hex())
                    for member, one in fresh.items()
                )
                numbers = Member.objects.filter(id__in=fresh).values_list("id", "number")
                Registration.objects.bulk_create(
                    Registration(
                        member_id=number,
                        data=fresh[member].template,
                        key_fp=fresh[member].key_fp.hex(),
                        header_hash=sha256(fresh[member].template).hex(),
                    )
                    for member, number in numbers
                )

    def remove(self, person: bytes) -> list[bytes]:
        with transaction.atomic():
            rows = Member.objects.filter(gallery=self._gallery, person=person.hex())
            removed = [bytes.fromhex(member) for member in rows.values_list("id", flat=True)]
            rows.delete()
        return removed

    def repack(self, change: Repacking) -> None:
        with transaction.atomic():
            replaced = Block.objects.filter(gallery=self._gallery, id__in=[block.hex() for block in change.replaced])
            old = list(replaced.values_list("pk", flat=True))
            for gone in batches(change.gone):
                Member.objects.filter(gallery=self._gallery, id__in=[member.hex() for member in gone]).delete()
            for blocks in batches(old):
                Member.objects.filter(block__in=blocks).update(block=None, slot=None)
            for placed in change.made:
                self._place(placed)
            for blocks in batches(old):
                Block.objects.filter(pk__in=blocks).delete()
            gallery = Gallery.objects.filter(pk=self._gallery)
            gallery.exclude(epoch=change.epoch).update(epoch=change.epoch, keyed_at=timezone.now())
            gallery.update(generation=F("generation") + 1)

    def _place(self, placed: Placed) -> None:
        block = Block.objects.create(
            id=placed.block.hex(),
            gallery_id=self._gallery,
            checksum=placed.checksum.hex(),
            key_fp=placed.key_fp.hex(),
            kind=placed.kind,
            packed=placed.packed,
        )
        for some in batches(list(placed.members.items())):
            slots = {member.hex(): slot for slot, member in some}
            chosen = Case(*(When(id=member, then=Value(slot)) for member, slot in slots.items()))
            chosen.output_field = IntegerField()
            Member.objects.filter(id__in=slots, block=None).update(block=block, slot=chosen)

    def _enrolment(self, row: Member) -> Enrolment | None:
        """The member's template; whoever's key the key holder erased has left, though nobody said so here yet."""
        held = row.template or getattr(row, "registration", None)
        try:
            public_key = self._public_key(held.key_fp) if held else None
        except StaleKey:
            public_key = None
        if held is None or public_key is None:
            row.delete()
            return None
        return Enrolment(
            member=bytes.fromhex(row.id),
            person=bytes.fromhex(row.person),
            template=bytes(held.data),
            public_key=public_key,
            key_fp=bytes.fromhex(held.key_fp),
            kind=_kind(row.account_id),
        )


def batches(items: Sequence[T], size: int = AT_ONCE) -> Iterator[Sequence[T]]:
    """The items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _members(blocks: Sequence[int]) -> dict[int, dict[int, bytes]]:
    """Who is in which slot of these blocks, by their numbers."""
    members: dict[int, dict[int, bytes]] = {block: {} for block in blocks}
    for some in batches(blocks):
        rows = Member.objects.filter(block__in=some).values_list("block_id", "slot", "id")
        for block, slot, member in rows.iterator():
            if slot is not None:
                members[block][slot] = bytes.fromhex(member)
    return members


def _placed(row: Block, members: dict[int, bytes]) -> Placed:
    return Placed(
        block=bytes.fromhex(row.id),
        checksum=bytes.fromhex(row.checksum),
        key_fp=bytes.fromhex(row.key_fp),
        kind=row.kind,
        packed=row.packed,
        members=members,
    )


def _known(member: str, person: str, account: str | None) -> Known:
    return Known(bytes.fromhex(member), bytes.fromhex(person), _kind(account))


def _kind(account: str | None) -> Block.Kind:
    """By which way somebody came in: who is registered at a kiosk may have an account, and nobody here can tell."""
    return Block.Kind.KIOSK if account is None else Block.Kind.ACCOUNT
