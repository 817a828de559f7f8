"""Where a device keeps its tokens: one file of mode 0600 for each enrolment, in a folder of mode 0700.

A token belongs to one person. The folder knows whose each is, by the account's id in the file's name, and refuses to
hold one token for two people.
"""

import hmac
import os
from pathlib import Path
from typing import Final

from veilface.protect.errors import SharedToken
from veilface.protect.token import check_token

_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_SUFFIX: Final = ".token"


class TokenFolder:
    """The tokens of one device."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, made with mode 0700 where it is missing."""
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        self._folder = folder

    def keep(self, token: bytes, *, account: bytes, enrolment: bytes) -> None:
        """Store a token (32 B) for an account (16 B) and one of its enrolments (16 B); once, never over another.

        Raises :class:`SharedToken` where another account has the same token, :class:`UnusableToken`, and
        ``FileExistsError`` for an enrolment that has a token.
        """
        check_token(token)
        for other in self._folder.glob(f"*{_SUFFIX}"):
            if not other.name.startswith(account.hex()) and hmac.compare_digest(other.read_bytes(), token):
                raise SharedToken
        descriptor = os.open(self._path(account, enrolment), os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(token)
            file.flush()
            os.fsync(file.fileno())

    def find(self, *, account: bytes, enrolment: bytes) -> bytes | None:
        """The token of an enrolment, or None; raises :class:`UnusableToken` for a damaged file."""
        path = self._path(account, enrolment)
        return check_token(path.read_bytes()) if path.exists() else None

    def discard(self, *, account: bytes, enrolment: bytes) -> None:
        """Forget a token: what it protected can no longer be matched by this device."""
        self._path(account, enrolment).unlink(missing_ok=True)

    def _path(self, account: bytes, enrolment: bytes) -> Path:
        return self._folder / f"{account.hex()}-{enrolment.hex()}{_SUFFIX}"
