"""The site's truth of a gallery, under a real gallery: what is packed is found in the blocks, who left is not."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from tests.match.galleries import House, identity
from veilface.match.gallery import Gallery
from veilface.server.galleries.models import Block, Member, Registration
from veilface.server.galleries.models import Gallery as GalleryRow
from veilface.server.galleries.truth import DjangoTruth


class Kept(House):
    """A gallery whose truth is in the site's database."""

    row: GalleryRow

    def restart(self) -> None:
        super().restart()
        self.row, _ = GalleryRow.objects.get_or_create(name="前台", purpose="迎宾")
        self.kept = DjangoTruth(self.row.id, public_key=lambda _fp: self.account.public)
        self.gallery = Gallery(self.folder / "kept", self.kept, self.office)

    def everybody(self) -> set[bytes]:
        """Who can be found now, by their persons."""
        view = self.gallery.view()
        members = [member for placed in view.placed for member in placed.members.values()]
        assert sum(len(placed.members) for placed in view.placed) == int(view.live.sum())
        return set(self.gallery.persons(members).values())


class Crowded(DjangoTruth):
    """Beside another thread, which looked before anybody was packed and remembers it always right after this one."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, {} if name == "_seen" else value)


@pytest.fixture
def house(tmp_path: Path, db: None) -> Kept:
    return Kept(tmp_path)


def test_who_is_added_is_found_once_packed_and_no_longer_once_removed(house: Kept) -> None:
    house.gallery.add([house.enrolment(seed) for seed in range(4)])
    assert house.everybody() == set()
    house.gallery.pack()
    assert house.everybody() == {identity(seed) for seed in range(4)}
    before = house.kept.standing()
    assert house.gallery.remove(identity(2)) == [identity((2, 0))]
    assert house.kept.standing() == (before[0], before[1] + 1)
    assert house.everybody() == {identity(0), identity(1), identity(3)}
    house.restart()
    assert house.everybody() == {identity(0), identity(1), identity(3)}
    house.gallery.refresh()
    assert list(Block.objects.values_list("packed", flat=True)) == [3]
    assert house.everybody() == {identity(0), identity(1), identity(3)}


def test_removing_one_reads_one_block_again(house: Kept, django_assert_num_queries: object) -> None:
    house.add(1)
    house.gallery.add([house.enrolment(seed) for seed in (2, 3)])
    house.gallery.pack()
    kept = house.kept.blocks()
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert house.kept.blocks() == kept
    house.gallery.remove(identity(2))
    with django_assert_num_queries(2):  # type: ignore[operator]
        assert identity((2, 0)) not in [member for one in house.kept.blocks() for member in one.members.values()]


def test_two_templates_of_one_person_never_share_a_block(house: Kept) -> None:
    house.gallery.add([house.enrolment(1), house.enrolment(1, shot=1), house.enrolment(2)])
    house.gallery.pack()
    assert Block.objects.count() == 2
    block = Block.objects.first()
    twice = Member(gallery=house.row, person=identity(1).hex(), block=block, slot=2047)
    with pytest.raises(IntegrityError), transaction.atomic():
        twice.save()


def test_a_rotation_puts_everybody_under_a_new_key(house: Kept) -> None:
    house.add(1, 2, 3)
    old = set(Block.objects.values_list("id", flat=True))
    house.gallery.rotate()
    assert house.kept.standing()[0] == 2
    assert old.isdisjoint(Block.objects.values_list("id", flat=True))
    assert house.everybody() == {identity(seed) for seed in (1, 2, 3)}


def test_known_members_stay_as_they_are(house: Kept) -> None:
    house.add(1)
    placed = Member.objects.values_list("block_id", "slot").get()
    house.gallery.add([house.enrolment(1)])
    assert Member.objects.values_list("block_id", "slot").get() == placed
    assert Registration.objects.count() == 1


def test_what_another_thread_remembers_is_not_answered_with(house: Kept) -> None:
    house.add(1)
    assert [len(placed.members) for placed in Crowded(house.row.id, public_key=lambda _fp: b"").blocks()] == [1]


def test_a_slot_needs_its_block(house: Kept) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.create(gallery=house.row, slot=1)


@pytest.mark.django_db(transaction=True)
def test_the_migrations_go_back_and_forth() -> None:
    call_command("migrate", "galleries", "zero", verbosity=0)
    call_command("migrate", "galleries", verbosity=0)
    call_command("makemigrations", "galleries", check=True, dry_run=True, verbosity=0)
