"""Every verb of :class:`~veilface.keyholder.gallery_api.GalleryApi`, in this process."""

from collections.abc import Mapping

from veilface.keyholder.errors import Malformed
from veilface.keyholder.flows import gallery as people
from veilface.keyholder.flows import packing, search
from veilface.keyholder.gallery_messages import EPOCH_BYTES, PACK_BYTES, QUERY_BYTES
from veilface.keyholder.messages import exactly
from veilface.keyholder.office import Office
from veilface.protect.envelope import ID_BYTES
from veilface.protect.gallery import Conversion, EpochKeys, Masked, PackedBlock, Reshared, Verdict
from veilface.protect.word_ring import Words


class GalleryDoor:
    """What each method means and raises is said once, in :class:`~veilface.keyholder.gallery_api.GalleryApi`."""

    _office: Office

    def gallery_create(self, *, gallery: bytes, epoch: int) -> EpochKeys:
        _epoch_of(gallery, epoch)
        return people.create(self._office, gallery=gallery, epoch=epoch)

    def gallery_erase_before(self, *, gallery: bytes, epoch: int) -> None:
        _epoch_of(gallery, epoch)
        people.erase_before(self._office, gallery=gallery, epoch=epoch)

    def gallery_forget(self, *, gallery: bytes) -> None:
        exactly(gallery, ID_BYTES, "gallery")
        people.forget(self._office, gallery=gallery)

    def gallery_drop(self, *, gallery: bytes, account: bytes) -> None:
        exactly(gallery, ID_BYTES, "gallery")
        exactly(account, ID_BYTES, "account")
        people.drop(self._office, gallery=gallery, account=account)

    def gallery_revoke_kiosk(self, *, gallery: bytes, device_id: bytes) -> None:
        exactly(gallery, ID_BYTES, "gallery")
        exactly(device_id, ID_BYTES, "device_id")
        people.revoke_kiosk(self._office, gallery=gallery, device_id=device_id)

    def gallery_opt_in(self, *, header: bytes, signature: bytes) -> bytes:
        return people.opt_in(self._office, header=header, signature=signature)

    def gallery_opt_out(self, *, header: bytes, signature: bytes) -> bytes:
        return people.opt_out(self._office, header=header, signature=signature)

    def gallery_register(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        return people.register(self._office, header=header, signature=signature, evidence=evidence)

    def gallery_pack_begin(self, *, gallery: bytes, epoch: int) -> bytes:
        _epoch_of(gallery, epoch)
        return packing.begin(self._office, gallery=gallery, epoch=epoch)

    def gallery_pack_part(self, *, pack: bytes, templates: Mapping[int, Masked]) -> None:
        exactly(pack, PACK_BYTES, "pack")
        packing.add(self._office, pack=pack, templates=templates)

    def gallery_pack_end(self, *, pack: bytes) -> PackedBlock:
        exactly(pack, PACK_BYTES, "pack")
        return packing.end(self._office, pack=pack)

    def identify_begin(
        self, *, header: bytes, signature: bytes, epoch: int, norm: bytes, range_: bytes, probe: Masked
    ) -> Conversion:
        return search.begin(
            self._office, header=header, signature=signature, epoch=epoch, norm=norm, range_=range_, probe=probe
        )

    def identify_reshare(self, *, query: bytes, shares: Words) -> Reshared:
        exactly(query, QUERY_BYTES, "query")
        return search.reshare(self._office, query=query, shares=shares)

    def identify_conclude(self, *, query: bytes, blinded: Words) -> Verdict:
        exactly(query, QUERY_BYTES, "query")
        return search.conclude(self._office, query=query, blinded=blinded)

    def identify_transfer(self, *, query: bytes, template: Masked) -> bytes:
        exactly(query, QUERY_BYTES, "query")
        return search.transfer(self._office, query=query, template=template)

    def identify_confirm(self, *, query: bytes, evidence: bytes) -> bool:
        exactly(query, QUERY_BYTES, "query")
        return search.confirm(self._office, query=query, evidence=evidence)


def _epoch_of(gallery: bytes, epoch: int) -> None:
    exactly(gallery, ID_BYTES, "gallery")
    if not 0 <= epoch < 1 << (8 * EPOCH_BYTES):
        raise Malformed(field="epoch", got=epoch, expected="u32")
