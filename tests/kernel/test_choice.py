"""The kernel is chosen by the machine, or by whoever tests."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("wanted", "says"), [("numpy", "numpy False"), ("abacus", "not on this machine")])
def test_the_environment_chooses(wanted: str, says: str) -> None:
    command = "from veilface.kernel import choice, transforms; print(choice.instructions, transforms.available)"
    ran = subprocess.run(
        [sys.executable, "-c", command], env={"VEILFACE_KERNEL": wanted}, capture_output=True, text=True, check=False
    )
    assert says in ran.stdout + ran.stderr
