"""Galleries from the matcher's side of the wall: every verb over mutual TLS; a packer, and one search at a time."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

from veilface.keyholder import gallery_messages as wire
from veilface.keyholder.errors import KeyHolderUnavailable, Malformed
from veilface.keyholder.gallery_api import GalleryApi
from veilface.keyholder.gallery_errors import QueryUnknown
from veilface.keyholder.messages import Octets
from veilface.protect.gallery import Conversion, EpochKeys, Masked, PackedBlock, Reshared, Verdict
from veilface.protect.rlwe import CIPHERTEXT_BYTES
from veilface.protect.word_ring import Words

RECEIPT_BYTES: Final = 192
_ON_THEIR_WAY: Final = 2
T = TypeVar("T")


class RemoteGalleries(ABC):
    """The verbs of :class:`~veilface.keyholder.gallery_api.GalleryApi`, over whatever line :meth:`ask` speaks."""

    @abstractmethod
    def ask(self, verb: str, *, answer_bytes: int, **fields: Octets) -> Octets:
        """One question, and its answer of at most so many bytes."""

    @abstractmethod
    def checked(self, header: bytes, receipt: bytes) -> bytes:
        """The receipt, if the pinned key holder signed it and it answers ``header``."""

    def gallery_create(self, *, gallery: bytes, epoch: int) -> EpochKeys:
        data = self.ask("gallery_create", answer_bytes=wire.EPOCH_KEYS_BYTES, gallery=gallery, epoch=_epoch(epoch))
        keys = _read(wire.load_epoch_keys, data)
        if keys.epoch != epoch:
            raise KeyHolderUnavailable
        return keys

    def gallery_erase_before(self, *, gallery: bytes, epoch: int) -> None:
        self.ask("gallery_erase_before", answer_bytes=0, gallery=gallery, epoch=_epoch(epoch))

    def gallery_forget(self, *, gallery: bytes) -> None:
        self.ask("gallery_forget", answer_bytes=0, gallery=gallery)

    def gallery_drop(self, *, gallery: bytes, account: bytes) -> None:
        self.ask("gallery_drop", answer_bytes=0, gallery=gallery, account=account)

    def gallery_revoke_kiosk(self, *, gallery: bytes, device_id: bytes) -> None:
        self.ask("gallery_revoke_kiosk", answer_bytes=0, gallery=gallery, device_id=device_id)

    def gallery_opt_in(self, *, header: bytes, signature: bytes) -> bytes:
        return self._receipt("gallery_opt_in", header=header, signature=signature)

    def gallery_opt_out(self, *, header: bytes, signature: bytes) -> bytes:
        return self._receipt("gallery_opt_out", header=header, signature=signature)

    def gallery_register(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        return self._receipt("gallery_register", header=header, signature=signature, evidence=evidence)

    def gallery_pack_begin(self, *, gallery: bytes, epoch: int) -> bytes:
        data = self.ask("gallery_pack_begin", answer_bytes=wire.PACK_BYTES, gallery=gallery, epoch=_epoch(epoch))
        return _exactly(data, wire.PACK_BYTES)

    def gallery_pack_part(self, *, pack: bytes, templates: Mapping[int, Masked]) -> None:
        self.ask("gallery_pack_part", answer_bytes=0, pack=pack, templates=wire.dump_templates(templates))

    def gallery_pack_end(self, *, pack: bytes) -> PackedBlock:
        return _read(wire.load_packed, self.ask("gallery_pack_end", answer_bytes=wire.PACKED_BYTES, pack=pack))

    def identify_begin(
        self, *, header: bytes, signature: bytes, epoch: int, norm: bytes, range_: bytes, probe: Masked
    ) -> Conversion:
        data = self.ask(
            "identify_begin",
            answer_bytes=wire.CONVERSION_BYTES,
            header=header,
            signature=signature,
            epoch=_epoch(epoch),
            norm=norm,
            range_=range_,
            probe=wire.dump_masked(probe),
        )
        return _read(wire.load_conversion, data)

    def identify_reshare(self, *, query: bytes, shares: Words) -> Reshared:
        places = len(shares)
        size = wire.reshared_bytes(places)
        data = self.ask("identify_reshare", answer_bytes=size, query=query, shares=wire.dump_words(shares))
        return _read(lambda answer: wire.load_reshared(answer, places=places), data)

    def identify_conclude(self, *, query: bytes, blinded: Words) -> Verdict:
        places = 2 * len(blinded)
        data = self.ask(
            "identify_conclude", answer_bytes=wire.VERDICT_BYTES, query=query, blinded=wire.dump_words(blinded)
        )
        return _read(lambda answer: wire.load_verdict(answer, places=places), data)

    def identify_transfer(self, *, query: bytes, template: Masked) -> bytes:
        data = self.ask(
            "identify_transfer", answer_bytes=CIPHERTEXT_BYTES, query=query, template=wire.dump_masked(template)
        )
        return _exactly(data, CIPHERTEXT_BYTES)

    def identify_confirm(self, *, query: bytes, evidence: bytes) -> bool:
        data = self.ask("identify_confirm", answer_bytes=1, query=query, evidence=evidence)
        return _read(wire.load_bool, data)

    def _receipt(self, verb: str, *, header: bytes, **fields: bytes) -> bytes:
        receipt = self.ask(verb, answer_bytes=RECEIPT_BYTES, header=header, **fields)
        return self.checked(header, bytes(receipt))


def _epoch(epoch: int) -> bytes:
    return epoch.to_bytes(wire.EPOCH_BYTES, "big")


def _read(load: Callable[[Octets], T], data: Octets) -> T:
    """What the key holder answered; anything but an answer is none."""
    try:
        return load(data)
    except Malformed as error:
        raise KeyHolderUnavailable from error


def _exactly(data: Octets, length: int) -> bytes:
    if len(data) != length:
        raise KeyHolderUnavailable
    return bytes(data)


# --- what the matcher works with -------------------------------------------------------------------------


class RemotePacker:
    """A gallery's blocks: what ``match.gallery`` asks a packer for, over any :class:`GalleryApi`."""

    def __init__(self, api: GalleryApi, gallery: bytes) -> None:
        self._api: Final = api
        self._gallery: Final = gallery

    def create(self, epoch: int) -> EpochKeys:
        """The public keys of an epoch, made where there are none yet."""
        return self._api.gallery_create(gallery=self._gallery, epoch=epoch)

    def pack(self, epoch: int, templates: Iterable[Masked | None]) -> PackedBlock:
        """Convert up to 2048 templates into one block.

        Two parts at most are on their way while the next is made, and no more of the templates are held here.
        """
        pack = self._api.gallery_pack_begin(gallery=self._gallery, epoch=epoch)
        with ThreadPoolExecutor(_ON_THEIR_WAY, thread_name_prefix="veilface-pack") as threads:
            sent: deque[Future[None]] = deque()
            for part in _parts(templates):
                sent.append(threads.submit(self._api.gallery_pack_part, pack=pack, templates=part))
                if len(sent) > _ON_THEIR_WAY:
                    sent.popleft().result()
            for future in sent:
                future.result()
        return self._api.gallery_pack_end(pack=pack)

    def erase_before(self, epoch: int) -> None:
        """Erase the keys of older epochs."""
        self._api.gallery_erase_before(gallery=self._gallery, epoch=epoch)


