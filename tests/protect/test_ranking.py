"""Local ranking: the default, its wire, and the published form."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from veilface.contract import CONTRACT
from veilface.protect.errors import GroupOutOfRange, MalformedTemplate
from veilface.protect.published import bit_ranks, rank_distance
from veilface.protect.ranking import (
    COMPACT,
    DEFAULT,
    RankingParameters,
    local_ranks,
    pack_ranks,
    parse_ranks,
    rank_score,
    ranking_transform,
)
from veilface.protect.scheme import protection_of
from veilface.protect.suites import Suite
from veilface.protect.token import fresh_token
from veilface.protect.transform import keyed_transform


def load(vectors: Path, name: str = "ranking.json") -> Any:
    return json.loads((vectors / name).read_text())


def random_ranks(parameters: RankingParameters = DEFAULT) -> np.ndarray:
    outputs = np.random.default_rng(3).integers(-1000, 1000, parameters.outputs, dtype=np.int32)
    return local_ranks(outputs, parameters=parameters)


def test_published_ranks_of_the_published_vector(vectors: Path) -> None:
    case = load(vectors, "kt1.json")["cases"][0]
    transform = keyed_transform(bytes.fromhex(case["token"]), salt=b"", info=bytes.fromhex(case["info"]), blocks=4)
    outputs = transform.apply(np.array(case["embedding"]))
    for parameters in (DEFAULT, COMPACT):
        ranks = local_ranks(outputs, parameters=parameters)
        assert hashlib.sha256(ranks.tobytes()).hexdigest() == case[f"ranks_{parameters.group}_sha256"]


def test_vectors(vectors: Path) -> None:
    content = load(vectors)
    first: dict[int, np.ndarray] = {}
    for case in content["cases"]:
        parameters = RankingParameters(group=case["group"])
        transform = ranking_transform(bytes.fromhex(case["token"]), salt=bytes.fromhex(content["salt"]))
        ranks = local_ranks(transform.apply(np.array(content["embeddings"][case["embedding"]])), parameters=parameters)
        assert pack_ranks(ranks, parameters=parameters).hex() == case["packed"]
        reference = first.setdefault(case["group"], ranks)
        assert rank_score(ranks, reference, parameters=parameters) == case["score_with_first"]


def test_what_a_device_sends_for_suite_3(vectors: Path) -> None:
    content = load(vectors)
    case, found = content["scheme"], protection_of(Suite.RANKING)
    embedding = np.array(content["embeddings"][case["embedding"]])
    key, token = bytes.fromhex(case["key"]), bytes.fromhex(case["token"])
    assert (CONTRACT.contract_id.hex(), found.suite) == (case["contract_id"], case["suite"])
    assert found.enrol(embedding, key=key, token=token).hex() == case["template"]
    assert found.probe(embedding, key=key, token=token).hex() == case["template"]


def test_published_bit_ranking(vectors: Path) -> None:
    for case in load(vectors)["bit_ranking"]:
        bits, key = (np.array([int(bit) for bit in case[name]], np.uint8) for name in ("bits", "key"))
        ranks = bit_ranks(bits, key, block_bits=case["block_bits"], blocks=case["blocks"])
        assert ranks.tolist() == case["ranks"]
        assert rank_distance(ranks, np.zeros_like(ranks)) == sum(case["ranks"])


@pytest.mark.parametrize("parameters", [DEFAULT, COMPACT, RankingParameters(outputs=1024, group=128)])
def test_the_wire_gives_back_what_it_took(parameters: RankingParameters) -> None:
    ranks = random_ranks(parameters)
    data = pack_ranks(ranks, parameters=parameters)
    assert len(data) == parameters.template_bytes
    assert (parse_ranks(data, parameters=parameters) == ranks).all()


def test_sizes_and_the_highest_score() -> None:
    assert (DEFAULT.template_bytes, COMPACT.template_bytes, DEFAULT.highest_score) == (320, 256, 174_592)
    ranks = random_ranks()
    assert rank_score(ranks, ranks) == DEFAULT.highest_score
    assert rank_score(ranks, np.uint8(31) - ranks) == -DEFAULT.highest_score


def test_equal_values_are_ranked_by_index() -> None:
    assert local_ranks(np.zeros(512, np.int32))[:32].tolist() == list(range(32))


@pytest.mark.parametrize("length", [0, 319, 321])
def test_wrong_lengths_are_refused(length: int) -> None:
    with pytest.raises(MalformedTemplate):
        parse_ranks(bytes(length))


def test_repeated_ranks_are_refused() -> None:
    ranks = random_ranks()
    ranks[0] = ranks[1]
    with pytest.raises(MalformedTemplate):
        parse_ranks(pack_ranks(ranks))


@pytest.mark.parametrize(("outputs", "group"), [(512, 4), (512, 24), (512, 256), (500, 32), (0, 32), (32768, 32)])
def test_groups_out_of_range_are_refused(outputs: int, group: int) -> None:
    with pytest.raises(GroupOutOfRange):
        RankingParameters(outputs=outputs, group=group)


@pytest.mark.parametrize(("block_bits", "blocks"), [(0, 64), (4, 1), (4, 65), (17, 2), (5, 64)])
def test_published_groups_out_of_range_are_refused(block_bits: int, blocks: int) -> None:
    bits = np.zeros(1024, np.uint8)
    with pytest.raises(GroupOutOfRange):
        bit_ranks(bits, bits, block_bits=block_bits, blocks=blocks)


def test_another_token_leaves_no_likeness() -> None:
    embedding = np.random.default_rng(5).normal(size=128)
    one, other = (local_ranks(ranking_transform(fresh_token(), salt=b"").apply(embedding)) for _ in range(2))
    assert abs(rank_score(one, other)) < DEFAULT.highest_score / 3
