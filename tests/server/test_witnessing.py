"""The server keeps the key holder's signed heads: a log that is put back, or of which there are two, shows."""

import json
import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.server.conftest import Switchable
from tests.support import Device, unit
from veilface.keyholder import audit
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.errors import AuditTampered, HeadsUnreadable, KeyHolderUnavailable
from veilface.keyholder.witness import Witness, read
from veilface.protect.errors import BadSignature
from veilface.server import keyholding, witnessing


@pytest.fixture
def heads(site: Settings, tmp_path: Path) -> Path:
    site.AUDIT_HEADS = tmp_path / "heads.jsonl"
    return tmp_path / "heads.jsonl"


@pytest.fixture
def holder_data(keyholder: Switchable, tmp_path: Path) -> Path:
    return tmp_path / "keyholder"


def test_heads_are_kept_once_and_the_log_contains_them(device: Device, holder_data: Path, heads: Path) -> None:
    witnessing.ask_once()
    witnessing.ask_once()
    assert len([*read(heads)]) == 1
    device.enrol(unit(1))
    witnessing.ask_once()
    assert len([*read(heads)]) == 2
    assert heads.stat().st_mode & 0o777 == 0o600
    assert audit.check(holder_data, heads=read(heads)).records == [*read(heads)][-1].index


def test_a_log_put_back_is_told_at_once_and_for_good(
    device: Device, keyholder: Switchable, heads: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    holder_data = tmp_path / "keyholder"
    keyholder.inner.close()
    shutil.copytree(holder_data, tmp_path / "older")
    keyholder.inner = KeyHolder(holder_data)
    device.enrol(unit(1))
    witnessing.ask_once()
    keyholder.inner.close()
    keyholder.inner = KeyHolder(tmp_path / "older")
    witnessing.ask_once()
    assert "audit_head_contradicts" in caplog.text
    keyholder.inner.close()
    with pytest.raises(AuditTampered):
        audit.check(tmp_path / "older", heads=read(heads))


def test_a_foreign_head_is_not_kept(keyholder: Switchable, heads: Path) -> None:
    witness = Witness(file=heads, public_key=keyholding.pinned_public_key())
    head = keyholder.audit_head()
    with pytest.raises(BadSignature):
        witness.note(type(head)(index=head.index + 1, head=head.head, time_ms=head.time_ms, signature=head.signature))
    assert not heads.exists()


def test_a_silent_key_holder_costs_nothing(
    keyholder: Switchable, heads: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keyholder.fails["audit_head"] = KeyHolderUnavailable()
    witnessing.ask_once()
    assert "audit_head_missing" in caplog.text
    assert not heads.exists()


@pytest.mark.parametrize("line", ["", "{}", "[]", '{"index": "x"}', json.dumps({"index": 1, "head": "zz"})])
def test_a_damaged_file_is_told(heads: Path, line: str) -> None:
    heads.write_text(line + "\n", "ascii")
    with pytest.raises(HeadsUnreadable):
        [*read(heads)]
