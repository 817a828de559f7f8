"""A gallery with everything beside it: its room in this process, a keeper whose rounds a test calls, kiosks, people."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.server.conftest import SiteTransport, Switchable, with_device
from tests.server.galleries.kiosk import Kiosk
from tests.support import Answer, Device, Message, Person, granted, unit
from veilface.protect.envelope import MessageType, gallery_context
from veilface.server.galleries import operating
from veilface.server.galleries.keeper import Keeper
from veilface.server.galleries.models import Gallery
from veilface.server.galleries.rooms import Rooms, rooms


class Visitor:
    """Somebody with an account, a device and a face, who may join galleries."""

    def __init__(self, device: Device, seed: int) -> None:
        self.device, self.face = device, unit(seed)

    def signed(self, gallery: Gallery, *, leave: bool = False) -> bytes:
        body = {"device_id": self.device.device_id.hex(), "leave": leave}
        grant = granted(self.device.api.post(f"/galleries/{gallery.id}/challenge", body)).json
        context = gallery_context(gallery.wire_id, "out" if leave else "in")
        header = self.device.header(MessageType.GALLERY_OPT_IN, context, grant)
        return self.device.sealed(Message(header))

    def join(self, gallery: Gallery) -> Answer:
        return self.device.api.octets(f"/galleries/{gallery.id}/membership", self.signed(gallery))

    def leave(self, gallery: Gallery) -> Answer:
        return self.device.api.octets(f"/galleries/{gallery.id}/leaving", self.signed(gallery, leave=True))

    def membership(self) -> object:
        (gallery,) = granted(self.device.api.get("/galleries")).json["galleries"]
        return gallery["membership"]


@pytest.fixture(autouse=True)
def opened(site: Settings, tmp_path: Path) -> Iterator[Rooms]:
    """The rooms of a test, closed with it."""
    site.GALLERIES = tmp_path / "galleries"
    rooms.cache_clear()
    yield rooms()
    rooms().close()
    rooms.cache_clear()


@pytest.fixture
def gallery(db: None, keyholder: Switchable) -> Gallery:
    return operating.create(name="前台", purpose="迎宾", may_register=True)


@pytest.fixture
def keeper(gallery: Gallery) -> Keeper:
    return Keeper(rooms())


@pytest.fixture
def kiosk(gallery: Gallery) -> Kiosk:
    """The first kiosk of the gallery."""
    made = Kiosk(SiteTransport())
    assert made.join(operating.invite(gallery)).status == 201
    return made


@pytest.fixture
def visitor(people: Callable[[str], Person]) -> Callable[[int], Visitor]:
    def make(seed: int) -> Visitor:
        made = Visitor(with_device(people(f"person-{seed}")), seed)
        assert made.device.enrol(made.face).status == 201
        return made

    return make
