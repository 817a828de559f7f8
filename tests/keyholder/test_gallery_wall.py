"""Galleries across the wall: a real process, real TLS, large messages of exactly the sizes they may have."""

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.keyholder.kiosks import FRIEND, Hall
from tests.keyholder.people import FACE, STRANGER, dump
from tests.keyholder.walls import Running
from veilface.keyholder import errors
from veilface.keyholder import gallery_messages as wire
from veilface.keyholder.client import RemoteKeyHolder
from veilface.keyholder.gallery_errors import GalleryUnknown, PackUnknown, QueryUnknown
from veilface.protect.gallery import RESULT, SCAN, SLOTS


def test_a_gallery_lives_across_the_wall(remote: RemoteKeyHolder, running: Running, tmp_path: Path) -> None:
    with closing(Hall(remote, tmp_path)) as hall:
        person, friend = hall.joined(FACE), hall.registered(FRIEND)
        hall.gallery.pack()
        assert hall.search(FACE)[0].persons == (person.account,)
        hall.gallery.rotate()
        assert hall.search(FRIEND)[0].persons == (friend.person,)
        assert hall.search(STRANGER)[0].persons == ()
        remote.gallery_drop(gallery=hall.kiosk.account, account=person.account)
        remote.gallery_revoke_kiosk(gallery=hall.kiosk.account, device_id=hall.kiosk.device)
        with pytest.raises(errors.DeviceNotActive):
            hall.search(FACE)
        remote.gallery_forget(gallery=hall.kiosk.account)
        log = running.log.read_text()
        assert "identify_conclude" in log
        for value in (hall.kiosk.account, hall.kiosk.device, person.account, friend.person):
            assert value.hex() not in log
        with pytest.raises(GalleryUnknown):
            hall.search(FACE)


def ask(running: Running, verb: str, body: bytes) -> tuple[int, str]:
    with closing(running.raw()) as connection:
        connection.request("POST", f"/v1/{verb}", body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())["code"]


@pytest.mark.parametrize("verb", wire.REQUESTS)
def test_a_body_of_another_length_is_refused(running: Running, verb: str) -> None:
    before, lengths = dump(running.data), wire.REQUESTS[verb].lengths
    shortest, longest = min(lengths), max(lengths)
    wrong = {0, shortest - 1, shortest + 1} - set(lengths)
    for length in wrong:
        assert ask(running, verb, bytes(length)) == (400, "keyholder.malformed"), length
    with closing(running.raw()) as connection:  # not one byte of it is sent
        connection.putrequest("POST", f"/v1/{verb}")
        connection.putheader("Content-Length", str(longest + (lengths.step if isinstance(lengths, range) else 1)))
        connection.endheaders()
        assert connection.getresponse().status == 400
    assert dump(running.data) == before


@pytest.mark.parametrize("verb", [verb for verb in wire.REQUESTS if verb != "gallery_create"])
def test_garbage_of_the_right_length_is_refused(running: Running, verb: str) -> None:
    before = dump(running.data)
    status, code = ask(running, verb, bytes([255]) * min(wire.REQUESTS[verb].lengths))
    assert status in {400, 404, 409}
    assert code in errors.by_code()
    assert dump(running.data) == before


def test_a_million_templates_fit_and_not_one_block_more(remote: RemoteKeyHolder) -> None:
    shares = np.zeros((wire.MOST_PLACES, 3, SLOTS), np.uint32)
    blinded = np.zeros((wire.MOST_PLACES // 2, 3, len(RESULT), 2 * SLOTS), np.uint32)
    for refused, more in ((QueryUnknown, 0), (errors.Malformed, 2)):
        with pytest.raises(refused):
            remote.identify_reshare(query=bytes(16), shares=np.resize(shares, (len(shares) + more, *shares.shape[1:])))
        with pytest.raises(refused):
            remote.identify_conclude(
                query=bytes(16), blinded=np.resize(blinded, (len(blinded) + more, *blinded.shape[1:]))
            )
    assert wire.reshared_bytes(wire.MOST_PLACES) < 26_000_000
    assert SCAN.n == SLOTS
    with pytest.raises(PackUnknown):
        remote.gallery_pack_end(pack=bytes(16))
