"""Whatever is done to a gallery, in whatever order, it is what a plain dict says it is."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.match.galleries import House, identity
from veilface.match.gallery import Gallery
from veilface.match.gallery_errors import GalleryDamaged
from veilface.match.gallery_truth import Enrolment

PEOPLE = range(4)
SHOTS = range(3)
VERBS: list[Callable[[Gallery], None]] = [Gallery.pack, Gallery.rotate, Gallery.refresh, Gallery.rebuild]


def swapped(path: Path) -> None:
    """Other words of the right number under the right name, as from an older copy of the folder."""
    content = path.read_bytes()[::-1]
    path.unlink()
    path.write_bytes(content)


@cache
def enrolment(seed: int, shot: int) -> Enrolment:
    with TemporaryDirectory() as folder:
        return House(Path(folder)).enrolment(seed, shot=shot)


class AnyOrder(RuleBasedStateMachine):
    """``people`` – member to person; ``packed`` – those who have a place; ``damaged`` – blocks with a wrong file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.house = House(Path(self.folder.name))
        self.people: dict[bytes, bytes] = {}
        self.packed: set[bytes] = set()
        self.damaged: set[bytes] = set()

    def blocks(self) -> set[bytes]:
        return {placed.block for placed in self.house.truth.blocks()}

    @rule(who=st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(SHOTS)), max_size=4))
    def add(self, who: list[tuple[int, int]]) -> None:
        added = [enrolment(*one) for one in who]
        self.house.gallery.add(added)
        self.people |= {one.member: one.person for one in added}

    @rule(seed=st.sampled_from(PEOPLE))
    def remove(self, seed: int) -> None:
        gone = {member for member, person in self.people.items() if person == identity(seed)}
        assert set(self.house.gallery.remove(identity(seed))) == gone
        self.people = {member: person for member, person in self.people.items() if member not in gone}
        self.packed -= gone

    @rule(verb=st.sampled_from(VERBS))
    def change(self, verb: Callable[[Gallery], None]) -> None:
        before = self.blocks()
        verb(self.house.gallery)
        self.damaged &= self.blocks()
        if verb is Gallery.pack:
            self.packed = set(self.people)
        if verb is Gallery.rotate:
            assert not before & self.blocks()
        if verb is Gallery.rebuild:
            assert self.house.gallery.verify() == []

    @rule()
    def restart(self) -> None:
        self.house.restart()

    @precondition(lambda self: self.blocks() - self.damaged)
    @rule(damage=st.sampled_from([Path.unlink, swapped]), which=st.randoms())
    def damage(self, damage: Callable[[Path], None], which: Random) -> None:
        block = which.choice(sorted(self.blocks() - self.damaged))
        damage(self.house.folder / "blocks" / f"{block.hex()}.block1")
        self.damaged.add(block)
        self.house.restart()

    @invariant()
    def members_are_who_they_should_be(self) -> None:
        truth = self.house.truth
        assert self.house.gallery.persons(list(self.people)) == self.people
        assert {one.member for one in truth.waiting()} == self.people.keys() - self.packed
        assert self.house.members() == self.packed

    @invariant()
    def nobody_is_twice_in_a_block(self) -> None:
        for placed in self.house.truth.blocks():
            persons = [self.people[member] for member in placed.members.values()]
            assert len(set(persons)) == len(persons) <= placed.packed

    @invariant()
    def files_are_what_the_truth_names(self) -> None:
        assert set(self.house.gallery.verify()) == self.damaged
        assert self.house.files() <= {block.hex() for block in self.blocks()}

    @invariant()
    def a_search_sees_all_of_them_or_nothing(self) -> None:
        if self.damaged:
            with pytest.raises(GalleryDamaged):
                self.house.gallery.view()
            return
        view = self.house.gallery.view()
        seen = [view.member(block, slot) for block, slots in enumerate(view.live) for slot in slots.nonzero()[0]]
        assert len(seen) == len(self.packed)
        assert set(seen) == self.packed

    def teardown(self) -> None:
        self.house.gallery.rebuild()
        if self.packed:
            for seed in PEOPLE[:2]:
                expected = any(self.people[member] == identity(seed) for member in self.packed)
                assert self.house.found(seed) is expected
        self.folder.cleanup()


def test_any_order() -> None:
    run_state_machine_as_test(AnyOrder, settings=settings(max_examples=6, stateful_step_count=14, deadline=None))
