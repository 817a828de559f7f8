"""A real gallery in a process that kills itself with SIGKILL at a seam: before each step that leaves something behind.

``killed_at_every_seam`` runs each verb over copies of a folder, in one process after the other: the first dies at the
first seam, the second at the second, until one gets through. They are forks of one process that has no threads and
nothing open. The truth is a parameter: a function that opens one, and the name of the method that it calls inside its
transactions, before they are committed.
"""

import os
import signal
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from shutil import copytree
from typing import Any

from tests.match.galleries import House, OpenTruth, everybody, open_sqlite
from veilface.kernel.roots import forward_roots, inverse_roots
from veilface.keyholder.galleries import GalleryOffice
from veilface.keyholder.repack import GalleryDesk
from veilface.match import masking, products
from veilface.match.blinding import QueryMasks
from veilface.match.block_files import BlockFiles
from veilface.match.gallery_truth import Enrolment
from veilface.protect import conversion, rlwe
from veilface.protect.gallery import RESULT, SCAN
from veilface.protect.ring import KEY, _root_powers

PATIENCE_S = 280
MOST_SEAMS = 40
SEAMS = "seams"
MASKS = ".masks"
_SPAWNED = get_context("spawn")


@dataclass(frozen=True, kw_only=True)
class Act:
    """What a process does, over a copy of ``folder``, before it dies or is done."""

    verb: str
    folder: Path
    accounts: dict[bytes, bytes] = field(repr=False)
    added: Sequence[Enrolment] = ()
    removed: bytes = b""
    searched: int = 0
    open_truth: OpenTruth = open_sqlite
    inside: str = "_change_layout"


@dataclass(frozen=True, kw_only=True)
class Left:
    """What a process left behind, and the seam it died at, or ``done``."""

    folder: Path
    seam: str


def killed_at_every_seam(acts: Sequence[Act], copies: Path) -> dict[str, list[Left]]:
    """By verb, in the order of the seams."""
    process = _SPAWNED.Process(target=_all_lives, args=(acts, copies))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == 0
    return {act.verb: _left(copies / act.verb) for act in acts}


def _left(copies: Path) -> list[Left]:
    seams = (copies / SEAMS).read_text().split()
    return [Left(folder=copies / str(at), seam=seam) for at, seam in enumerate(seams, start=1)]


def _all_lives(acts: Sequence[Act], copies: Path) -> None:
    _look_up_tables()
    for act in acts:
        (copies / act.verb).mkdir()
        _lives(act, copies / act.verb)


def _look_up_tables() -> None:
    """What every life would have to compute anew, and none of it with a thread."""
    everybody()
    conversion.roots()
    products._roots()
    masking._result_roots()
    rlwe._context()
    for ring in (SCAN, *RESULT):
        forward_roots(ring.prime, ring.n)
        inverse_roots(ring.prime, ring.n)
    for prime in KEY.primes:
        _root_powers(prime)


def _lives(act: Act, copies: Path) -> None:
    for at in range(1, MOST_SEAMS):
        folder = copies / str(at)
        copytree(act.folder, folder)
        child = os.fork()
        if not child:
            _live(folder, act, _Seams(copies / SEAMS, at))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        end = os.waitstatus_to_exitcode(status)
        assert end in {0, -signal.SIGKILL}
        if end == 0:
            return


def used_masks(folder: Path) -> list[str]:
    """Digests of the masks that a process over this folder used."""
    return folder.with_suffix(MASKS).read_text().split()


def _live(folder: Path, act: Act, seams: "_Seams") -> None:
    if act.verb == "open":
        _mine(seams)
    QueryMasks.spend = noting(folder.with_suffix(MASKS))  # type: ignore[method-assign, assignment]
    house = House(folder, accounts=act.accounts, open_truth=act.open_truth)
    if act.verb != "open":
        _mine(seams)
        for name in ("add", "remove", "repack", act.inside):
            seams.before(type(house.truth), name)
    if act.verb == "add":
        house.gallery.add(seams.between(act.added))
    elif act.verb == "remove":
        house.gallery.remove(act.removed)
    elif act.verb == "search":
        assert house.found(act.searched)
    elif act.verb != "open":
        getattr(house.gallery, act.verb)()
    seams.note("done")


@dataclass
class _Seams:
    notes: Path
    left: int

    def note(self, seam: str) -> None:
        with self.notes.open("a") as notes:
            notes.write(f"{seam}\n")

    def come_to(self, seam: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.note(seam)
            os.kill(os.getpid(), signal.SIGKILL)

    def between(self, things: Sequence[Enrolment]) -> Iterator[Enrolment]:
        for thing in things:
            self.come_to("adding")
            yield thing

    def before(self, owner: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def passing(*args: Any, **options: Any) -> Any:
            self.come_to(name)
            return real(*args, **options)

        setattr(owner, name, passing)

    def half_written(self) -> None:
        """Dies with the first half of a file on the disk, or with all of it under its name."""
        real = os.fsync

        def sync(fd: Any) -> None:
            file = os.fstat(fd)
            if stat.S_ISREG(file.st_mode) and self.left == 1:
                os.truncate(fd, file.st_size // 2)
            self.come_to("fsync")
            real(fd)

        os.fsync = sync


def noting(notes: Path) -> Callable[[QueryMasks], QueryMasks]:
    """``QueryMasks.spend`` that writes down which ones, by a digest."""
    real = QueryMasks.spend

    def spend(masks: QueryMasks) -> QueryMasks:
        with notes.open("a") as used:
            used.write(f"{sha256(masks.shares.share.tobytes() + masks.blinding.factors.tobytes()).hexdigest()}\n")
        return real(masks)

    return spend


def _mine(seams: _Seams) -> None:
    seams.half_written()
    seams.before(GalleryOffice, "create")
    seams.before(GalleryOffice, "erase_before")
    seams.before(BlockFiles, "keep_only")
    for name in ("begin", "reshare", "conclude"):
        seams.before(GalleryDesk, name)
