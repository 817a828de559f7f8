"""A gallery finds whom it should, and nobody who was removed."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.match.galleries import House, identity
from tests.match.parties import Account, unit
from veilface.keyholder.errors import Malformed
from veilface.keyholder.gallery_errors import GalleryUnknown, ProbeUnsound
from veilface.match import block_files
from veilface.match.engine import LocalEngine, Shard
from veilface.match.gallery import Gallery, _groups, _small_blocks
from veilface.match.gallery_errors import GalleryBusy, GalleryDamaged, GalleryEmpty, QueryMasksSpent
from veilface.match.gallery_truth import Known, Placed, SqliteTruth
from veilface.match.identification import identify
from veilface.match.masks import prepare
from veilface.match.query_pool import CAPACITY, QueryPool
from veilface.match.search import Candidates, search
from veilface.protect.homomorphic import encode_probe
from veilface.protect.ring import N
from veilface.protect.rlwe import PublicKey, encrypt, pack_words
from veilface.protect.word_ring import Words

THRESHOLD = 0.4


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def pool(house: House) -> Iterator[QueryPool]:
    made = QueryPool(house.gallery.view, threshold=THRESHOLD)
    yield made
    made.close()


def test_from_a_probe_to_a_person(house: House, pool: QueryPool) -> None:
    house.add(*range(12))
    assert house.asked(pool, 7) == Candidates(persons=(identity(7),), ambiguous=False)
    assert house.asked(pool, 8, cosine=0.2).persons == ()
    assert house.asked(pool, 99).persons == ()


def test_an_empty_gallery_says_so(house: House, pool: QueryPool) -> None:
    house.gallery.add([house.enrolment(1)])
    with pytest.raises(GalleryEmpty):
        house.asked(pool, 1)


def test_whoever_is_removed_is_not_found_again(house: House, pool: QueryPool, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add(1, 2)
    pool.prepare_soon()
    assert house.gallery.remove(identity(1)) == [identity((1, 0))]
    assert house.asked(pool, 1).persons == ()
    assert house.gallery.remove(identity(1)) == []
    house.restart()
    assert not house.found(1)
    assert house.found(2)

    def removed_meanwhile(*args: object, **options: object) -> object:
        answer = identify(*args, **options)  # type: ignore[arg-type]
        house.gallery.remove(identity(2))
        return answer

    monkeypatch.setattr("veilface.match.search.identify", removed_meanwhile)
    assert house.asked(pool, 2).persons == (), "removed while the key holder was asked"


def test_the_template_of_a_removed_person_leaves_the_blocks(house: House) -> None:
    house.add(1, 2, 3)
    before = house.truth.blocks()[0].block
    house.gallery.refresh()
    assert house.truth.blocks()[0].block == before, "nobody was removed"
    house.gallery.remove(identity(2))
    house.gallery.refresh()
    (after,) = house.truth.blocks()
    assert after.block != before
    assert (after.packed, len(after.members)) == (2, 2)
    assert len(list((house.folder / "blocks").iterdir())) == 1
    assert house.found(3)


def test_two_templates_of_one_person_never_share_a_block(house: House) -> None:
    house.gallery.add([house.enrolment(1), house.enrolment(1, shot=1), house.enrolment(2)])
    house.gallery.pack()
    house.gallery.add([house.enrolment(3), house.enrolment(3, shot=1), house.enrolment(1, shot=2)])
    house.gallery.pack()
    for _ in range(2):
        for placed in house.truth.blocks():
            persons = house.gallery.persons(list(placed.members.values()))
            assert len(set(persons.values())) == len(placed.members)
        assert sum(len(placed.members) for placed in house.truth.blocks()) == 6
        house.gallery.rotate()
    assert house.found(1)


def test_who_came_in_by_different_ways_never_shares_a_block(house: House) -> None:
    """Somebody who took both ways is two persons here: whose templates may be as near as two shots of one."""
    ways = {0: "account", 1: "kiosk", 2: "account", 3: "kiosk"}
    for some in ((0, 1), (2,), (3,)):
        house.gallery.add([replace(house.enrolment(seed), kind=ways[seed]) for seed in some])
        house.gallery.pack()
    for _ in range(2):
        found = {placed.kind: house.gallery.persons(list(placed.members.values())) for placed in house.truth.blocks()}
        assert {kind: set(persons.values()) for kind, persons in found.items()} == {
            "account": {identity(0), identity(2)},
            "kiosk": {identity(1), identity(3)},
        }
        house.gallery.rotate()
    assert house.found(1)


def test_a_block_under_another_key_is_refused_until_it_is_packed_anew(house: House, tmp_path: Path) -> None:
    """As after a key holder that was restored without the epoch's key, and made another."""
    house.add(1, 2)
    (before,) = house.truth.blocks()
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other", accounts=house.accounts)
    house.gallery = Gallery(house.folder / "blocks", house.truth, other.office)
    assert house.gallery.verify() == [before.block]
    with pytest.raises(GalleryDamaged):
        house.gallery.view()
    house.gallery.rebuild()
    (after,) = house.truth.blocks()
    assert after.key_fp == house.gallery.keys.scan_fp != before.key_fp
    house.office = other.office
    assert house.found(2)


