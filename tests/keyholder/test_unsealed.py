"""Opened keys leave memory: when their time is over, when they are erased, and when the key holder closes."""

import threading
import time
from pathlib import Path

import pytest

from tests.keyholder.people import Clock, Person
from veilface.keyholder.core import KeyHolder
from veilface.keyholder.decide import prepare
from veilface.keyholder.epochs import Epoch
from veilface.keyholder.keys import KeyEncryptionKey
from veilface.keyholder.unsealed import UnsealedKeys
from veilface.protect.envelope import MessageType
from veilface.protect.rlwe import SecretKey, generate_key
from veilface.protect.suites import Suite


@pytest.fixture(scope="module")
def secret() -> bytes:
    return generate_key()[0].pack()


@pytest.fixture
def kek(tmp_path: Path) -> KeyEncryptionKey:
    return KeyEncryptionKey.create(tmp_path / "kek.bin")


def epoch(kek: KeyEncryptionKey, secret: bytes, *, number: int = 1) -> Epoch:
    account = bytes(16)
    return Epoch(
        account=account,
        number=number,
        suite=Suite.HOMOMORPHIC,
        key_fp=bytes([number]) * 32,
        wrapped=kek.wrap(secret, bound_to=account + number.to_bytes(4, "big")),
        model_fp=None,
        template_hash=None,
    )


def until_empty(keys: UnsealedKeys) -> None:
    deadline = time.monotonic() + 10
    while keys._keys:
        assert time.monotonic() < deadline, "an opened key stayed"
        time.sleep(0.01)


def test_an_idle_holder_lets_every_key_go(kek: KeyEncryptionKey, secret: bytes) -> None:
    """Nobody asks for anything after the keys were opened."""
    keys = UnsealedKeys(kek, lifetime_s=0.3)
    for number in (1, 2):
        keys.get(epoch(kek, secret, number=number))
    until_empty(keys)
    keys.get(epoch(kek, secret))  # and the thread goes on when there was nothing left
    until_empty(keys)
    keys.close()


def test_a_key_is_opened_once_in_its_lifetime(kek: KeyEncryptionKey, secret: bytes) -> None:
    keys = UnsealedKeys(kek)
    assert keys.get(epoch(kek, secret)) is keys.get(epoch(kek, secret))
    keys.close()


@pytest.mark.parametrize("meanwhile", ["drop", "close"])
def test_a_key_erased_while_it_is_opened_does_not_come_back(
    kek: KeyEncryptionKey, secret: bytes, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, wanted = UnsealedKeys(kek), epoch(kek, secret)
    opening, erased = threading.Event(), threading.Event()

    def slow(packed: bytes) -> SecretKey:
        opening.set()
        assert erased.wait(10)
        return prepare(packed)

    monkeypatch.setattr("veilface.keyholder.unsealed.prepare", slow)
    asking = threading.Thread(target=keys.get, args=(wanted,))
    asking.start()
    assert opening.wait(10)
    if meanwhile == "drop":
        keys.drop(wanted.key_fp)
    else:
        keys.close()
    erased.set()
    asking.join(10)
    assert not asking.is_alive()
    assert not keys._keys
    keys.close()


def test_a_closed_key_holder_holds_no_key_and_no_thread(data: Path, clock: Clock) -> None:
    with KeyHolder(data, clock=clock) as holder:
        person = Person(holder)
        person.register()
        person.grant(MessageType.ENROL)
        keys = holder._office.unsealed
        assert keys._keys
    assert not keys._keys
    assert not keys._expiry.is_alive()
    holder.close()
