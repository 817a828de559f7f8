"""Tokens are kept for their owner alone."""

import stat
from pathlib import Path

import pytest

from veilface.protect.custody import TokenFolder
from veilface.protect.errors import SharedToken, UnusableToken
from veilface.protect.token import fresh_token

ONE, OTHER, FIRST, SECOND = (bytes([number]) * 16 for number in range(1, 5))


def test_a_kept_token_is_found_and_private(tmp_path: Path) -> None:
    folder, token = TokenFolder(tmp_path / "tokens"), fresh_token()
    folder.keep(token, account=ONE, enrolment=FIRST)
    assert TokenFolder(tmp_path / "tokens").find(account=ONE, enrolment=FIRST) == token
    (kept,) = (tmp_path / "tokens").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tokens").stat().st_mode) == 0o700


def test_one_token_is_not_kept_for_two_people(tmp_path: Path) -> None:
    folder, token = TokenFolder(tmp_path), fresh_token()
    folder.keep(token, account=ONE, enrolment=FIRST)
    with pytest.raises(SharedToken):
        folder.keep(token, account=OTHER, enrolment=FIRST)
    assert folder.find(account=OTHER, enrolment=FIRST) is None
    assert len(list(tmp_path.iterdir())) == 1


def test_a_token_is_never_replaced(tmp_path: Path) -> None:
    folder, token = TokenFolder(tmp_path), fresh_token()
    folder.keep(token, account=ONE, enrolment=FIRST)
    with pytest.raises(FileExistsError):
        folder.keep(fresh_token(), account=ONE, enrolment=FIRST)
    assert folder.find(account=ONE, enrolment=FIRST) == token


def test_renewal_leaves_the_old_token_until_it_is_discarded(tmp_path: Path) -> None:
    folder, old, new = TokenFolder(tmp_path), fresh_token(), fresh_token()
    folder.keep(old, account=ONE, enrolment=FIRST)
    folder.keep(new, account=ONE, enrolment=SECOND)
    assert folder.find(account=ONE, enrolment=FIRST) == old
    folder.discard(account=ONE, enrolment=FIRST)
    folder.discard(account=ONE, enrolment=FIRST)
    assert folder.find(account=ONE, enrolment=FIRST) is None
    assert folder.find(account=ONE, enrolment=SECOND) == new


def test_what_nobody_drew_is_not_kept_and_damage_is_noticed(tmp_path: Path) -> None:
    folder = TokenFolder(tmp_path)
    with pytest.raises(UnusableToken):
        folder.keep(bytes(32), account=ONE, enrolment=FIRST)
    assert list(tmp_path.iterdir()) == []
    folder.keep(fresh_token(), account=ONE, enrolment=FIRST)
    next(tmp_path.iterdir()).write_bytes(b"short")
    with pytest.raises(UnusableToken):
        folder.find(account=ONE, enrolment=FIRST)