def test_small_blocks_are_packed_together(house: House) -> None:
    for seed in range(5):
        house.add(seed)
    sizes = sorted(len(placed.members) for placed in house.truth.blocks())
    assert sizes == [1, 4]
    assert all(house.found(seed) for seed in (0, 4))


def test_groups_and_small_blocks_fit() -> None:
    people = [Known(identity(("m", n)), identity(n % 3000), "") for n in range(5000)]
    groups = _groups(people)
    assert [len(group) for group in groups] == [2048, 952, 2000]
    assert all(len({one.person for one in group}) == len(group) for group in groups)
    kinds = [Known(identity(("k", n)), identity(n), "ab"[n % 2]) for n in range(6)]
    assert [{one.kind for one in group} for group in _groups(kinds)] == [{"a"}, {"b"}]

    def block(count: int, kind: str = "") -> Placed:
        members = {slot: identity((count, slot)) for slot in range(count)}
        checksum = key_fp = bytes(32)
        return Placed(block=identity(count), checksum=checksum, key_fp=key_fp, kind=kind, packed=count, members=members)

    chosen = _small_blocks([block(2048), block(1000), block(3), block(2), block(0, "b"), block(1, "b")], 2, kind="")
    assert sorted(len(placed.members) for placed in chosen) == [0, 2, 3]
    assert _small_blocks([block(1200)], 900, kind="") == []


def test_rotation_makes_another_key_order_and_blocks(house: House) -> None:
    house.add(*range(6))
    old_view, old_desk = house.gallery.view(), house.office.desk(1)
    house.gallery.rotate()
    view = house.gallery.view()
    assert (old_view.keys.epoch, view.keys.epoch) == (1, 2)
    assert (old_view.keys.zeros.scan != view.keys.zeros.scan).any()
    assert old_view.keys.probes == view.keys.probes, "templates may be under it"
    assert np.flatnonzero(old_view.live).tolist() != np.flatnonzero(view.live).tolist()
    assert old_desk.key.epoch == 1
    with pytest.raises(GalleryUnknown):
        house.office.desk(1)
    assert house.found(5)
    house.restart()
    assert house.gallery.view().keys.probes == view.keys.probes
    assert house.found(0)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"short")])
def test_damaged_blocks_are_noticed_and_rebuilt(house: House, damage: Callable[[Path], object]) -> None:
    house.add(1, 2)
    (path,) = (house.folder / "blocks").iterdir()
    assert house.gallery.verify() == []
    damage(path)
    house.restart()
    assert len(house.gallery.verify()) == 1
    with pytest.raises(GalleryDamaged):
        house.gallery.view()
    house.gallery.rebuild()
    assert house.gallery.verify() == []
    assert house.found(2)


