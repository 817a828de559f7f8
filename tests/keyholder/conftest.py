"""A key holder with a clock that can be set, and a person with a device who talks to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keyholder.people import Clock, Person
from veilface.keyholder import core
from veilface.keyholder.core import KeyHolder
from veilface.protect import envelope


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "keyholder"
    core.initialise(folder)
    return folder


@pytest.fixture
def holder(data: Path, clock: Clock) -> Iterator[KeyHolder]:
    with KeyHolder(data, clock=clock) as opened:
        yield opened


@pytest.fixture
def person(holder: KeyHolder) -> Person:
    """Somebody with a registered device and nothing enrolled."""
    registered = Person(holder)
    registered.register()
    return registered


@pytest.fixture
def enrolled(person: Person) -> Person:
    """Somebody whose face is enrolled."""
    assert person.enrol().outcome == envelope.Outcome.ACCEPTED
    return person
