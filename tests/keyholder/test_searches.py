"""Galleries at the key holder: who may search, whom a gallery may hold, and what is written down of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keyholder.kiosks import FRIEND, Hall
from tests.keyholder.people import FACE, STRANGER
from veilface.keyholder.core import KeyHolder


@pytest.fixture
def hall(holder: KeyHolder, tmp_path: Path) -> Iterator[Hall]:
    made = Hall(holder, tmp_path)
    yield made
    made.close()


def test_those_who_joined_are_found_by_a_kiosk_and_nobody_else(hall: Hall) -> None:
    person = hall.joined(FACE)
    friend = hall.registered(FRIEND)
    hall.gallery.pack()
    assert hall.search(FACE)[0].persons == (person.account,)
    assert hall.search(FRIEND)[0].persons == (friend,)
    assert hall.search(STRANGER)[0].persons == ()
    hall.gallery.rotate()
    assert hall.search(FRIEND)[0].persons == (friend,), "the ingest key survives a rotation"
    assert hall.search(FACE)[0].persons == (person.account,)
