"""A key holder with a clock that can be set, one behind its wall, and a person with a device who talks to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keyholder.people import Clock, Person
from tests.keyholder.walls import Running, free_port, start, stop
from veilface.keyholder import core, service
from veilface.keyholder.client import RemoteKeyHolder
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


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A key holder's process, which ends cleanly and without a traceback in its log."""
    folder = tmp_path_factory.mktemp("wall")
    service.initialise(folder / "keyholder", server_credentials=folder / "server")
    begun = start(folder / "keyholder", folder / "server", folder / "log", free_port())
    yield begun
    assert stop(begun) == 0
    assert b"Traceback" not in begun.log.read_bytes()


@pytest.fixture
def remote(running: Running) -> Iterator[RemoteKeyHolder]:
    """The server's way to it."""
    with running.client() as client:
        yield client