def _parts(templates: Iterable[Masked | None]) -> Iterator[dict[int, Masked]]:
    """Those who are there by their slots, as many at a time as the key holder takes."""
    placed = ((slot, one) for slot, one in enumerate(templates) if one is not None)
    while part := dict(islice(placed, wire.MOST_IN_PART)):
        yield part


class RemoteGalleryHolder:
    """One signed search: what ``match.identification`` and ``match.confirmation`` ask a key holder for, over any API.

    ``epoch`` – of the key that the gallery is scanned under; ``header`` and ``signature`` – the kiosk's (type 13).
    """

    def __init__(self, api: GalleryApi, *, epoch: int, header: bytes, signature: bytes) -> None:
        self._api: Final = api
        self._epoch: Final = epoch
        self._header: Final = header
        self._signature: Final = signature
        self._query: bytes | None = None

    def begin(self, *, norm: bytes, range_: bytes, probe: Masked) -> Conversion:
        """Have the probe judged and converted. The signature is good for once."""
        conversion = self._api.identify_begin(
            header=self._header,
            signature=self._signature,
            epoch=self._epoch,
            norm=norm,
            range_=range_,
            probe=probe,
        )
        self._query = conversion.query
        return conversion

    def reshare(self, query: bytes, shares: Words) -> Reshared:
        """Have the shares (places, 3, 2048) opened and returned encrypted."""
        return self._api.identify_reshare(query=query, shares=shares)

    def conclude(self, query: bytes, blinded: Words) -> Verdict:
        """Have the blinded scores (pairs, 3, 3, 4096) opened."""
        return self._api.identify_conclude(query=query, blinded=blinded)

    def transfer(self, template: Masked) -> bytes:
        """The masked integers of a hit's template under the ingest key (73,728 B); raises ``QueryUnknown``."""
        return self._api.identify_transfer(query=self._begun(), template=template)

    def confirm(self, evidence: bytes) -> bool:
        """Whether the evidence about a hit's template and the probe holds; raises ``QueryUnknown``."""
        return self._api.identify_confirm(query=self._begun(), evidence=evidence)

    def _begun(self) -> bytes:
        if self._query is None:
            raise QueryUnknown
        return self._query
