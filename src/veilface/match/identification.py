"""1:N identification: a probe against every template of a gallery, without a score for anybody to see (ADR 9).

The matcher scans and never learns a score; the key holder opens uniform shares, and then numbers whose size is a fresh
random factor and whose place is a fresh shuffle. It answers with one to four places, nobody, or too many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from veilface.match import legs
from veilface.match.blinding import Blinding, QueryMasks, Shuffle
from veilface.match.conversion import SubjectKey, converted_probe, masked
from veilface.match.engine import Engine, LocalEngine, Shard
from veilface.match.masks import MaskSet
from veilface.match.scan import arranged_probe
from veilface.match.verification import template_evidence
from veilface.protect.gallery import Conversion, Masked, Reshared, Verdict
from veilface.protect.stream import Stream
from veilface.protect.word_ring import Words

STEPS: Final = (0.05, 0.1, 0.2)
"""By how much the threshold is raised, in turn, while several are above it."""
_LOCAL: Final = LocalEngine()


class GalleryHolder(Protocol):
    """What a key holder does for the queries of one gallery."""

    def begin(self, *, norm: bytes, range_: bytes, probe: Masked) -> Conversion:
        """Check range and norm of a probe and convert it."""

    def reshare(self, query: bytes, shares: Words) -> Reshared:
        """Open the shares (places, 3, 2048) of a query, once, and return them encrypted."""

    def conclude(self, query: bytes, blinded: Words) -> Verdict:
        """Open the blinded scores (pairs, 3, 3, 4096); only a few times for one query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """``places`` – (block, slot) of those above the threshold, or above the highest one that left anybody.

    Empty for nobody; ``ambiguous`` where more than four stayed above it. More than one is for a 1:1 comparison to
    resolve.
    """

    places: tuple[tuple[int, int], ...] = ()
    ambiguous: bool = False


def identify(
    probe: bytes,
    *,
    shards: Sequence[Shard],
    probe_key: bytes,
    probe_masks: MaskSet,
    masks: QueryMasks,
    holder: GalleryHolder,
    engine: Engine = _LOCAL,
) -> Found:
    """Find the people of a gallery whose templates are near enough to a probe (73,728 B under ``probe_key``).

    Raises :class:`~veilface.protect.errors.MalformedCiphertext`,
    :class:`~veilface.match.errors.MasksSpent`, :class:`~veilface.match.gallery_errors.QueryMasksSpent`,
    :class:`~veilface.match.engine.errors.EngineFailed`, and whatever the key holder refuses with.
    """
    evidence = template_evidence(probe, masks=probe_masks)
    hidden, coordinates = masked(probe, SubjectKey(probe_key), Stream())
    spent = masks.spend()
    conversion = holder.begin(norm=evidence.norm, range_=evidence.range_, probe=hidden)
    converted = converted_probe(conversion.sealed, coordinates)
    scores = engine.scan(shards, arranged_probe(converted))
    reshared = holder.reshare(conversion.query, masked_scores(scores, spent))
    return _resolve(conversion.query, reshared, spent, holder)


def masked_scores(scores: Words, masks: QueryMasks) -> Words:
    """What the key holder may open: X^κ·d + P in the shuffled order, (places, 3, 2048). Its plaintext is uniform."""
    shuffle = masks.shuffle
    return legs.hidden(scores, shuffle.order, shuffle.rotation, masks.shares.masks)


def blinded_scores(reshared: Reshared, second: Words, blinding: Blinding) -> Words:
    """ρ·(score − θ) in every slot, (pairs, 3, 3, 4096) under (1, s, σs). ``second`` – ``reshared``'s components."""
    return legs.blinded(reshared.first, second, blinding.factors, blinding.sums)


def _resolve(query: bytes, reshared: Reshared, masks: QueryMasks, holder: GalleryHolder) -> Found:
    """Ask once; while several are above the threshold, ask again above a higher one, over the same shares."""
    second, blinding, best = reshared.second(), masks.blinding, Found()
    for step in (*STEPS, 0.0):
        verdict = holder.conclude(query, blinded_scores(reshared, second, blinding))
        if verdict.outcome == "none":
            return best
        best = _found(verdict, masks.shuffle)
        if len(best.places) == 1 or not step:
            return best
        blinding = masks.again(masks.threshold + step)
    return best


def _found(verdict: Verdict, shuffle: Shuffle) -> Found:
    places = tuple(sorted(shuffle.origin(place, index) for place, index in verdict.positions))
    return Found(places=places, ambiguous=verdict.outcome == "ambiguous")