def test_one_flipped_bit_is_noticed(house: House) -> None:
    house.add(1)
    (path,) = (house.folder / "blocks").iterdir()
    content = bytearray(path.read_bytes())
    content[12345] ^= 4
    path.write_bytes(content)
    assert len(house.gallery.verify()) == 1


def test_a_template_whose_key_is_gone_is_dropped_and_nobody_else(house: House) -> None:
    other = Account()
    house.gallery.add([house.enrolment(1), house.enrolment(2, account=other)])
    house.gallery.pack()
    assert house.truth.waiting() == []
    assert house.truth.known([identity((2, 0))]) == []
    assert house.found(1)


def test_an_unsound_probe_gets_no_answer(house: House, pool: QueryPool) -> None:
    house.add(1)
    keys = house.gallery.view().keys
    for coefficients in (3 * encode_probe(unit(1)), np.arange(N) % 7):
        probe = pack_words(encrypt(PublicKey(keys.probes), coefficients))
        masks = prepare(keys.probes, purpose="enrol")
        with pytest.raises(ProbeUnsound):
            search(probe, gallery=house.gallery, pool=pool, masks=masks, holder=house.office.desk)
    foreign, masks = Account().probe(unit(1)), prepare(keys.probes, purpose="enrol")
    with pytest.raises(ProbeUnsound):
        search(foreign, gallery=house.gallery, pool=pool, masks=masks, holder=house.office.desk)
    with pytest.raises(Malformed):
        house.office.desk(1).begin(norm=b"", range_=b"", probe=None)  # type: ignore[arg-type]


# --- the pool --------------------------------------------------------------------------------------------


def test_a_set_of_the_pool_serves_one_query_of_its_own_layout(house: House, pool: QueryPool) -> None:
    house.add(1)
    pool.prepare_soon(5)
    view = house.gallery.view()
    taken = [pool.take(view) for _ in range(4)]
    assert len({id(masks) for masks in taken}) == 4
    assert all(masks.generation == view.generation for masks in taken)
    for masks in taken:
        masks.spend()
        with pytest.raises(QueryMasksSpent):
            masks.spend()


def test_sets_for_an_older_layout_are_thrown_away(house: House, pool: QueryPool) -> None:
    house.add(1)
    stale = pool._make(house.gallery.view())
    pool._ready.append(stale)
    house.gallery.remove(identity(1))
    assert pool.take(house.gallery.view()) is not stale
    assert not pool._ready


def test_sets_for_an_older_layout_take_no_room(house: House, pool: QueryPool) -> None:
    house.add(1, 2)
    pool._ready.extend(pool._make(house.gallery.view()) for _ in range(CAPACITY))
    house.gallery.remove(identity(1))
    now = house.gallery.view().generation
    pool.prepare_soon(CAPACITY)
    deadline = time.monotonic() + 60
    while [masks.generation for masks in pool._ready] != [now] * CAPACITY:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_query_that_fails_midway_has_spent_its_masks(house: House, pool: QueryPool) -> None:
    house.add(1)
    view = house.gallery.view()
    ready = pool._make(view)
    pool._ready.append(ready)

    class Gone(Exception):
        pass

    class Unreachable:
        def begin(self, **_: object) -> None:
            raise Gone

    masks = prepare(view.keys.probes, purpose="enrol")
    with pytest.raises(Gone):
        search(house.probe(unit(1)), gallery=house.gallery, pool=pool, masks=masks, holder=lambda _: Unreachable())  # type: ignore[arg-type,return-value]
    with pytest.raises(QueryMasksSpent):
        ready.spend()


def test_removed_while_a_block_is_packed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.gallery.add([house.enrolment(1), house.enrolment(2)])
    real = house.office.pack

    def pack(*args: object) -> object:
        answer = real(*args)  # type: ignore[arg-type]
        house.truth.remove(identity(1))
        return answer

    monkeypatch.setattr(house.office, "pack", pack)
    house.gallery.pack()
    assert [house.found(seed) for seed in (1, 2)] == [False, True]
    (placed,) = house.truth.blocks()
    assert (placed.packed, len(placed.members)) == (2, 1), "to be refreshed"


