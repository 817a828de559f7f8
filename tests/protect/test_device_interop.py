"""What the browser's code encrypts – node-seal 7, SEAL 4.1.2 in WebAssembly – the key holder's SEAL 4.4 accepts."""

import base64
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.match.parties import Account, unit
from tests.protect.node import node
from veilface.keyholder.audit import Cause

WEB = Path(__file__).resolve().parents[2] / "web"


@pytest.fixture(scope="module")
def account() -> Account:
    return Account()


def encrypted_by_node(account: Account, kind: str, embedding: list[float]) -> bytes:
    request = {"kind": kind, "embedding": embedding, "publicKey": base64.b64encode(account.public).decode()}
    command = [node(), "tests/protect/encrypt-in-node.js"]
    done = subprocess.run(command, cwd=WEB, input=json.dumps(request), capture_output=True, text=True, check=True)
    return base64.b64decode(done.stdout)


def test_a_template_and_a_probe_made_in_node_are_accepted(account: Account) -> None:
    embedding = unit(0).astype(np.float32)
    template = encrypted_by_node(account, "template", embedding.tolist())
    probe = encrypted_by_node(account, "probe", embedding.tolist())
    assert len(template) == len(probe) == 73_728
    assert account.enrolment_verdict(template) == Cause.NONE
    assert account.verdict(template, probe, threshold=0.99) == Cause.NONE
    assert account.verdict(account.template(unit(0)), probe, threshold=0.99) == Cause.NONE
    assert account.verdict(template, account.probe(unit(0)), threshold=0.99) == Cause.NONE
    assert account.verdict(template, account.probe(unit(1))) == Cause.SCORE
