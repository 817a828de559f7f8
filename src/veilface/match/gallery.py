"""A gallery: who can be found, packed into blocks of 2048 under one key (ADR 9).

The truth comes first. A template waits in it until a packing puts it into a block; removing somebody takes their slot
out of the next query, whatever the blocks still hold. New templates make a small block of their own; blocks no larger
than it are packed anew together with it, so a template is packed at most eleven times until its block is full. A block
is always packed as a whole, its people in a random order, and never with two templates of one person: the distance
between the two would tell the rotation. Nor with people who came in by different ways, for somebody who took both is
one person that is known as two.
"""

import secrets
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Final, Protocol

import numpy as np

from veilface.match import scan
from veilface.match.block_files import BlockFiles
from veilface.match.conversion import SubjectKey, all_masked, packed_templates
from veilface.match.gallery_errors import GalleryBusy
from veilface.match.gallery_truth import Enrolment, Known, Placed, Repacking, Truth
from veilface.match.gallery_view import View, Viewer
from veilface.protect.gallery import SLOTS, EpochKeys, Masked, PackedBlock
from veilface.protect.homomorphic import DIMENSION
from veilface.protect.stream import Integers, Stream

_BLOCK_ID_BYTES: Final = 16
_CHUNK: Final = 16
_THREADS: Final = 2
_People = Sequence[Known]


class Packer(Protocol):
    """What a key holder does for a gallery's blocks."""

    def create(self, epoch: int) -> EpochKeys:
        """The public keys of an epoch, made where there are none yet."""

    def pack(self, epoch: int, templates: Iterable[Masked | None]) -> PackedBlock:
        """Convert up to 2048 masked templates into one block."""

    def erase_before(self, epoch: int) -> None:
        """Erase the keys of older epochs."""