def test_a_search_does_not_wait_for_a_packing(house: House, pool: QueryPool, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add(1, 2)
    house.gallery.add([house.enrolment(3)])
    answers = []
    real = house.office.pack

    def pack(*args: object) -> object:
        house.gallery.remove(identity(2))
        with ThreadPoolExecutor(1) as elsewhere:
            answers.append([elsewhere.submit(house.asked, pool, seed).result(60).persons for seed in (1, 2)])
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(house.office, "pack", pack)
    house.gallery.pack()
    assert answers == [[(identity(1),), ()]]


def test_one_process_packs_at_a_time(house: House) -> None:
    house.add(1)
    house.gallery.add([house.enrolment(2)])
    folder = house.folder / "blocks"
    (folder / "other.unfinished").touch()
    with block_files.BlockFiles(folder).alone():
        for verb in (Gallery.pack, Gallery.rotate, Gallery.refresh):
            with pytest.raises(GalleryBusy):
                verb(house.gallery)
        house.restart()
        assert (folder / "other.unfinished").exists(), "it may be what the other process writes"
        assert house.found(1)
    assert [one.packed for one in house.truth.blocks()] == [1]
    house.restart()
    assert not (folder / "other.unfinished").exists()


def test_a_view_is_of_one_layout_also_where_another_process_changes_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add(1)
    other = Gallery(house.folder / "blocks", house.truth, house.office)
    real, times = SqliteTruth.blocks, iter([other.rotate, other.pack])

    def blocks(truth: SqliteTruth) -> list[Placed]:
        seen = real(truth)
        with monkeypatch.context() as quiet:
            quiet.setattr(SqliteTruth, "blocks", real)
            next(times, lambda: None)()
        return seen

    monkeypatch.setattr(SqliteTruth, "blocks", blocks)
    view = house.gallery.view()
    assert (view.keys.epoch, view.generation) == (2, house.truth.standing()[1])
    monkeypatch.undo()
    assert [one.block for one in view.placed] == [one.block for one in house.truth.blocks()]
    assert house.found(1)


def test_a_layout_that_never_stands_still_is_not_searched(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add(1)
    numbers = count(1)
    monkeypatch.setattr(house.truth, "standing", lambda: (next(numbers), next(numbers)))
    monkeypatch.setattr(house.office, "create", lambda _: None)
    with pytest.raises(GalleryBusy):
        house.gallery.view()


def test_masks_of_a_pool_stay_with_their_process(house: House, pool: QueryPool) -> None:
    house.add(1)
    view = house.gallery.view()
    pool._ready.append(pool._make(view))
    child = os.fork()
    if not child:
        os._exit(0 if pool.take(view) is not pool._ready[0] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(pool._ready) == 1


# --- while a search is under way -------------------------------------------------------------------------


class Meanwhile(LocalEngine):
    """Something happens to the gallery between the conversion of a probe and its scan."""

    def __init__(self, happening: Callable[[], object]) -> None:
        super().__init__()
        self.happening = happening

    def scan(self, shards: Sequence[Shard], probe: Words) -> Words:
        self.happening()
        return super().scan(shards, probe)


def test_removed_and_packed_anew_while_a_search_is_under_way(house: House, pool: QueryPool) -> None:
    house.add(1, 2)

    def removal() -> None:
        house.gallery.remove(identity(2))
        house.gallery.refresh()

    assert house.asked(pool, 2, engine=Meanwhile(removal)).persons == ()
    for change in (house.gallery.refresh, house.gallery.rotate):
        assert house.asked(pool, 1, engine=Meanwhile(change)).persons == (identity(1),)


def test_masks_and_queries_leave_nothing_on_the_disk(house: House, pool: QueryPool) -> None:
    """So after a crash there is nothing to use a second time."""
    house.add(1)
    house.gallery.view()

    def disk() -> dict[Path, tuple[int, int]]:
        files = (path for path in house.folder.rglob("*") if path.is_file())
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}

    before = disk()
    pool.prepare_soon()
    assert house.asked(pool, 1).persons == (identity(1),)
    assert disk() == before
