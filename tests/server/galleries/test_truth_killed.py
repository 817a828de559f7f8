"""Killed with SIGKILL at any seam, between any two statements too, the site's truth loses and returns nobody."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from shutil import copytree

import pytest
from pytest_django import DjangoDbBlocker

from tests.match.galleries import House, identity
from tests.match.killable_gallery import Act, Left, killed_at_every_seam, noting, used_masks
from tests.server.conftest import DatabaseServer
from tests.server.galleries.kept import KeptTruth, open_kept, settle
from veilface.keyholder.gallery_errors import GalleryUnknown
from veilface.match.blinding import QueryMasks

PACKING = ["fsync", "repack", "step", "keep_only"]
SEAMS = {
    "rotate": ["create", *PACKING, "erase_before"],
    "rebuild": PACKING,
    "add": ["add", "adding", "step"],
    "remove": ["remove", "step"],
    "search": ["begin", "reshare", "conclude"],
}


VERBS = [verb for verb in SEAMS if verb != "search"]


def members(*seeds: int) -> set[bytes]:
    return {identity((seed, 0)) for seed in seeds}


BEFORE = members(1, 3, 4)
AFTER = dict.fromkeys(SEAMS, BEFORE) | {"add": members(1, 3, 4, 5, 6), "remove": members(1, 4)}


def opened(folder: Path, accounts: dict[bytes, bytes]) -> tuple[House, KeptTruth]:
    house = House(folder, accounts=accounts, open_truth=open_kept)
    assert isinstance(house.truth, KeptTruth)
    return house, house.truth


@pytest.fixture(scope="module", autouse=True)
def databases_of_its_own(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, database_server: DatabaseServer) -> House:
    """1 to 3 are packed, 4 waits, and 2 was removed."""
    folder = tmp_path_factory.mktemp("house")
    settle(folder, database_server.fresh())
    made, _ = opened(folder, {})
    made.add(1, 2, 3)
    made.gallery.add([made.enrolment(4)])
    made.gallery.remove(identity(2))
    return made


@pytest.fixture(scope="module")
def ends(house: House, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Left]]:
    """What every verb left behind wherever it was killed, and at last when it got through."""
    damaged = tmp_path_factory.mktemp("damaged") / "house"
    copytree(house.folder, damaged)
    (block,) = (damaged / "blocks").iterdir()
    block.write_bytes(block.read_bytes()[::-1])
    acts = [
        Act(
            verb=verb,
            folder=damaged if verb == "rebuild" else house.folder,
            accounts=house.accounts,
            added=[house.enrolment(5), house.enrolment(6)],
            removed=identity(3),
            searched=3,
            open_truth=open_kept,
            inside="step",
        )
        for verb in SEAMS
    ]
    return killed_at_every_seam(acts, tmp_path_factory.mktemp("copies"))


@pytest.mark.parametrize("verb", VERBS)
def test_killed_at_every_seam(house: House, ends: dict[str, list[Left]], verb: str) -> None:
    seams = [one.seam for one in ends[verb]]
    assert [seam for seam, _ in groupby(seams)] == [*SEAMS[verb], "done"]
    committed = len(seams) - seams[::-1].index("step")
    for at, left in enumerate(ends[verb]):
        again, truth = opened(left.folder, house.accounts)
        done = at >= committed
        assert again.members() | {one.member for one in truth.waiting()} == (AFTER[verb] if done else BEFORE)
        assert len(again.gallery.verify()) == (verb == "rebuild" and not done)
        assert again.files() == {placed.block.hex() for placed in truth.blocks()}
        assert (truth.standing()[0] == 2) == (done and verb == "rotate")
        if truth.standing()[0] == 2:
            with pytest.raises(GalleryUnknown):
                again.office.desk(1)
        if at in {committed - 1, committed} and not again.gallery.verify():
            assert again.found(3) == (not done or verb != "remove")
            assert not again.found(2)
    again.gallery.pack()
    assert truth.waiting() == []
    assert again.found(4)


def test_killed_while_searching(house: House, ends: dict[str, list[Left]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a search is anywhere but in memory: not a row nor a file differs, and no mask is used again."""
    rows = opened(house.folder, house.accounts)[1].rows()
    files = {path.name: sha256(path.read_bytes()).digest() for path in (house.folder / "blocks").iterdir()}
    assert [one.seam for one in ends["search"]] == [*SEAMS["search"], "done"]
    used = list[str]()
    for left in ends["search"]:
        again, truth = opened(left.folder, house.accounts)
        assert truth.rows() == rows
        assert {path.name: sha256(path.read_bytes()).digest() for path in (left.folder / "blocks").iterdir()} == files
        with monkeypatch.context() as patched:
            patched.setattr(QueryMasks, "spend", noting(left.folder.with_suffix(".masks")))
            assert again.found(3)
        used += used_masks(left.folder)
    assert len(used) == len(set(used)) == 2 * len(ends["search"])