class Gallery:
    """One gallery over one folder of block files. Safe to call from many threads, and from several processes.

    One process packs at a time; another one is told :class:`GalleryBusy`, and so is a thread that waited for long
    enough. No search waits for a packing.
    """

    def __init__(self, folder: Path, truth: Truth, packer: Packer) -> None:
        """Open it. What a killed process left behind is put away; damaged blocks show in :meth:`verify`."""
        self._truth: Final = truth
        self._files: Final = BlockFiles(folder)
        self._packer: Final = packer
        self._packing = RLock()
        self._keys = packer.create(truth.standing()[0])
        self._viewer: Final = Viewer(truth, self._files, self._keys_of)
        with suppress(GalleryBusy), self._alone():  # whoever packs just now puts away as well
            packer.erase_before(truth.standing()[0])
            self._keep_only_true_files()

    @property
    def keys(self) -> EpochKeys:
        """The public keys of the present epoch."""
        return self._keys_of(self._truth.standing()[0])

    def add(self, enrolments: Iterable[Enrolment]) -> None:
        """Take in templates, durably. They are found once they are packed."""
        self._truth.add(enrolments)

    def remove(self, person: bytes) -> list[bytes]:
        """Forget a person at once; the ids of the templates that were theirs."""
        return self._truth.remove(person)

    def persons(self, members: Sequence[bytes]) -> dict[bytes, bytes]:
        """Who these members are, of those who are there now."""
        return {one.member: one.person for one in self._truth.known(members)}

    def view(self) -> View:
        """The gallery as it is now.

        Raises :class:`~veilface.match.gallery_errors.GalleryDamaged` rather than have only a part of it searched.
        """
        return self._viewer.view()

    def pack(self, *, patience_s: float | None = None) -> None:
        """Put everybody who waits into blocks.

        ``patience_s`` – how long another thread's packing is waited for; where none is given, until it is through.
        """
        with self._alone(patience_s):
            for waiting in _groups(self._truth.waiting()):
                absorbed = _small_blocks(self._truth.blocks(), len(waiting), kind=waiting[0].kind)
                together = [*waiting, *self._people(absorbed)]
                if len(_groups(together)) > 1:  # somebody has a template in both
                    absorbed, together = [], list(waiting)
                self._change([together], absorbed, self.keys)

    def rotate(self) -> None:
        """Pack everybody anew, in another order, under a fresh key, and have the old key erased."""
        with self._alone():
            old = self._truth.blocks()
            keys = self._packer.create(self.keys.epoch + 1)
            people = self._people(old)
            shuffled = [people[place] for place in Stream().permutation(len(people))]
            self._change(_groups(shuffled), old, keys)
            self._packer.erase_before(keys.epoch)

    def verify(self) -> list[bytes]:
        """The blocks whose files are missing or are not what was written, and those that are under another key."""
        key_fp = self.keys.scan_fp
        unsound = [
            placed.block
            for placed in self._truth.blocks()
            if placed.key_fp != key_fp or not self._files.is_sound(placed.block, placed.checksum)
        ]
        named = {placed.block for placed in self._truth.blocks()} if unsound else set()
        return [block for block in unsound if block in named]  # the others were packed anew meanwhile

    def rebuild(self) -> None:
        """Pack the people of damaged blocks anew."""
        self._renew(set(self.verify()))

    def refresh(self) -> None:
        """Pack blocks anew that still hold a template of somebody who was removed."""
        self._renew({placed.block for placed in self._truth.blocks() if len(placed.members) < placed.packed})

    # --- packing -----------------------------------------------------------------------------------------

    def _renew(self, blocks: set[bytes]) -> None:
        with self._alone():
            for placed in self._truth.blocks():
                if placed.block in blocks:
                    self._change(_groups(self._people([placed])), [placed], self.keys)

    @contextmanager
    def _alone(self, patience_s: float | None = None) -> Iterator[None]:
        """Raises :class:`GalleryBusy` where another process packs; another thread waits its turn, or for so long."""
        if not self._packing.acquire(timeout=-1 if patience_s is None else patience_s):
            raise GalleryBusy
        try:
            with self._files.alone():
                yield
        finally:
            self._packing.release()

    def _keys_of(self, epoch: int) -> EpochKeys:
        """An epoch that another process began has its keys at the key holder already."""
        keys = self._keys
        if keys.epoch != epoch:
            keys = self._keys = self._packer.create(epoch)
        return keys

    def _keep_only_true_files(self) -> None:
        self._files.keep_only({placed.block for placed in self._truth.blocks()})

    def _people(self, blocks: Sequence[Placed]) -> _People:
        members = [member for placed in blocks for member in placed.members.values()]
        return self._truth.known(members)

    def _change(self, groups: Sequence[_People], replaced: Sequence[Placed], keys: EpochKeys) -> None:
        """Write the new blocks, then say so in the truth, then drop the old ones."""
        made, gone = [], []
        for group in groups:
            placed, refused = self._make(group, keys)
            made.append(placed)
            gone.extend(refused)
        old = [placed.block for placed in replaced]
        self._truth.repack(Repacking(epoch=keys.epoch, made=made, replaced=old, gone=gone))
        self._keys = keys
        self._keep_only_true_files()

    def _make(self, people: _People, keys: EpochKeys) -> tuple[Placed, list[bytes]]:
        """One new block of these members; also those of them whose template nobody can open any more."""
        slots = sorted(Stream().permutation(SLOTS)[: len(people)].tolist())
        order = Stream().permutation(len(people))
        members = {slot: people[place].member for slot, place in zip(slots, order, strict=True)}
        masks = np.zeros((SLOTS, DIMENSION), np.int64)
        answer = self._packer.pack(keys.epoch, self._hidden(members, masks))
        masks[list(answer.refused)] = 0  # a mask taken from nothing would be noise for the whole block
        words = packed_templates(answer.sealed, np.ascontiguousarray(masks.T))
        block = secrets.token_bytes(_BLOCK_ID_BYTES)
        checksum = self._files.write(block, scan.arranged(np.ascontiguousarray(words.swapaxes(0, 1))))
        gone = [members.pop(slot) for slot in answer.refused]
        placed = Placed(
            block=block,
            checksum=checksum,
            key_fp=keys.scan_fp,
            kind=people[0].kind,
            packed=len(members),
            members=members,
        )
        return placed, gone

    def _hidden(self, members: dict[int, bytes], masks: Integers) -> Iterator[Masked | None]:
        """Each slot's template under its masks, as the key holder asks for it; the masks are noted in ``masks``.

        Some are made ahead, on other threads, so that neither side waits for the other.
        """
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="veilface-ingest") as threads:
            ahead: deque[Future[list[Masked | None]]] = deque()
            for start in range(0, SLOTS, _CHUNK):
                chunk = self._enrolments(members, range(start, start + _CHUNK))
                ahead.append(threads.submit(_hide, chunk, masks[start : start + _CHUNK]))
                if len(ahead) > _THREADS:
                    yield from ahead.popleft().result()
            for hidden in ahead:
                yield from hidden.result()

    def _enrolments(self, members: dict[int, bytes], slots: range) -> list[Enrolment | None]:
        """Whoever is to have these slots; somebody who was removed a moment ago loses theirs here."""
        wanted = [members.pop(slot, b"") for slot in slots]
        found = {one.member: one for one in self._truth.enrolments([member for member in wanted if member])}
        members.update((slot, member) for slot, member in zip(slots, wanted, strict=True) if member in found)
        return [found.get(member) for member in wanted]


def _groups(people: _People) -> list[_People]:
    """Groups that fit a block each, with every person once and all of one kind."""
    seen: Counter[tuple[bytes, str]] = Counter()
    rounds: dict[tuple[str, int], list[Known]] = {}
    for one in people:
        rounds.setdefault((one.kind, seen[one.person, one.kind]), []).append(one)
        seen[one.person, one.kind] += 1
    return [group[start : start + SLOTS] for group in rounds.values() for start in range(0, len(group), SLOTS)]


def _small_blocks(blocks: Sequence[Placed], count: int, *, kind: str) -> list[Placed]:
    """The blocks that are packed anew together with ``count`` more of a kind: none larger than what they come to."""
    chosen: list[Placed] = []
    for placed in sorted(blocks, key=lambda placed: len(placed.members)):
        fits = len(placed.members) <= count and count + len(placed.members) <= SLOTS
        if not placed.members or (placed.kind == kind and fits):
            chosen.append(placed)
            count += len(placed.members)
    return chosen


def _hide(chunk: Sequence[Enrolment | None], masks: Integers) -> list[Masked | None]:
    """Put some templates under masks, which are written to ``masks`` (chunk, 128)."""
    hidden = list[Masked | None]([None] * len(chunk))
    rows = [row for row, one in enumerate(chunk) if one]
    some = [one for one in chunk if one]
    keys = [SubjectKey(one.public_key, one.key_fp) for one in some]
    found, masks[rows] = all_masked([one.template for one in some], keys, Stream())
    for row, one in zip(rows, found, strict=True):
        hidden[row] = one
    return hidden
