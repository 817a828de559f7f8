"""The 80 bytes of a liveness check: written one way, read strictly (vectors/liveness-record.json)."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veilface.protect.errors import MalformedEnvelope
from veilface.protect.liveness import ACTIONS, LivenessRecord, MovementShown

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/liveness-record.json").read_text("ascii"))

steps = st.builds(
    lambda action, prompted, took, frames: MovementShown(
        action=action, prompted_ms=prompted, done_ms=prompted + took, frames=frames
    ),
    st.sampled_from(ACTIONS),
    st.integers(0, 30_000),
    st.integers(0, 6_000),
    st.integers(1, 255),
)
records = st.builds(
    LivenessRecord,
    steps=st.lists(steps, min_size=1, max_size=4),
    frames=st.integers(1, 65_535),
    duration_ms=st.integers(36_000, 65_535),
    kept=st.integers(1, 255),
    commitment=st.binary(min_size=32, max_size=32),
    detector=st.booleans(),
)


@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(vector: dict[str, object]) -> None:
    data = bytes.fromhex(str(vector["bytes"]))
    record = LivenessRecord.parse(data)
    assert [[one.action, one.prompted_ms, one.done_ms, one.frames] for one in record.steps] == vector["steps"]
    assert [record.frames, record.duration_ms, record.kept, record.detector] == vector["counts"]
    assert record.commitment.hex() == vector["commitment"]


@given(records)
def test_what_is_written_is_read(record: LivenessRecord) -> None:
    data = record.to_bytes()
    assert len(data) == LivenessRecord.BYTES
    assert LivenessRecord.parse(data) == record


@given(records, st.integers(0, 79), st.integers(1, 255))
def test_other_bytes_are_refused_or_mean_something_else(record: LivenessRecord, place: int, flipped: int) -> None:
    data = bytearray(record.to_bytes())
    data[place] ^= flipped
    with suppress(MalformedEnvelope):
        assert LivenessRecord.parse(bytes(data)) != record


@pytest.mark.parametrize("length", [0, 79, 81])
def test_other_lengths_are_refused(length: int) -> None:
    with pytest.raises(MalformedEnvelope):
        LivenessRecord.parse(bytes(length))
