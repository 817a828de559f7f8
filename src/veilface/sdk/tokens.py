"""Where a device keeps the tokens of its keyed protections: a file of mode 0600 for each epoch of an account.

A token is on the disk before a template made with it leaves the device, and the one before it goes only when the new
epoch is known to be current: killed anywhere, the device still has the token of the template that counts. A token
belongs to one person. The folder knows whose each is, by the account's id in the file's name, and refuses to hold one
token for two people.
"""

import hmac
from pathlib import Path
from typing import Final

from veilface.protect.errors import SharedToken
from veilface.protect.token import check_token
from veilface.sdk.errors import KeyNotTrusted
from veilface.sdk.files import UNFINISHED, make_private_folder, read_private, write_private

SUFFIX: Final = ".token"


class TokenFolder:
    """The tokens in ``path``, which is made when the first is kept. One program at a time: the caller has the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, token: bytes, *, account: bytes, epoch: int) -> None:
        """Stores a token (32 B) for an epoch of an account (16 B).

        An epoch has one token for ever: of one that is offered again, the answer may have been lost, and then its
        token is the one that counts. Raises :class:`KeyNotTrusted` for such an epoch, :class:`SharedToken` where
        another account has the same token, :class:`UnusableToken`, and :class:`UnsafeFolder`.
        """
        check_token(token)
        make_private_folder(self.path)
        if self._file(account, epoch).exists():
            raise KeyNotTrusted(check="epoch")
        for other in self.path.glob(f"*{SUFFIX}"):
            if _owner(other) != account.hex() and hmac.compare_digest(read_private(other), token):
                raise SharedToken
        write_private(self._file(account, epoch), token)

    def find(self, *, account: bytes, epoch: int) -> bytes | None:
        """The token of an epoch, or None where this device has none.

        Raises :class:`UnusableToken` for a damaged file, and :class:`UnsafeFolder`.
        """
        file = self._file(account, epoch)
        return check_token(read_private(file)) if file.exists() else None

    def newest(self, *, account: bytes) -> int:
        """The highest epoch that this account has a token of, or 0."""
        whole = self.path.glob(f"*{SUFFIX}")
        return max((_epoch(file) for file in whole if _owner(file) == account.hex()), default=0)

    def discard_before(self, epoch: int, *, account: bytes) -> None:
        """Forgets the account's tokens of earlier epochs, and what a crash left half-written."""
        for file in self._files():
            if file.name.endswith(UNFINISHED) or (_owner(file) == account.hex() and _epoch(file) < epoch):
                file.unlink()

    def clear(self) -> None:
        """Forgets every token: what they protected can no longer be matched by this device."""
        for file in self._files():
            file.unlink()
        if self.path.exists():
            self.path.rmdir()

    def _files(self) -> list[Path]:
        return list(self.path.glob(f"*{SUFFIX}*"))

    def _file(self, account: bytes, epoch: int) -> Path:
        return self.path / f"{account.hex()}-{epoch}{SUFFIX}"


def _owner(file: Path) -> str:
    return file.name.partition("-")[0]


def _epoch(file: Path) -> int:
    return int(file.name.removesuffix(SUFFIX).partition("-")[2])
