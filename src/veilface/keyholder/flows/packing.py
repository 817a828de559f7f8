"""Packing a block part by part: what is opened is under masks, and only what the gallery may use is opened at all."""

from collections.abc import Mapping

from veilface.keyholder import audit
from veilface.keyholder.audit import Entry, Event
from veilface.keyholder.errors import Malformed
from veilface.keyholder.gallery_work import Pack
from veilface.keyholder.messages import digest
from veilface.keyholder.office import Office
from veilface.keyholder.repack import Packing
from veilface.protect.envelope import ZERO_ID, Outcome
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import SLOTS, Masked, PackedBlock


def begin(office: Office, *, gallery: bytes, epoch: int) -> bytes:
    """See ``GalleryApi.gallery_pack_begin``."""
    keys = office.galleries.office(gallery)
    packing = Packing(keys.desk(epoch).key, keys.secret_of)
    with office.store.transaction() as db:
        entry = Entry(
            time_ms=office.clock(),
            header_hash=digest(b"VFPACK" + gallery + epoch.to_bytes(4, "big")),
            account=gallery,
            device=ZERO_ID,
            type=Event.PACK,
            decision=Outcome.ACCEPTED,
        )
        audit.append(db, entry, key=office.key)
    return office.packs.begin(Pack(packing=packing))


def add(office: Office, *, pack: bytes, templates: Mapping[int, Masked]) -> None:
    """See ``GalleryApi.gallery_pack_part``."""
    found = office.packs.find(pack)
    with found.lock:
        for slot in templates:
            if not 0 <= slot < SLOTS or slot in found.seen:
                raise Malformed(field="slot", got=slot, expected=f"0 … {SLOTS - 1}, once")
        try:
            found.packing.add(templates.items())
        except MalformedCiphertext as error:
            office.packs.end(pack)  # some of the part may have come in
            raise Malformed(field="templates", **error.details) from error
        found.seen.update(templates)


def end(office: Office, *, pack: bytes) -> PackedBlock:
    """See ``GalleryApi.gallery_pack_end``."""
    found = office.packs.end(pack)
    with found.lock:
        return found.packing.seal()
