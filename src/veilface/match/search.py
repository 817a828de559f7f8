"""Who it is: one probe against a gallery as it is now, with masks from the pool."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from veilface.match.engine import Engine, LocalEngine
from veilface.match.gallery import Gallery
from veilface.match.gallery_errors import GalleryEmpty
from veilface.match.identification import GalleryHolder, identify
from veilface.match.masks import MaskSet
from veilface.match.query_pool import QueryPool

_LOCAL: Final = LocalEngine()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """``persons`` – 16 B each, nobody twice, who passed the highest threshold that anybody passed; empty for nobody.

    Several are for a 1:1 comparison to tell apart, and so is one where money moves. ``ambiguous``: more than four
    passed, so nobody is named.
    """

    persons: tuple[bytes, ...]
    ambiguous: bool


def search(
    probe: bytes,
    *,
    gallery: Gallery,
    pool: QueryPool,
    masks: MaskSet,
    holder: Callable[[int], GalleryHolder],
    engine: Engine = _LOCAL,
) -> Candidates:
    """Search a gallery for a probe (73,728 B) under its probe key; ``holder`` answers for an epoch of its key.

    Whoever was removed by the time it returns is not returned. Raises as
    :func:`~veilface.match.identification.identify` does, :class:`GalleryEmpty`, and
    :class:`~veilface.match.gallery_errors.GalleryDamaged`.
    """
    view = gallery.view()
    if not view.blocks:
        raise GalleryEmpty
    found = identify(
        probe,
        shards=view.shards,
        probe_key=view.keys.probes,
        probe_masks=masks,
        masks=pool.take(view),
        holder=holder(view.keys.epoch),
        engine=engine,
    )
    members = [member for block, slot in found.places if (member := view.member(block, slot))]
    persons = dict.fromkeys(gallery.persons(members).values())
    return Candidates(persons=tuple(persons), ambiguous=found.ambiguous)
