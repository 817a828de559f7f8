"""Killed with SIGKILL anywhere, the server loses nothing: real processes, TLS, a real restart."""

import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.processes import Machine
from tests.server.conftest import DatabaseServer, machine_in, with_device
from tests.support import PASSWORD, Device, Message, unit
from veilface.protect.envelope import LABEL_LOGIN

ME, NEW = unit(1), unit(2)


@pytest.fixture(scope="module")
def killing_field(tmp_path_factory: pytest.TempPathFactory, database_server: DatabaseServer) -> Iterator[Machine]:
    """A machine whose key holder runs all the time."""
    with machine_in(tmp_path_factory.mktemp("machine"), database_server) as machine, machine.keyholder():
        yield machine


def newcomer(machine: Machine) -> Device:
    return with_device(machine.api().register(f"person-{secrets.token_hex(4)}"))


@contextmanager
def dying(machine: Machine, seam: str) -> Iterator[None]:
    """A server that must have killed itself at ``seam`` by the end of the block."""
    with machine.server(killed_at=seam) as process:
        yield
        assert process.wait(30) == -signal.SIGKILL


def cut_short(device: Device, path: str, message: Message) -> None:
    with pytest.raises(httpx.HTTPError):
        device.api.octets(path, device.sealed(message))


@pytest.mark.parametrize(
    ("seam", "works", "does_not", "schemes"),
    [
        ("accepted", 1, 2, ("homomorphic", "ranking")),
        ("stored", 1, 2, ("negative", "homomorphic")),
        ("activated", 2, 1, ("homomorphic", "homomorphic")),
        ("finished", 2, 1, ("ranking", "negative")),
    ],
)
def test_killed_while_enrolling_again(
    killing_field: Machine, seam: str, works: int, does_not: int, schemes: tuple[str, str]
) -> None:
    """With the same protection or another one; the token of the template that works is still the device's to use."""
    with dying(killing_field, f"{seam}:2"):
        device = newcomer(killing_field)
        device.scheme, tokens = schemes[0], [device.token, secrets.token_bytes(32)]
        assert device.enrol(ME).status == 201
        device.scheme, device.token = schemes[1], tokens[1]
        cut_short(device, "/enrolments", device.enrolment(NEW, password=PASSWORD))
    device.scheme, device.token = schemes[works - 1], tokens[works - 1]
    with killing_field.server():
        assert device.accepted(unit(works))
        assert not device.accepted(unit(does_not))
        assert device.person.profile()["template"]["state"] == "active"
        assert device.enrol(NEW, password=PASSWORD).status == 201
        assert device.accepted(NEW)
        assert len(device.api.get("/templates").json) == 1


def test_killed_during_the_first_enrolment(killing_field: Machine) -> None:
    with dying(killing_field, "stored:1"):
        device = newcomer(killing_field)
        cut_short(device, "/enrolments", device.enrolment(ME))
    with killing_field.server():
        assert device.challenge("verify", device.person.context(LABEL_LOGIN)).code == "keyholder.not_enrolled"
        assert device.person.profile()["template"] is None
        assert device.enrol(ME).status == 201
        assert device.accepted(ME)


@pytest.mark.parametrize("seam", ["erased", "removed"])
def test_killed_while_deleting(killing_field: Machine, seam: str) -> None:
    with dying(killing_field, f"{seam}:1"):
        device = newcomer(killing_field)
        assert device.enrol(ME).status == 201
        template, message = device.deletion()
        cut_short(device, f"/templates/{template}/deletion", message)
    with killing_field.server():
        assert device.challenge("verify", device.person.context(LABEL_LOGIN)).code == "keyholder.not_enrolled"
        assert device.person.profile()["template"] is None
        assert device.api.get(f"/templates/{template}/data").status == 404
        assert device.enrol(ME).status == 201


def test_the_key_holders_process_stops_and_comes_back(machine: Machine) -> None:
    with machine.server():
        with machine.keyholder():
            device = newcomer(machine)
            assert device.enrol(ME).status == 201
            message = device.sealed(device.verification(ME))
        answer = device.api.octets("/verifications", message)
        assert (answer.status, answer.code) == (503, "server.keyholder_down")
        while device.api.get("/health").json["keyholder"] == "ok":
            time.sleep(0.05)
        assert device.api.get("/health").json == {"server": "ok", "database": "ok", "keyholder": "down"}
        with machine.keyholder():
            assert device.accepted(ME)
            assert not device.accepted(NEW)
