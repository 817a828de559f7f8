"""Nothing about how near somebody came is in an answer, a log or the database, whatever a search comes to."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.canary import search as canaries
from tests.server.galleries.kiosk import Kiosk
from tests.server.test_logs import lines, logged  # noqa: F401 – a fixture
from tests.support import near, unit
from veilface.server import openapi
from veilface.server.galleries.keeper import Keeper

SCORES = re.compile(r"score|cosine|distance|similar|confidence|threshold", re.IGNORECASE)


def test_found_and_unknown_leave_the_same_lines(
    kiosk: Kiosk,
    keeper: Keeper,
    logged: io.StringIO,  # noqa: F811
) -> None:
    assert kiosk.register(unit(1), "张三").status == 201
    keeper.round()

    def said(seed: int) -> list[dict[str, object]]:
        sealed = kiosk.sealed(kiosk.message("identify", unit(seed)))
        logged.truncate(0)
        logged.seek(0)
        assert kiosk.octets("/kiosk/searches", sealed).status == 200
        own = [line for line in lines(logged) if str(line["logger"]).startswith("veilface")]
        return [{key: line[key] for key in line if key not in {"request_id", "timestamp"}} for line in own]

    assert said(1) == said(2)
    assert not SCORES.search(logged.getvalue())
    assert "张三" not in logged.getvalue()


def test_an_answer_has_no_place_for_a_score(kiosk: Kiosk, keeper: Keeper) -> None:
    person = kiosk.register(unit(1), "张三").json["id"]
    keeper.round()
    near_one = kiosk.search(near(unit(1), cosine=0.6))
    assert near_one.json == {"outcome": "found", "people": [{"id": person, "name": "张三"}], "searched": 1}
    assert near_one.body == kiosk.search(unit(1)).body
    schemas = openapi.schema()["components"]["schemas"]
    shown = json.dumps([schemas[name] for name in ("Found", "Named", "Person", "KioskState")])
    assert not SCORES.search(shown.replace(str(schemas["Found"]["description"]), ""))


def test_no_probe_and_no_face_is_kept(kiosk: Kiosk, keeper: Keeper) -> None:
    face = unit(1)
    assert kiosk.register(face, "张三").status == 201
    keeper.round()
    message = kiosk.message("identify", face)
    assert kiosk.octets("/kiosk/searches", kiosk.sealed(message)).json["outcome"] == "found"
    assert canaries(face, Path(settings.GALLERIES)) == []
    assert list(_columns(message.body[:64])) == []


def _columns(data: bytes) -> Iterator[str]:
    """Where these bytes stand in the database."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 – our own tables
            if any(isinstance(value, bytes) and data in value for row in cursor.fetchall() for value in row):
                yield table
