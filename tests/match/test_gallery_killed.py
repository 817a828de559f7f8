"""Killed with SIGKILL at any seam of any verb, a gallery loses nobody, brings nobody back and trusts no stale file."""

import pytest

from tests.match.galleries import House, identity
from tests.match.killable_gallery import Act, Left, killed_at_every_seam
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.match.gallery_errors import GalleryDamaged

PACKING = ["fsync", "fsync", "repack", "_change_layout", "keep_only"]
"""A file half written, a file under its name, the truth not begun, the truth not committed, old files still there."""
ROTATING = ["create", *PACKING, "erase_before"]
Ends = dict[str, list[Left]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """1 to 3 are packed, 4 waits, and 2 was removed."""
    made = House(tmp_path_factory.mktemp("house"))
    made.add(1, 2, 3)
    made.gallery.add([made.enrolment(4)])
    made.gallery.remove(identity(2))
    return made


@pytest.fixture(scope="module")
def ends(house: House, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """What every verb left behind wherever it was killed, and at last when it got through."""
    damaged, copies = (tmp_path_factory.mktemp(name) for name in ("damaged", "copies"))
    other = House(damaged, accounts=house.accounts)
    other.add(1, 3)
    (path,) = (damaged / "blocks").iterdir()
    path.write_bytes(path.read_bytes()[::-1])
    halfway = copies / "rotate" / str(1 + ROTATING.index("keep_only"))
    acts = [Act(verb=verb, folder=house.folder, accounts=house.accounts) for verb in ("pack", "refresh", "rotate")]
    acts += [
        Act(verb="rebuild", folder=damaged, accounts=house.accounts),
        Act(verb="open", folder=halfway, accounts=house.accounts),
        Act(
            verb="add",
            folder=house.folder,
            accounts=house.accounts,
            added=[house.enrolment(5), house.enrolment(6)],
        ),
        Act(verb="remove", folder=house.folder, accounts=house.accounts, removed=identity(3)),
    ]
    return killed_at_every_seam(acts, copies)


def restarted(house: House, left: list[Left], expected: list[str]) -> list[House]:
    """One new process after each of the expected deaths and one after none, with exactly the files it should have."""
    assert [one.seam for one in left] == [*expected, "done"]
    houses = [House(one.folder, accounts=house.accounts) for one in left]
    for again in houses:
        assert again.files() == {placed.block.hex() for placed in again.truth.blocks()}
    return houses


def known(house: House) -> set[bytes]:
    return house.members() | {one.member for one in house.truth.waiting()}


def members(*seeds: int) -> set[bytes]:
    return {identity((seed, 0)) for seed in seeds}


@pytest.mark.parametrize("verb", ["pack", "refresh"])
def test_killed_while_packing(house: House, ends: Ends, verb: str) -> None:
    houses = restarted(house, ends[verb], PACKING)
    for again in houses:
        assert again.gallery.verify() == []
        assert known(again) == members(1, 3, 4)
    assert len({again.truth.blocks()[0].block for again in houses[:4]}) == 1, "the old block, until the new one is true"
    assert all(again.found(3) for again in houses[3:5])
    assert not any(again.found(2) for again in houses[3:5])
    houses[0].gallery.pack()
    assert houses[0].truth.waiting() == []
    assert houses[0].found(4)


def test_killed_while_rotating(house: House, ends: Ends) -> None:
    houses = restarted(house, ends["rotate"], ROTATING)
    assert [again.truth.standing()[0] for again in houses] == [1] * 5 + [2] * 3
    for again in houses:
        assert again.gallery.verify() == []
        assert known(again) == members(1, 3, 4)
    for again in houses[5:]:
        with pytest.raises(GalleryUnknown):
            again.office.desk(1)
    assert all(again.found(3) for again in houses[4:7])
    houses[3].gallery.rotate()
    assert houses[3].truth.standing()[0] == 2
    assert houses[3].found(1)


def test_killed_while_a_damaged_block_is_rebuilt(house: House, ends: Ends) -> None:
    houses = restarted(house, ends["rebuild"], PACKING)
    assert [len(again.gallery.verify()) for again in houses] == [1, 1, 1, 1, 0, 0]
    assert all(known(again) == members(1, 3) for again in houses)
    for again in houses[:4]:
        with pytest.raises(GalleryDamaged):
            again.gallery.view()
    houses[3].gallery.rebuild()
    assert houses[3].gallery.verify() == []
    assert all(again.found(3) for again in houses[3:5])


def test_killed_while_adding_or_removing(house: House, ends: Ends) -> None:
    houses = restarted(house, ends["add"], ["add", "adding", "adding"])
    assert [known(again) for again in houses] == [members(1, 3, 4)] * 3 + [members(1, 3, 4, 5, 6)]
    houses = restarted(house, ends["remove"], ["remove", "_change_layout"])
    assert [known(again) for again in houses] == [members(1, 3, 4)] * 2 + [members(1, 4)]
    assert [again.found(3) for again in houses[1:]] == [True, False]


def test_killed_again_while_it_opens(house: House, ends: Ends) -> None:
    """What a death during a rotation left is put away by a later opening, even if an earlier one died as well."""
    assert [len(list((one.folder / "blocks").iterdir())) for one in ends["open"]] == [2, 2, 2, 1]
    for again in restarted(house, ends["open"], ["create", "erase_before", "keep_only"]):
        with pytest.raises(GalleryUnknown):
            again.office.desk(1)
        assert known(again) == members(1, 3, 4)
