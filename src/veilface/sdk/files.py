"""Files that nobody else on this machine may read: mode 0600, in folders of mode 0700, replaced whole.

A crash leaves the old content or the new one, and whoever was told that a file is written finds it after a power cut.
"""

import os
import stat
from pathlib import Path
from typing import Final

from veilface.sdk.errors import UnsafeFolder

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
UNFINISHED: Final = ".new"


def check_private(path: Path) -> None:
    """Raises :class:`UnsafeFolder` where others may read, write or list ``path``."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise UnsafeFolder(path=str(path))


def make_private_folder(path: Path) -> None:
    """Makes the folder where it is missing; raises :class:`UnsafeFolder` for one that others can look into."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    check_private(path)


def read_private(path: Path) -> bytes:
    """The file's content; raises :class:`UnsafeFolder` unless it and its folder are private."""
    check_private(path.parent)
    check_private(path)
    return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Puts ``content`` on the disk in place of the file, if there is one."""
    temporary = path.with_name(f".{path.name}{UNFINISHED}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_names(path.parent)


def _sync_names(folder: Path) -> None:
    """A new name is durable only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
