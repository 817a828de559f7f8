"""1:N under encryption decides as plaintext does, and shows nobody a score."""

import math
import os
from collections.abc import Iterator

import numpy as np
import pytest

from tests.match.galleries import Query
from tests.match.parties import Vector
from veilface.keyholder import repack
from veilface.keyholder.gallery_errors import QueryUnknown
from veilface.match.blinding import QueryMasks, factors_of
from veilface.match.gallery_errors import QueryMasksSpent
from veilface.match.identification import Found, _resolve
from veilface.protect.errors import MalformedCiphertext
from veilface.protect.gallery import SCAN, SLOTS
from veilface.protect.stream import Integers, Stream

THRESHOLD = 0.36
DIMENSION = 32
"""Fewer coordinates than an embedding has: a quarter of the work, and the same protocol."""


def unit_rows(seed: int, *shape: int) -> Vector:
    rows: Vector = np.random.default_rng(seed).standard_normal(shape)
    rows /= np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows


@pytest.fixture(scope="module")
def query() -> Query:
    """Two blocks, full but for one who was removed. In so few dimensions strangers are near: some pass."""
    made = Query(unit_rows(1, 2, SLOTS, DIMENSION))
    made.live[1, 5] = False
    return made


@pytest.fixture(scope="module")
def probes() -> Vector:
    return unit_rows(2, 56, DIMENSION)


def seen(query: Query, probe: Vector, masks: QueryMasks) -> Vector:
    return repack.blinded_values(query.key, query.blinded(probe, masks))


def test_decisions_are_those_of_plaintext_but_next_to_the_threshold(query: Query, probes: Vector) -> None:
    for threshold in (0.2, 0.36, 0.6):
        for probe in (probes[0], query.templates[0, 17], -query.templates[0, 17], query.templates[1, 5]):
            masks = query.masks(threshold)
            scores = query.expected(probe, masks)
            accepted = seen(query, probe, masks) > 0
            wrong = accepted != ((scores > threshold) & masks.live)
            assert np.abs(scores[wrong] - threshold).max(initial=0) < 0.01
            assert not accepted[~masks.live].any(), "a removed person is never a hit"


def test_an_odd_gallery_is_filled_up_with_nobody(query: Query) -> None:
    odd = Query(query.templates[:1])
    masks = odd.masks(0.8)
    values = seen(odd, odd.templates[0, 3], masks)
    assert len(values) == 2
    assert not (values[~masks.live] > 0).any()
    assert values[~masks.live].size == SLOTS
    assert _resolve_with(odd, odd.templates[0, 3], masks).places == ((0, 3),)


def _resolve_with(query: Query, probe: Vector, masks: QueryMasks) -> Found:
    opened = query.desk.admit()
    return _resolve(opened, query.desk.reshare(opened, query.shares(probe, masks)), masks, query.desk)


def test_several_hits_are_resolved_by_a_higher_threshold_over_the_same_shares() -> None:
    near = unit_rows(3, 2, SLOTS, 128)
    probe = near[0, 0]
    near[1, 9] = 0.8 * probe + 0.6 * np.roll(probe, 64)
    near[1, 9] /= np.linalg.norm(near[1, 9])
    near[0, 8] = near[1, 9]
    query = Query(near)
    assert repack.verdict(seen(query, probe, query.masks(0.5))).outcome == "hits"
    assert _resolve_with(query, probe, query.masks(0.7)).places == ((0, 0),)
    twins = _resolve_with(query, near[1, 9], query.masks(0.5))
    assert set(twins.places) >= {(0, 8), (1, 9)}, "nobody can tell them apart here: both are named"


def test_more_than_four_are_named_by_nobody(query: Query, probes: Vector) -> None:
    found = _resolve_with(query, probes[3], query.masks(-0.5))
    assert found == Found(ambiguous=True)
    assert _resolve_with(query, probes[3], query.masks(0.99)) == Found()


def test_the_key_holder_answers_a_query_a_few_times_only(query: Query, probes: Vector) -> None:
    masks = query.masks(THRESHOLD)
    shares = query.shares(probes[0], masks)
    opened = query.desk.admit()
    with pytest.raises(QueryUnknown):
        query.desk.conclude(opened, masks.blinding.sums)
    query.desk.reshare(opened, shares)
    with pytest.raises(QueryUnknown):
        query.desk.reshare(opened, shares)
    for _ in range(repack.MOST_ANSWERS):
        query.desk.conclude(opened, masks.blinding.sums)
    with pytest.raises(QueryUnknown):
        query.desk.conclude(opened, masks.blinding.sums)
    with pytest.raises(QueryUnknown):
        query.desk.reshare(bytes(16), shares)


def test_an_open_query_expires_and_gives_way_to_later_ones(query: Query, probes: Vector) -> None:
    now = [0.0]
    desk = repack.GalleryDesk(query.key, clock=lambda: now[0])
    shares = query.shares(probes[0], query.masks(THRESHOLD))
    late, crowded = desk.admit(), desk.admit()
    now[0] = repack.QUERY_LIFETIME_S
    with pytest.raises(QueryUnknown):
        desk.reshare(late, shares)
    for _ in range(repack.MOST_QUERIES):
        desk.admit()
    with pytest.raises(QueryUnknown):
        desk.reshare(crowded, shares)


def test_malformed_messages_are_refused(query: Query, probes: Vector) -> None:
    masks = query.masks(THRESHOLD)
    shares = query.shares(probes[0], masks)
    opened = query.desk.admit()
    for wrong in (shares[:1], shares[:, :2], np.full_like(shares, SCAN.prime)):
        with pytest.raises(MalformedCiphertext):
            query.desk.reshare(opened, wrong)
    query.desk.reshare(opened, shares)
    for wrong in (masks.blinding.sums[:, :2], np.full_like(masks.blinding.sums, 1 << 27)):
        with pytest.raises(MalformedCiphertext):
            query.desk.conclude(opened, wrong)


