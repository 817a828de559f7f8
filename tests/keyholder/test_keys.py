"""The key-encryption key: apart from the database, and bound to what it wraps."""

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from tests.keyholder.people import Clock, Person
from veilface.keyholder import core, errors
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.keys import KEK_FILE_NAME, KEK_VARIABLE, KeyEncryptionKey
from veilface.keyholder.store import FILE_NAME
from veilface.protect.envelope import MessageType
from veilface.protect.rlwe import SecretKey


@pytest.fixture
def kek(tmp_path: Path) -> KeyEncryptionKey:
    return KeyEncryptionKey.create(tmp_path / "one" / "kek.bin")


def test_what_is_wrapped_is_bound_to_its_purpose(kek: KeyEncryptionKey, tmp_path: Path) -> None:
    wrapped = kek.wrap(b"secret", bound_to=b"account, epoch 1")
    assert kek.unwrap(wrapped, bound_to=b"account, epoch 1") == b"secret"
    other = KeyEncryptionKey.create(tmp_path / "two" / "kek.bin")
    changed = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    for key, content, purpose in (
        (kek, wrapped, b"account, epoch 2"),
        (kek, changed, b"account, epoch 1"),
        (other, wrapped, b"account, epoch 1"),
    ):
        with pytest.raises(InvalidTag):
            key.unwrap(content, bound_to=purpose)


def test_the_same_secret_is_never_wrapped_alike(kek: KeyEncryptionKey) -> None:
    assert kek.wrap(b"secret", bound_to=b"") != kek.wrap(b"secret", bound_to=b"")


def test_a_row_moved_to_another_account_opens_nothing(holder: KeyHolder) -> None:
    """The key is bound to account and epoch, so a database editor cannot pass one person's key for another's."""
    first, second = Person(holder), Person(holder)
    for person in (first, second):
        person.register()
        person.enrol()
    office = holder._office
    with office.store.transaction() as db:
        (wrapped,) = db.execute("SELECT wrapped FROM epochs WHERE account = ?", (first.account,)).fetchone()
        db.execute("UPDATE epochs SET wrapped = ? WHERE account = ?", (wrapped, second.account))
    office.unsealed._keys.clear()
    with pytest.raises(errors.KeyHolderStorageFailed):
        second.grant(MessageType.VERIFY)


def test_the_secret_is_nowhere_on_disk_in_clear(person: Person, holder: KeyHolder, data: Path) -> None:
    person.grant(MessageType.ENROL)
    with holder._office.store.reading() as db:
        (wrapped,) = db.execute("SELECT wrapped FROM epochs").fetchone()
    secret = holder._office.kek.unwrap(wrapped, bound_to=person.account + (1).to_bytes(4, "big"))
    assert SecretKey.unpack(secret).pack() == secret
    for path in data.iterdir():
        assert secret[:64] not in path.read_bytes(), path


def test_the_key_file_may_live_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "vault" / "kek.bin"
    monkeypatch.setenv(KEK_VARIABLE, str(elsewhere))
    core.initialise(tmp_path / "keyholder")
    assert elsewhere.stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "keyholder" / KEK_FILE_NAME).exists()
    with KeyHolder(tmp_path / "keyholder") as holder:
        assert holder.identity().public_key
    monkeypatch.delenv(KEK_VARIABLE)
    with pytest.raises(errors.KeyHolderMisconfigured):
        KeyHolder(tmp_path / "keyholder")
    with KeyHolder(tmp_path / "keyholder", kek_file=elsewhere) as holder:
        assert holder.identity().public_key


def test_a_lost_key_file_is_never_replaced_in_silence(data: Path) -> None:
    (data / KEK_FILE_NAME).unlink()
    for attempt in (core.initialise, KeyHolder):
        with pytest.raises(errors.KeyHolderMisconfigured):
            attempt(data)
    assert not (data / KEK_FILE_NAME).exists()


def test_a_foreign_key_file_opens_nothing(data: Path, tmp_path: Path, clock: Clock) -> None:
    KeyEncryptionKey.create(tmp_path / "other.bin")
    with pytest.raises(errors.KeyHolderMisconfigured):
        KeyHolder(data, kek_file=tmp_path / "other.bin", clock=clock)
    with KeyHolder(data, clock=clock) as holder:  # and the refused start left the folder free
        assert holder.identity().public_key


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_others_can_read_is_refused(data: Path, mode: int) -> None:
    (data / KEK_FILE_NAME).chmod(mode)
    with pytest.raises(errors.KeyHolderMisconfigured):
        KeyHolder(data)


@pytest.mark.parametrize("content", [b"", bytes(31), bytes(33)])
def test_a_key_file_of_another_length_is_refused(data: Path, content: bytes) -> None:
    (data / KEK_FILE_NAME).write_bytes(content)
    with pytest.raises(errors.KeyHolderMisconfigured):
        KeyHolder(data)


def test_the_database_alone_opens_nothing(data: Path, tmp_path: Path) -> None:
    stolen = tmp_path / "stolen"
    stolen.mkdir()
    (stolen / FILE_NAME).write_bytes((data / FILE_NAME).read_bytes())
    with pytest.raises(errors.KeyHolderMisconfigured):
        KeyHolder(stolen)
