"""Tokens are kept for their owner alone, and no crash loses the one that counts."""

import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veilface.protect.errors import SharedToken, UnusableToken
from veilface.protect.token import fresh_token
from veilface.sdk import files
from veilface.sdk.errors import KeyNotTrusted, UnsafeFolder
from veilface.sdk.folder import DeviceFolder
from veilface.sdk.tokens import TokenFolder

ONE, OTHER = (bytes([number]) * 16 for number in (1, 2))
EPOCHS = st.integers(1, 6)
STEPS = st.lists(st.tuples(st.sampled_from(["keep", "crash before", "crash after", "discard"]), EPOCHS), max_size=12)


class PowerCutError(Exception):
    """Nothing that runs here comes after it."""


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_every_token_is_whole_private_and_the_first_of_its_epoch_whatever_was_cut_short(
    steps: list[tuple[str, int]],
) -> None:
    """Against a dictionary; a write is cut short before or after its file takes the place of the old one."""
    with tempfile.TemporaryDirectory() as path, pytest.MonkeyPatch.context() as patches:
        folder, known = TokenFolder(Path(path) / "tokens"), dict[int, bytes]()
        for step, epoch in steps:
            token = fresh_token()
            if step == "discard":
                folder.discard_before(epoch, account=ONE)
                known = {number: kept for number, kept in known.items() if number >= epoch}
                assert len(list(folder.path.glob("*"))) == len(known)
            elif epoch in known:
                with pytest.raises(KeyNotTrusted):
                    folder.keep(token, account=ONE, epoch=epoch)
            elif step == "keep":
                folder.keep(token, account=ONE, epoch=epoch)
                known[epoch] = token
            else:
                with power_cut(patches, before=step == "crash before"), pytest.raises(PowerCutError):
                    folder.keep(token, account=ONE, epoch=epoch)
                known |= {} if step == "crash before" else {epoch: token}
        assert {epoch: folder.find(account=ONE, epoch=epoch) for epoch in range(1, 7)} == {
            epoch: known.get(epoch) for epoch in range(1, 7)
        }
        assert (folder.newest(account=ONE), folder.newest(account=OTHER)) == (max(known, default=0), 0)
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.path.glob("*")} <= {0o600}
        folder.clear()
        assert not folder.path.exists()


@contextmanager
def power_cut(patches: pytest.MonkeyPatch, *, before: bool) -> Iterator[None]:
    def cut(*_: object) -> None:
        raise PowerCutError

    with patches.context() as changed:
        changed.setattr(*((Path, "replace", cut) if before else (files, "_sync_names", cut)))
        yield


def test_the_folder_is_private_and_goes_with_the_device(tmp_path: Path) -> None:
    folder = DeviceFolder(tmp_path / "device")
    folder.prepare()
    folder.tokens.keep(fresh_token(), account=ONE, epoch=1)
    assert stat.S_IMODE((tmp_path / "device" / "tokens").stat().st_mode) == 0o700
    folder.clear()
    assert list((tmp_path / "device").iterdir()) == []


@pytest.mark.parametrize("opened", ["tokens", f"tokens/{ONE.hex()}-1.token"])
def test_a_token_others_can_read_is_refused(tmp_path: Path, opened: str) -> None:
    tokens = TokenFolder(tmp_path / "tokens")
    tokens.keep(fresh_token(), account=ONE, epoch=1)
    path = tmp_path / opened
    path.chmod(path.stat().st_mode | 0o044)
    with pytest.raises(UnsafeFolder):
        tokens.find(account=ONE, epoch=1)


def test_one_token_is_not_kept_for_two_people(tmp_path: Path) -> None:
    tokens, token = TokenFolder(tmp_path / "tokens"), fresh_token()
    tokens.keep(token, account=ONE, epoch=1)
    with pytest.raises(SharedToken):
        tokens.keep(token, account=OTHER, epoch=1)
    assert tokens.find(account=OTHER, epoch=1) is None
    tokens.keep(fresh_token(), account=OTHER, epoch=1)
    tokens.discard_before(2, account=OTHER)
    assert tokens.find(account=ONE, epoch=1) == token


def test_what_nobody_drew_is_not_kept_and_damage_is_noticed(tmp_path: Path) -> None:
    tokens = TokenFolder(tmp_path / "tokens")
    with pytest.raises(UnusableToken):
        tokens.keep(bytes(32), account=ONE, epoch=1)
    assert list(tmp_path.iterdir()) == []
    tokens.keep(fresh_token(), account=ONE, epoch=1)
    next(tokens.path.iterdir()).write_bytes(b"short")
    with pytest.raises(UnusableToken):
        tokens.find(account=ONE, epoch=1)
