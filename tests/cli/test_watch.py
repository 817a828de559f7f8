"""A kiosk and its live recognition, as people run them: a real server and key holder, one gallery, real photographs."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Veilface
from tests.watch.clips import film
from veilface import launcher
from veilface.face.pipeline import FacePipeline
from veilface.sdk.errors import (
    ConsentMissing,
    KeyNotTrusted,
    KioskExists,
    NoKiosk,
    PersonKnown,
    ServerRefused,
    ServerUnreachable,
    WrongKiosk,
)
from veilface.sdk.kiosk import AHEAD, Kiosk

GALLERY = "前台"
NAME = "贝拉克 O."
DEADLINE_S = 120


@pytest.fixture(scope="module")
def faces() -> FacePipeline:
    return FacePipeline()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[launcher.Running, Path]]:
    """Server and key holder, running on a data folder."""
    data = tmp_path_factory.mktemp("house")
    with launcher.running(data, port=launcher.free_port(), settings={}) as pair:
        yield pair, data


@pytest.fixture(scope="module")
def operator(house: tuple[launcher.Running, Path]) -> Callable[..., Any]:
    """``veilface gallery …`` on that folder; what it prints."""

    def run(verb: str, *arguments: str) -> Any:
        command = [sys.executable, "-m", "veilface", "gallery", verb, *arguments, "--data", str(house[1]), "--json"]
        outside = {name: value for name, value in os.environ.items() if not name.startswith("VEILFACE_")}
        done = subprocess.run(command, env=outside, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def kiosk(
    house: tuple[launcher.Running, Path],
    operator: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
    faces: FacePipeline,
    photos: Path,
) -> tuple[Kiosk, Path]:
    """A kiosk of a gallery that knows one person, who is found by now."""
    pair, _ = house
    operator("create", GALLERY, "--purpose", "来访登记", "--register")
    folder = tmp_path_factory.mktemp("kiosk") / "kiosk"
    code = operator("kiosk", GALLERY)["code"]
    joined = Kiosk.join(folder, server=pair.url, code=code, name="北门", faces=faces)
    with pytest.raises(ServerRefused):  # a code is good for one kiosk
        Kiosk.join(folder.with_name("second"), server=pair.url, code=code)
    joined.register(photos / "obama.jpg", name=NAME, consent=True)
    deadline = time.monotonic() + DEADLINE_S
    while joined.search(photos / "obama2.jpg").answer.outcome != "found":
        assert time.monotonic() < deadline, pair.server.log.read_text()[-2000:]
        time.sleep(0.5)
    return joined, folder


def names(kiosk: Kiosk) -> list[str]:
    return [person.name for person in kiosk.people()]


def test_a_clip_is_watched_and_kept_with_names(
    kiosk: tuple[Kiosk, Path], veilface: Veilface, tmp_path: Path, photos: Path, faces: FacePipeline
) -> None:
    clip = film(photos, ("obama2.jpg", "biden.jpg"), tmp_path / "clip.mp4", frames=12, faces=faces)
    done = veilface("watch", "--kiosk", kiosk[1], "--video", clip, "--out", tmp_path / "seen.mp4", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [person["name"] for person in told["people"]] == [NAME]
    assert told["frames"] == 12
    assert told["fps"] > 0
    assert sorted((track["outcome"], track["name"]) for track in told["tracks"] if track["named_after_ms"] > 0) == [
        ("named", NAME),
        ("unknown", None),
    ]
    assert set(told["stages_ms"]) == {"read", "detect", "track", "embed", "protect", "search", "draw"}
    with av.open(str(tmp_path / "seen.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12


def test_a_folder_of_pictures_is_recognised_and_drawn(
    kiosk: tuple[Kiosk, Path], veilface: Veilface, tmp_path: Path, photos: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("obama2.jpg", "biden.jpg"):
        (pictures / name).write_bytes((photos / name).read_bytes())
    done = veilface("watch", "--kiosk", kiosk[1], "--images", pictures, "--out", tmp_path / "seen")
    assert done.returncode == 0, done.stderr
    assert NAME in done.stdout
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == ["biden.jpg", "obama2.jpg"]


def test_people_are_registered_listed_renamed_and_removed(
    kiosk: tuple[Kiosk, Path], veilface: Veilface, tmp_path: Path, photos: Path
) -> None:
    here, folder = kiosk
    dark = tmp_path / "dark.png"
    Image.new("RGB", (200, 200)).save(dark)
    arguments = ("kiosk", "register", photos / "biden.jpg", dark, "--name", "乔", "--kiosk", folder, "--json")
    refused = veilface(*arguments)
    assert refused.returncode == 2  # nobody is registered without consent
    assert names(here) == [NAME]
    done = veilface(*arguments, "--consent")
    assert done.returncode == 0, done.stderr
    assert "dark.png" in done.stderr
    registered = json.loads(done.stdout)
    assert (registered["person"]["name"], registered["pictures"]) == ("乔", 1)
    assert here.rename(registered["person"]["id"], name="乔 B.").name == "乔 B."
    assert names(here) == [NAME, "乔 B."]
    twice = veilface(*arguments, "--consent")
    assert twice.returncode == 1
    assert "“乔 B.”" in twice.stderr
    with pytest.raises(PersonKnown) as known:
        here.register(
            photos / "biden.jpg",
            name="乔",
            consent=True,
            replaces=here.search(photos / "obama2.jpg").answer.people[0][0],
        )
    assert (known.value.person, known.value.kind) == (registered["person"]["id"], "kiosk")
    assert names(here) == [NAME, "乔 B."]
    again = here.register(photos / "biden.jpg", name="乔 B.", consent=True, replaces=known.value.person)
    assert (again.id, again.name) == (known.value.person, "乔 B.")
    assert veilface("kiosk", "remove", registered["person"]["id"], "--kiosk", folder).returncode == 2  # nobody to ask
    with pytest.raises(ServerRefused):
        here.remove_all(confirm="another gallery")
    assert names(here) == [NAME, "乔 B."]
    here.remove(registered["person"]["id"])
    assert names(here) == [NAME]


def test_a_picture_without_a_face_registers_nobody(
    kiosk: tuple[Kiosk, Path], veilface: Veilface, tmp_path: Path
) -> None:
    Image.new("RGB", (200, 200)).save(tmp_path / "nobody.png")
    picture = tmp_path / "nobody.png"
    done = veilface("kiosk", "register", picture, "--name", "无", "--consent", "--kiosk", kiosk[1])
    assert done.returncode == 1
    assert names(kiosk[0]) == [NAME]


def test_another_key_for_the_gallery_is_refused_and_no_face_leaves(
    kiosk: tuple[Kiosk, Path], photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, _ = kiosk
    sent: list[str] = []
    real = httpx.Client.send

    def send(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        sent.append(request.url.path)
        response = real(self, request, **options)
        if not request.url.path.endswith("/kiosk/challenges"):
            return response
        forged = [grant | {"key_fp": "A" * 43} for grant in response.json()]
        return httpx.Response(response.status_code, json=forged, request=request)

    monkeypatch.setattr(httpx.Client, "send", send)
    with pytest.raises(KeyNotTrusted):
        here.search(photos / "obama2.jpg")
    assert not any(path.endswith("/searches") for path in sent)


def test_an_answer_outlives_the_failure_to_fetch_challenges_ahead(
    kiosk: tuple[Kiosk, Path], faces: FacePipeline, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = faces.embedding((photos / "obama2.jpg").read_bytes())
    real, grants = httpx.Client.send, iter((True, False))

    def send(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        if request.url.path.endswith("/kiosk/challenges") and not next(grants, True):
            raise httpx.ConnectError("down for a moment", request=request)
        return real(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", send)
    with kiosk[0].searching() as desk:
        outcomes = [desk.search(embedding).answer.outcome for _ in range(AHEAD + 1)]
    assert outcomes == ["found"] * (AHEAD + 1)
    assert list(grants) == []


def test_without_consent_nothing_is_sent(
    kiosk: tuple[Kiosk, Path], photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[httpx.Request] = []
    face = np.eye(1, 128, dtype=np.float32)[0]
    with kiosk[0].searching() as desk, monkeypatch.context() as patch:
        patch.setattr(httpx.Client, "send", lambda _self, request, **_options: sent.append(request))
        with pytest.raises(ConsentMissing):
            kiosk[0].register(photos / "biden.jpg", name="乔", consent=False)
        with pytest.raises(ConsentMissing):
            kiosk[0].register_embeddings([face], name="乔", consent=False)
        with pytest.raises(ConsentMissing):
            desk.register(face, name="乔", consent=False)
    assert sent == []
    assert names(kiosk[0]) == [NAME]


def test_a_folder_is_one_kiosk_and_nobody_else_may_read_it(kiosk: tuple[Kiosk, Path], tmp_path: Path) -> None:
    here, folder = kiosk
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}
    with pytest.raises(KioskExists):
        Kiosk.join(folder, server=here.membership.server, code="x")
    with pytest.raises(NoKiosk):
        Kiosk(tmp_path)


def test_a_kiosk_that_was_cut_off_while_it_joined_goes_on_and_waits_until_another_lets_it_in(
    kiosk: tuple[Kiosk, Path],
    operator: Callable[..., Any],
    veilface: Veilface,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (here, folder), second = kiosk, tmp_path / "second"
    server, code, real = here.membership.server, operator("kiosk", GALLERY)["code"], httpx.Client.send

    def cut(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        response = real(self, request, **options)
        if request.url.path.endswith("/kiosks"):
            raise httpx.ReadError("cut off", request=request)
        return response

    with monkeypatch.context() as patch:
        patch.setattr(httpx.Client, "send", cut)
        with pytest.raises(ServerUnreachable):
            Kiosk.join(second, server=server, code=code)
    with pytest.raises(ServerRefused):  # the code is that key's
        Kiosk.join(tmp_path / "third", server=server, code=code)
    done = veilface("kiosk", "join", code.lower(), "--server", server, "--kiosk", second)
    assert done.returncode == 0, done.stderr
    waiting = Kiosk(second)
    assert waiting.code in done.stdout
    (listed,) = here.waiting()
    for wrong in (here.code, waiting.code[:-1]):
        with pytest.raises(WrongKiosk):
            here.approve(listed.id, code=wrong)
    with pytest.raises(ServerRefused):
        waiting.approve(listed.id, code=waiting.code)
    assert json.loads(veilface("kiosk", "status", "--kiosk", second, "--json").stdout)["state"] == "pending"
    done = veilface("kiosk", "approve", listed.id, "--code", waiting.code, "--kiosk", folder)
    assert done.returncode == 0, done.stderr
    assert (waiting.record().state, here.waiting()) == ("active", [])


def test_a_kiosk_that_nobody_ordered_is_turned_away(
    kiosk: tuple[Kiosk, Path], operator: Callable[..., Any], veilface: Veilface, tmp_path: Path
) -> None:
    here, folder = kiosk
    code = operator("kiosk", GALLERY)["code"]
    strange = Kiosk.join(tmp_path / "strange", server=here.membership.server, code=code)
    shown = json.loads(veilface("kiosk", "waiting", "--kiosk", folder, "--json").stdout)["waiting"]
    assert [one["id"] for one in shown] == [strange.membership.kiosk_id]
    arguments = ("kiosk", "refuse", strange.membership.kiosk_id, "--kiosk", folder)
    assert veilface(*arguments).returncode == 2  # nobody to ask
    assert strange.record().state == "pending"
    assert veilface(*arguments, "--yes").returncode == 0
    with pytest.raises(ServerRefused):
        strange.record()


def test_one_thing_is_watched_at_a_time(veilface: Veilface, tmp_path: Path) -> None:
    for other in (("--camera", "0"), ("--live",)):
        done = veilface("watch", "--images", tmp_path, *other, "--kiosk", tmp_path)
        assert (done.returncode, other[0] in done.stderr) == (2, True)


def test_everybody_goes_when_the_gallerys_name_is_typed(kiosk: tuple[Kiosk, Path], photos: Path) -> None:
    here, _ = kiosk
    here.remove_all(confirm=GALLERY)
    assert names(here) == []
    assert here.search(photos / "obama2.jpg").answer.outcome == "nobody"
