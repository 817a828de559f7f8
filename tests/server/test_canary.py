"""No embedding and no token reaches the server or the key holder: enrol a marked one, then look for it everywhere."""

import base64
import json
import math
import re
import secrets
import struct
from pathlib import Path

import pytest

from tests.canary import Haystacks, needles_of, search, search_bytes
from tests.processes import Machine
from tests.server.conftest import DatabaseServer, with_device
from tests.support import PASSWORD, Device, near, unit
from veilface.protect.scheme import OpenProtection, protections

MARKED = unit(20_261_122)
AROUND = b"\x00\xffnoise around it \x80" * 3
HAYSTACKS = Haystacks(needles_of(MARKED))
FORMS = sorted({needle.form for needle in HAYSTACKS.needles})


def test_a_marked_embedding_is_nowhere(machine: Machine, database_server: DatabaseServer) -> None:
    """Both folders, the database's files, the logs at their most talkative, and every temporary file."""
    probe = near(MARKED, cosine=0.9)
    places = (machine.folder, database_server.folder)
    tokens, scores = [], []
    with machine.keyholder(), machine.server():
        device = with_device(machine.api().register("person-one"))
        for known in protections():
            device.scheme, device.token = known.name, secrets.token_bytes(32)
            data = enrolled_template(device)
            assert not device.accepted(unit(2))
            sent = [device.verification(one) for one in (MARKED, probe)]
            assert all(device.api.octets("/verifications", device.sealed(one)).json["accepted"] for one in sent)
            # The search does look where the template is stored.
            assert search_bytes(data[:64], *places) != []
            assert search(MARKED, *places) == []
            tokens.append(device.token)
            if isinstance(known, OpenProtection):
                scores.append([known.score(one.body, data) for one in sent])
        assert device.enrol(MARKED, password=PASSWORD).status == 201
    for embedding in (MARKED, probe):
        assert search(embedding, *places) == []
    for token in tokens:
        assert search_bytes(token, *places) == []
    logs = b"\n".join(file.read_bytes() for file in machine.folder.rglob("*.log"))
    assert logs
    # One number may stand there by chance, as a port or a process; two of one kind would be scores.
    for pair in scores:
        assert not all(re.search(rb"(?<![\d.])%d(?!\d)" % score, logs) for score in pair)


def enrolled_template(device: Device) -> bytes:
    """Enrols the marked face; what was sent for it."""
    message = device.enrolment(MARKED, password=PASSWORD)
    assert device.api.octets("/enrolments", device.sealed(message)).status == 201
    return message.body


def test_the_search_knows_many_forms() -> None:
    assert len(FORMS) > 900
    wanted = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "round(x·127) as <i1", "round(x·160) as <i2"]
    wanted += ["round(x·16384) as >i2", "round(x·32768) as <i4", "round(x·32768) mod 16736257", "repr as text"]
    for form in wanted:
        for way in ("forwards", "backwards"):
            assert f"{form} {way}" in FORMS


@pytest.mark.parametrize("way", ["forwards", "backwards"])
def test_every_planted_form_is_found(way: str, tmp_path: Path) -> None:
    """What is planted is made here, by other means than the search's own."""
    values = [float(x) for x in (MARKED if way == "forwards" else MARKED[::-1])]
    planted = {
        "float16": struct.pack("<128e", *values),
        "float32": struct.pack("<128f", *values),
        "float32 big-endian": struct.pack(">128f", *values),
        "float64": struct.pack("<128d", *values),
        "int16": struct.pack("<128h", *[math.floor(x * 16384 + 0.5) for x in values]),
        "int8": struct.pack("<128b", *[math.floor(x * 127 + 0.5) for x in values]),
        "int32 big-endian": struct.pack(">128i", *[math.floor(x * 32768 + 0.5) for x in values]),
        "hex": struct.pack("<128f", *values).hex().encode(),
        "base64": base64.b64encode(struct.pack("<128d", *values)),
        "base64 of an odd offset": base64.urlsafe_b64encode(b"x" + struct.pack("<128f", *values)),
        "json": json.dumps(values).encode(),
        "csv of four digits": ",".join(f"{x:.4f}" for x in values).encode(),
        "lines of nine digits": "\n".join(f"{x:.9g}" for x in values).encode(),
    }
    for form, data in planted.items():
        (tmp_path / "file").write_bytes(AROUND + data + AROUND)
        assert search(MARKED, tmp_path), form


def test_every_form_is_found_wherever_it_is_planted() -> None:
    by_form = {needle.form: needle for needle in HAYSTACKS.needles}
    for position, form in enumerate(FORMS):
        data = AROUND[: position % 16] + by_form[form].data + AROUND
        assert form in {finding.form for finding in HAYSTACKS.search(data, place="planted")}


def test_noise_is_not_found() -> None:
    assert HAYSTACKS.search(secrets.token_bytes(10_000_000), place="noise") == []
