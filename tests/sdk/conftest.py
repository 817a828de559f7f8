"""A real server and a real key holder on free ports, and devices whose faces are vectors of nobody."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import PASSWORD, near, unit
from veilface import launcher
from veilface.face.pipeline import FacePipeline
from veilface.sdk import Device

ME, STRANGER = b"me", b"a stranger"


class NobodysFaces(FacePipeline):
    """Measures a 'picture' by its first bytes: everything but the models is real."""

    def embedding(self, data: Any, *, require_quality: bool = False) -> Any:  # noqa: ARG002 – a vector is always good
        vector = near(unit(1), cosine=0.8, seed=len(data)) if data.startswith(ME) else unit(2)
        return np.asarray(vector, np.float32)


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[launcher.Running]:
    with launcher.running(tmp_path_factory.mktemp("data"), port=launcher.free_port(), settings={}) as running:
        yield running


USERS = count()


@pytest.fixture
def device(pair: launcher.Running, tmp_path: Path) -> Device:
    """A new account with this device as its first."""
    return Device.register(
        tmp_path / "device",
        server=pair.url,
        username=f"person{next(USERS)}",
        password=PASSWORD,
        accept_terms=True,
        faces=NobodysFaces(),
    )
