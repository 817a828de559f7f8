"""Negative databases: records that hide, counts that match, parameters that are refused."""

import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from veilface.contract import CONTRACT
from veilface.protect.errors import MalformedTemplate, OneParity, RecordsOutOfRange
from veilface.protect.negative import (
    DEFAULT,
    RecordParameters,
    Records,
    estimated_distance,
    k_hidden,
    negative_score,
    negative_transform,
    pack_bits,
    parse_bits,
    parse_counts,
    refuse_weak,
    sign_bits,
)
from veilface.protect.published import (
    as_strings,
    complete_database,
    is_hidden,
    prefix_database,
    q_hidden_probabilities,
)
from veilface.protect.scheme import protection_of
from veilface.protect.suites import Suite


def load(vectors: Path) -> Any:
    return json.loads((vectors / "negative.json").read_text())


def stream(seed: str) -> Callable[[int], bytes]:
    """The randomness of the vectors: SHA-256(seed/0) ‖ SHA-256(seed/1) ‖ …"""
    blocks = (hashlib.sha256(f"{seed}/{index}".encode()).digest() for index in itertools.count())
    source = itertools.chain.from_iterable(blocks)
    return lambda length: bytes(itertools.islice(source, length))


def as_bits(text: str) -> np.ndarray:
    return np.array([int(bit) for bit in text], np.uint8)


def as_words(records: Records) -> list[str]:
    pairs = np.stack([records.positions, records.values], axis=-1).reshape(-1, 6)
    return [" ".join(map(str, row)) for row in pairs.tolist()]


def random_bits(length: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, length, dtype=np.uint8)


def hidden_strings(database: tuple[str, ...]) -> list[str]:
    every = map("".join, itertools.product("01", repeat=len(database[0])))
    return [candidate for candidate in every if is_hidden(candidate, database)]


def test_published_databases_hide_what_they_say(vectors: Path) -> None:
    for case in load(vectors)["databases"]:
        assert hidden_strings(tuple(case["records"])) == case["hidden"]


def test_records_and_counts_from_a_known_stream(vectors: Path) -> None:
    for case in load(vectors)["records"]:
        bits = as_bits(case["bits"])
        parameters = RecordParameters(length=len(bits), ratio=case["ratio"], probabilities=tuple(case["probabilities"]))
        records = k_hidden(bits, parameters=parameters, randomness=stream(case["seed"]))
        assert as_words(records) == case["records"]
        assert records.counts(len(bits)).tolist() == case["counts"]


def test_the_default_protection(vectors: Path) -> None:
    content = load(vectors)
    for case in content["cases"]:
        transform = negative_transform(bytes.fromhex(case["token"]), salt=bytes.fromhex(content["salt"]))
        bits = sign_bits(transform.apply(np.array(content["embeddings"][case["embedding"]])))
        records = k_hidden(bits, randomness=stream(case["seed"]))
        counts = records.counts(DEFAULT.length)
        assert pack_bits(bits).hex() == case["probe"]
        assert hashlib.sha256("\n".join(as_words(records)).encode()).hexdigest() == case["records_sha256"]
        assert counts.tobytes().hex() == case["counts"]
        assert negative_score(bits, counts) == case["score"]


def test_what_a_device_sends_for_suite_4(vectors: Path) -> None:
    content = load(vectors)
    case, found = content["scheme"], protection_of(Suite.NEGATIVE)
    embedding = np.array(content["embeddings"][case["embedding"]])
    probe = found.probe(embedding, key=bytes.fromhex(case["key"]), token=bytes.fromhex(case["token"]))
    assert (CONTRACT.contract_id.hex(), found.suite) == (case["contract_id"], case["suite"])
    assert probe.hex() == case["probe"]
    records = k_hidden(parse_bits(probe), randomness=stream(case["seed"]))
    assert records.counts(DEFAULT.length).tobytes().hex() == case["template"]


def test_no_record_matches_the_hidden_string() -> None:
    bits = random_bits(64)
    records = k_hidden(bits, parameters=RecordParameters(length=64))
    assert (bits[records.positions] != records.values).any(axis=1).all()
    assert (np.diff(records.positions.astype(int), axis=1) > 0).all()
    assert is_hidden("".join(map(str, bits)), as_strings(records, 64))


def test_wrong_values_come_as_often_as_the_probabilities_say() -> None:
    bits = random_bits(2048)
    parameters = RecordParameters(ratio=20, probabilities=(0.7, 0.24, 0.06))
    records = k_hidden(bits, parameters=parameters)
    wrong = (bits[records.positions] != records.values).sum(axis=1)
    shares = np.bincount(wrong, minlength=4)[1:] / len(wrong)
    assert shares == pytest.approx(parameters.probabilities, abs=0.015)


