"""Killed with SIGKILL at any step of a payment: money is neither made nor lost, and every retry hears one outcome.

VEILFACE_TEST_KILLS=100 kills a hundred times instead of once a step.
"""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.processes import Machine
from tests.server.conftest import DatabaseServer, machine_in, with_device
from tests.server.wallet.phone import Phone, new_key
from tests.support import Answer, Message

STEPS = ("claimed", "checked", "held", "decided", "posted", "executed", "concluded", "answered")
PAID_FROM = STEPS.index("concluded")
KILLS = int(os.environ.get("VEILFACE_TEST_KILLS", len(STEPS)))
PAYMENTS_OF_ONE = 8  # the key holder decides twenty times an hour for an account
HOLD_S = 3
AMOUNT = 700


@pytest.fixture(scope="module")
def killing_field(tmp_path_factory: pytest.TempPathFactory, database_server: DatabaseServer) -> Iterator[Machine]:
    """Both programs; the server dies wherever the file ``armed`` says, and holds money for seconds only."""
    with machine_in(tmp_path_factory.mktemp("machine"), database_server) as machine:
        machine.settings["VEILFACE_WALLET_HOLD_S"] = str(HOLD_S)
        with machine.keyholder(), machine.server(killed_at="armed"):
            yield machine


def newcomer(machine: Machine) -> Phone:
    return Phone(with_device(machine.api().register(f"person-{secrets.token_hex(4)}")))


def rich(machine: Machine) -> Phone:
    phone = newcomer(machine)
    assert phone.device.enrol(phone.face).status == 201
    assert phone.post("/top-ups", {"amount": AMOUNT * PAYMENTS_OF_ONE * 2}, key=new_key()).status == 202
    patience = time.monotonic() + 30
    while not phone.balance:
        assert time.monotonic() < patience
        time.sleep(0.5)
    return phone


def retried(machine: Machine, payer: Phone, order: dict[str, Any], message: Message, key: str) -> Answer:
    """What the client hears in the end, and again."""
    patience = time.monotonic() + 60
    while True:
        answer = payer.send(order, message, key=key)
        if answer.status == 200 or answer.code != "wallet.still_working":
            break
        assert time.monotonic() < patience
        time.sleep(0.5)
    again = payer.send(order, message, key=key)
    log = (machine.folder / "server.log").read_text("utf-8")[-6_000:]
    assert (again.status, again.body) == (answer.status, answer.body), log
    return answer


def test_killed_at_every_step_of_a_payment(killing_field: Machine) -> None:
    payee, payer, expected = newcomer(killing_field), rich(killing_field), 0
    for turn in range(KILLS):
        step = turn % len(STEPS)
        if turn and turn % PAYMENTS_OF_ONE == 0:
            payer = rich(killing_field)
        order, key = payer.order(payee.code(AMOUNT)), new_key()
        message, before = payer.message(order), payer.balance
        (killing_field.folder / "armed").write_text(STEPS[step])
        with pytest.raises(httpx.HTTPError):
            payer.send(order, message, key=key)
        answer = retried(killing_field, payer, order, message, key)
        paid = answer.status == 200
        assert paid == (step >= PAID_FROM or step == 0), (STEPS[step], answer.body)
        assert paid or answer.code == "wallet.interrupted", answer.body
        expected += AMOUNT * paid
        assert (payer.balance, payee.balance) == (before - AMOUNT * paid, expected)
        nothing_stays_held(payer)
    books_agree(killing_field)
    assert payer.pay(payee.code(AMOUNT)).json["accepted"]


def nothing_stays_held(phone: Phone) -> None:
    patience = time.monotonic() + 30
    while phone.get()["held"]:
        assert time.monotonic() < patience
        time.sleep(0.5)


def books_agree(machine: Machine) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VEILFACE_")}
    environment = kept | {"VEILFACE_DATABASE_URL": machine.database}
    command = [sys.executable, "-m", "veilface.server.manage", "books"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "held 0" in done.stdout) == (0, True), done.stdout + done.stderr
