"""What the key holder does for galleries: the other half of :class:`~veilface.keyholder.client.KeyHolderApi`.

A gallery's id (16 B) is an account's id as well: its devices are the kiosks, registered, approved and revoked as any
device is. Its *ingest key* is a public key of suite 0x01, which probes and templates registered at a kiosk come under.
"""

from collections.abc import Mapping
from typing import Protocol

from veilface.protect.gallery import Conversion, EpochKeys, Masked, PackedBlock, Reshared, Verdict
from veilface.protect.word_ring import Words


class GalleryApi(Protocol):
    """The same questions, whether the key holder is in this process or behind mutual TLS.

    Errors are as of ``KeyHolderApi``. A gallery that does not exist raises ``GalleryUnknown``, one that was erased
    ``AccountForgotten`` where a kiosk or its making is concerned.
    """

    # --- by the operator's order -------------------------------------------------------------------------

    def gallery_create(self, *, gallery: bytes, epoch: int) -> EpochKeys:
        """The public keys of an epoch, made where there are none yet; the ingest key stays what it is.

        Raises ``GalleryUnknown`` for an epoch that was erased, ``TooManyEpochs`` and ``WrongSubject``.
        """
        ...

    def gallery_erase_before(self, *, gallery: bytes, epoch: int) -> None:
        """Erase the keys of older epochs, once nobody scans under them. ``epoch`` itself must exist."""
        ...

    def gallery_forget(self, *, gallery: bytes) -> None:
        """Erase every key, kiosk and opt-in of a gallery; its id is never used again. Repeating it changes nothing."""
        ...

    def gallery_drop(self, *, gallery: bytes, account: bytes) -> None:
        """Take an account's opt-in back: its key opens nothing for the gallery any more. Repeating changes nothing."""
        ...

    def gallery_revoke_kiosk(self, *, gallery: bytes, device_id: bytes) -> None:
        """Make a kiosk's signature worthless for good, whatever is under way. Repeating it changes nothing.

        Raises ``UnknownDevice``.
        """
        ...

    # --- by signature of a person's device, or of a kiosk ------------------------------------------------

    def gallery_opt_in(self, *, header: bytes, signature: bytes) -> bytes:
        """Let the gallery that the context names use the account's current template (type 14); the receipt.

        Only a template of suite 0x01. A renewed, deleted or forgotten template takes its opt-ins with it.
        """
        ...

    def gallery_opt_out(self, *, header: bytes, signature: bytes) -> bytes:
        """Take that back (type 14); the receipt, also where there was nothing to take back."""
        ...

    def gallery_register(self, *, header: bytes, signature: bytes, evidence: bytes) -> bytes:
        """Judge the evidence ``norm‖range‖score‖norm‖range`` about a template under the ingest key (type 14).

        That it is sound; and that it is of one face with the probe that was searched for before. The receipt. Raises
        ``LimitReached``.
        """
        ...

    # --- packing -----------------------------------------------------------------------------------------

    def gallery_pack_begin(self, *, gallery: bytes, epoch: int) -> bytes:
        """Begin a block of 2048 slots; the id (16 B) its parts come under, for two minutes."""
        ...

    def gallery_pack_part(self, *, pack: bytes, templates: Mapping[int, Masked]) -> None:
        """Put 1 … 64 templates into their slots, each slot once. Raises ``PackUnknown``.

        One that the gallery may not use – nobody who opted in has its key – leaves its slot empty.
        """
        ...

    def gallery_pack_end(self, *, pack: bytes) -> PackedBlock:
        """The block; raises ``PackUnknown``."""
        ...

    # --- searching ---------------------------------------------------------------------------------------

    def identify_begin(
        self, *, header: bytes, signature: bytes, epoch: int, norm: bytes, range_: bytes, probe: Masked
    ) -> Conversion:
        """Judge a kiosk's probe (type 13) and convert it for a scan under ``epoch``.

        Raises ``LimitReached``, and ``ProbeUnsound``, which counts. The query's id is good for half a minute.
        """
        ...

    def identify_reshare(self, *, query: bytes, shares: Words) -> Reshared:
        """Open uniform shares (places, 3, 2048), once, and return them encrypted. Raises ``QueryUnknown``."""
        ...

    def identify_conclude(self, *, query: bytes, blinded: Words) -> Verdict:
        """Open blinded scores (pairs, 3, 3, 4096), up to four times. Raises ``QueryUnknown``."""
        ...

    def identify_transfer(self, *, query: bytes, template: Masked) -> bytes:
        """The masked integers of one hit's template, encrypted under the ingest key (73,728 B); up to four times.

        Only after an answer of one to four places. Raises ``QueryUnknown`` and ``TemplateClosed``.
        """
        ...

    def identify_confirm(self, *, query: bytes, evidence: bytes) -> bool:
        """Whether ``score‖norm‖range`` of one hit and the probe, under the ingest key, hold; up to four times.

        Raises as :meth:`identify_transfer` does.
        """
        ...
