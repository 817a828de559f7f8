"""``python -m veilface.bench.filling FOLDER PEOPLE``: a gallery of so many drawn people, before any program runs.

It works on the folders of both programs at once, which only a measurement may. A process of its own, with no setting of
the one that starts it, so that it can touch no other database. It prints a JSON object a line: how far it is, and at
last the code by which a kiosk joins.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from veilface import launcher
from veilface.evaluate.drawn_gallery import drawn_blocks
from veilface.evaluate.synthetic import unit_vectors
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.gallery_keys import GalleryKeys
from veilface.keyholder.keys import KeyEncryptionKey, kek_path
from veilface.keyholder.store import Store
from veilface.match.block_files import BlockFiles
from veilface.match.gallery_truth import Placed
from veilface.protect.gallery import EpochKeys, GallerySecretKey
from veilface.server import run

if TYPE_CHECKING:
    from veilface.server.galleries.models import Gallery

NAME: Final = "bench"
FACE: Final = unit_vectors("veilface bench http", 1)[0]
Advance = Callable[[int, int], None]


def filled(data: Path, *, people: int, advance: Advance) -> str:
    """Fill a gallery in ``data`` from a process of its own; the code by which a kiosk joins it.

    Raises ``subprocess.CalledProcessError``.
    """
    command = [sys.executable, "-m", __name__, str(data), str(people)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(launcher.PREFIX)}
    said: dict[str, object] = {}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            said = json.loads(line)
            if "done" in said:
                advance(int(str(said["done"])), int(str(said["total"])))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return str(said["code"])


def fill(data: Path, people: int, advance: Advance) -> str:
    """Make both programs' folders, a gallery and the blocks of its people; a code by which a kiosk joins."""
    server, keyholder = data / "server", data / "keyholder"
    launcher.prepare(server, keyholder)
    run.configure(server, origin="", keyholder_url="", keyholder_credentials=server / "keyholder")
    run.open_database()
    from veilface.server.galleries import operating
    from veilface.server.galleries.models import Block

    gallery = operating.create(name=NAME, purpose=NAME, may_register=True)
    keys, secret = _keys(keyholder, gallery.wire_id, gallery.epoch)
    files = BlockFiles(server / "galleries" / gallery.id)
    drawn = drawn_blocks(secret, keys.scan_fp, files, people=people, kind=Block.Kind.KIOSK, away_from=FACE)
    for number, placed in enumerate(drawn, start=1):
        _enter(gallery, placed)
        advance(number * placed.packed, people)
    return operating.invite(gallery)


def _keys(keyholder: Path, gallery: bytes, epoch: int) -> tuple[EpochKeys, GallerySecretKey]:
    with KeyHolder(keyholder) as holder:
        keys = holder.gallery_create(gallery=gallery, epoch=epoch)
    store = Store(keyholder)
    secret = GalleryKeys(store, KeyEncryptionKey.load(kek_path(keyholder))).open(gallery, epoch).secret
    store.close()
    return keys, secret


def _enter(gallery: "Gallery", placed: Placed) -> None:
    from django.db import transaction

    from veilface.server.galleries.models import Block, Member

    with transaction.atomic():
        block = Block.objects.create(
            id=placed.block.hex(),
            gallery=gallery,
            checksum=placed.checksum.hex(),
            key_fp=placed.key_fp.hex(),
            kind=placed.kind,
            packed=placed.packed,
        )
        Member.objects.bulk_create(
            Member(id=member.hex(), gallery=gallery, name=NAME, block=block, slot=slot)
            for slot, member in placed.members.items()
        )


def _tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _tell(code=fill(Path(sys.argv[1]), int(sys.argv[2]), lambda done, total: _tell(done=done, total=total)))