# --- what is hidden --------------------------------------------------------------------------------------


def z_of_chi_squared(values: Integers) -> float:
    counts = np.bincount(values.reshape(-1) * 256 // SCAN.prime, minlength=256)
    expected = values.size / 256
    return float((((counts - expected) ** 2 / expected).sum() - 255) / math.sqrt(2 * 255))


def test_shares_are_uniform_whatever_the_scores(query: Query) -> None:
    """χ² with |z| < 6, which chance passes but once in 5·10^8; for the same probe, over and over."""
    probe, opened, components, scores = query.templates[0, 17], [], [], []
    for _ in range(8):
        masks = query.masks(THRESHOLD)
        shares = query.shares(probe, masks)
        opened.append(query.key.secret.open_scan(shares))
        components.append(np.stack([SCAN.inverse(np.ascontiguousarray(shares[:, part])) for part in (1, 2)]))
        scores.append(query.expected(probe, masks))
    assert abs(z_of_chi_squared(np.stack(opened))) < 6
    assert abs(z_of_chi_squared(np.stack(components))) < 6
    related = np.corrcoef(np.stack(opened).reshape(-1), np.stack(scores).reshape(-1))[0, 1]
    assert abs(related) < 6 / math.sqrt(np.stack(scores).size)


def test_sizes_and_places_of_what_is_opened_last_tell_nothing(query: Query, probes: Vector) -> None:
    logs, scores = [], []
    for probe in probes[:6]:
        masks = query.masks(THRESHOLD)
        logs.append(np.log2(np.abs(seen(query, probe, masks))))
        scores.append(query.expected(probe, masks))
    sizes, score = np.stack(logs), np.stack(scores)
    assert sizes.min() > 10
    assert sizes.std() > 4, "the factor's 36 bits drown the score"
    partners = np.corrcoef(sizes[:, 0::2].reshape(-1), sizes[:, 1::2].reshape(-1))[0, 1]
    assert abs(partners) < 6 / math.sqrt(sizes.size / 2)
    below = score < 0
    assert abs(np.corrcoef(sizes[below], score[below])[0, 1]) < 0.1, "a stranger's score moves the size by a bit or so"


def test_the_factors_have_the_density_they_should() -> None:
    exponents = (np.log2(factors_of(*(Stream().fractions(1 << 16) for _ in range(2)))) - 19) / 36
    assert exponents.min() >= 0
    assert exponents.max() <= 1
    counts = np.bincount((exponents * 64).astype(int), minlength=64)
    edges = np.linspace(0, 1, 65)
    chances = np.diff(edges - np.sin(2 * np.pi * edges) / (2 * np.pi))
    expected = chances * exponents.size
    kept = expected > 8
    z = (((counts - expected) ** 2 / expected)[kept].sum() - kept.sum()) / math.sqrt(2 * kept.sum())
    assert abs(z) < 6


def reconstructed(views: Vector, probes: Vector, templates: Vector) -> float:
    """Median cosine of the best linear guess at every template from one number a known probe."""
    inverse = np.linalg.pinv(probes - probes.mean(axis=0))
    guesses = (inverse @ (views - views.mean(axis=0))).T
    guesses /= np.linalg.norm(guesses, axis=1, keepdims=True) + 1e-30
    return float(np.median(np.abs(np.sum(guesses * templates, axis=1)) * np.sign(np.sum(guesses * templates, axis=1))))


def test_known_probes_rebuild_no_template_from_what_the_key_holder_sees(query: Query, probes: Vector) -> None:
    """The attack that opens a gallery of plain scores (cosine 0.99) finds nothing in the real view (≤ 0.05)."""
    plain, real, linked = [], [], []
    for probe in probes:
        masks = query.masks(THRESHOLD)
        values = seen(query, probe, masks)
        squeezed = np.sign(values) * np.log2(1 + np.abs(values))
        back = np.empty((len(values), SLOTS))
        for place, (block, slots) in enumerate(zip(masks.shuffle.order, masks.shuffle.source(), strict=True)):
            back[block, slots] = squeezed[place]
        plain.append((query.templates @ probe).reshape(-1))
        real.append(squeezed.reshape(-1))
        linked.append(back.reshape(-1))
    templates = query.templates.reshape(-1, DIMENSION)
    assert reconstructed(np.stack(plain), probes, templates) >= 0.95, "the attack works where scores are plain"
    assert abs(reconstructed(np.stack(real), probes, templates)) <= 0.05
    assert reconstructed(np.stack(linked), probes, templates) <= 0.45, "even if the shuffle were known"


# --- used once -------------------------------------------------------------------------------------------


def test_masks_are_spent_once_and_in_their_own_process(query: Query, monkeypatch: pytest.MonkeyPatch) -> None:
    masks = query.masks(THRESHOLD)
    here = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: here + 1)
    with pytest.raises(QueryMasksSpent):
        masks.spend()
    monkeypatch.undo()
    masks.spend()
    with pytest.raises(QueryMasksSpent):
        masks.spend()


def test_two_sets_share_nothing(query: Query) -> None:
    def words(masks: QueryMasks) -> Iterator[Integers]:
        yield masks.shares.masks.astype(np.int64)
        yield masks.blinding.factors.astype(np.int64)
        yield masks.blinding.sums.astype(np.int64)

    for first, second in zip(words(query.masks(THRESHOLD)), words(query.masks(THRESHOLD)), strict=True):
        assert (first == second).mean() < 0.001
    masks = query.masks(THRESHOLD)
    assert (masks.again(THRESHOLD).factors == masks.blinding.factors).mean() < 0.001