def test_the_order_of_positions_does_not_tell_which_are_wrong() -> None:
    bits = random_bits(2048)
    wrong = bits[(records := k_hidden(bits)).positions] != records.values
    assert wrong.mean(axis=0) == pytest.approx([DEFAULT.wrong_share] * 3, abs=0.03)


@pytest.mark.parametrize("flipped", [0, 300, 1024, 2048])
def test_the_score_stands_for_the_hamming_distance(flipped: int) -> None:
    bits, probe = random_bits(2048), random_bits(2048)
    probe[:] = bits
    probe[:flipped] ^= 1
    score = negative_score(probe, k_hidden(bits).counts(DEFAULT.length))
    assert estimated_distance(score) == pytest.approx(flipped / 2048, abs=0.05)


def test_counts_give_the_published_number_of_differing_values() -> None:
    bits, probe = random_bits(2048), random_bits(2048, seed=2)
    records = k_hidden(bits)
    differing = int((probe[records.positions] != records.values).sum())
    score = negative_score(probe, records.counts(DEFAULT.length))
    assert 3 * DEFAULT.records - score == 2 * differing


def test_q_hidden_is_k_hidden_with_binomial_probabilities(vectors: Path) -> None:
    for case in load(vectors)["q_hidden"]:
        assert q_hidden_probabilities(case["q"]) == pytest.approx(case["probabilities"], abs=1e-15)


def test_prefix_records(vectors: Path) -> None:
    case = load(vectors)["prefix"]
    assert prefix_database(as_bits(case["bits"])) == tuple(case["records"])


@pytest.mark.parametrize("make", [prefix_database, lambda bits: complete_database(bits, randomness=stream("any"))])
def test_complete_databases_hide_one_string_and_no_other(make: Callable[[np.ndarray], tuple[str, ...]]) -> None:
    bits = random_bits(10)
    assert hidden_strings(make(bits)) == ["".join(map(str, bits))]


@pytest.mark.parametrize("probabilities", [(0.9, 0.0, 0.1), (1.0, 0.0, 0.0)])
def test_odd_parities_are_refused(probabilities: tuple[float, float, float]) -> None:
    with pytest.raises(OneParity):
        refuse_weak(RecordParameters(probabilities=probabilities))


@pytest.mark.parametrize("probabilities", [(0.5, 0.5, 0.5), (1.1, -0.1, 0.0), (0.0, 0.0, 1.0), (0.2, 0.4, 0.4)])
def test_probabilities_out_of_range_are_refused(probabilities: tuple[float, float, float]) -> None:
    with pytest.raises(RecordsOutOfRange):
        RecordParameters(probabilities=probabilities)


def test_lengths_out_of_range_are_refused() -> None:
    with pytest.raises(RecordsOutOfRange):
        RecordParameters(length=2)
    with pytest.raises(RecordsOutOfRange):
        negative_transform(bytes(range(32)), salt=b"", parameters=RecordParameters(length=100))
    with pytest.raises(RecordsOutOfRange):
        complete_database(as_bits("10"), randomness=stream("any"))
    with pytest.raises(RecordsOutOfRange):
        q_hidden_probabilities(0)


def test_counts_that_do_not_fit_are_refused() -> None:
    parameters = RecordParameters(length=8, ratio=300)
    with pytest.raises(RecordsOutOfRange):
        k_hidden(np.ones(8, np.uint8), parameters=parameters).counts(8)


def test_the_wire_refuses_what_it_cannot_have_written() -> None:
    bits = random_bits(2048)
    assert (parse_bits(pack_bits(bits)) == bits).all()
    for data in (bytes(2047), bytes(2049), b"\x7f" * 2048):
        with pytest.raises(MalformedTemplate):
            parse_counts(data)
    with pytest.raises(MalformedTemplate):
        parse_bits(bytes(255))


@pytest.mark.parametrize(("size", "positions"), [(127, 217), (-128, 216), (41, 59), (40, 63), (14, 1974)])
def test_counts_that_would_accept_many_are_no_template(size: int, positions: int) -> None:
    """As many values as records have, but on few positions: 217 counts of ±127 accepted 14 to 32 % of strangers."""
    signs = 2 * random_bits(2048).astype(np.int64) - 1
    counts = np.where(np.arange(2048) < positions, size * (signs if size > 0 else 1), 0).astype(np.int8)
    assert np.abs(counts.astype(int)).sum() <= 3 * DEFAULT.records
    with pytest.raises(MalformedTemplate):
        parse_counts(counts.tobytes())


def test_what_a_device_makes_is_far_from_the_bounds() -> None:
    for seed in range(20):
        counts = k_hidden(random_bits(2048, seed=seed)).counts(DEFAULT.length)
        assert (parse_counts(counts.tobytes()) == counts).all()
        assert np.abs(counts).max() <= 32
        assert np.square(counts.astype(int)).sum() <= 70_000
