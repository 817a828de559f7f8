"""What crosses the wall is parsed strictly, or not at all."""

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veilface.keyholder import errors, messages
from veilface.keyholder.messages import AccountStatus, DeviceRecord, Grant, Identity, Layout, SignedHead
from veilface.protect.suites import Suite

if TYPE_CHECKING:
    from veilface.errors import Detail

EXAMPLES: list[Any] = [
    Identity(public_key=bytes(65)),
    DeviceRecord(device_id=bytes(16), state="pending", active_from_ms=2**63),
    Grant(challenge=bytes(32), expires_ms=1),
    Grant(
        challenge=bytes(32),
        expires_ms=0,
        key_cert=bytes(138),
        key_fp=bytes(32),
        epoch=2**32 - 1,
        suite=Suite.NEGATIVE,
        template_hash=bytes(32),
    ),
    AccountStatus(epoch=None, key_fp=None, template_hash=None, devices=(), disabled=False, retry_at_ms=None),
    AccountStatus(
        epoch=1,
        key_fp=bytes(32),
        template_hash=bytes(32),
        devices=(DeviceRecord(device_id=bytes(16), state="revoked", active_from_ms=0),),
        disabled=True,
        retry_at_ms=5,
    ),
    SignedHead(index=2**64 - 1, head=bytes(32), time_ms=0, signature=bytes(64)),
]


@pytest.mark.parametrize("value", EXAMPLES, ids=repr)
def test_an_answer_comes_through_whole(value: Any) -> None:
    assert messages.load(type(value), messages.dump(value)) == value


WRONG: list[Any] = [1.5, True, [], {}, "zz", "AA" * 400, -1, 2**64, "0x1"]


def spoilt(value: Any) -> list[dict[str, Any]]:
    content = json.loads(messages.dump(value))
    name = next(iter(content))
    return [
        {**content, "more": 1},
        {key: item for key, item in content.items() if key != name},
        *({**content, name: wrong} for wrong in WRONG),
    ]


@pytest.mark.parametrize("value", EXAMPLES, ids=repr)
def test_a_spoilt_answer_is_refused(value: Any) -> None:
    for content in spoilt(value):
        with pytest.raises(errors.Malformed):
            messages.load(type(value), json.dumps(content).encode())


@given(st.binary(max_size=200))
def test_no_answer_at_all_is_refused(data: bytes) -> None:
    for kind in (Identity, Grant, AccountStatus):
        with pytest.raises(errors.Malformed):
            messages.load(kind, data)


def test_a_deep_or_long_answer_is_refused() -> None:
    for data in (b"[" * 60_000, b" " * (messages.ANSWER_LIMIT + 1)):
        with pytest.raises(errors.Malformed):
            messages.load(Grant, data)


@given(st.binary(min_size=3, max_size=3), st.binary(min_size=2, max_size=2))
def test_fields_of_fixed_length_come_through_whole(first: bytes, second: bytes) -> None:
    layout = Layout({"first": 3, "second": 2})
    assert layout.lengths == {5}
    assert layout.unpack(layout.pack(first=first, second=second)) == {"first": first, "second": second}


@given(st.binary(min_size=3, max_size=3), st.sampled_from([0, 8]))
def test_evidence_has_one_of_its_lengths(first: bytes, length: int) -> None:
    layout = Layout({"first": 3}, frozenset({0, 8}))
    assert layout.lengths == {3, 11}
    evidence = bytes(length)
    assert layout.unpack(layout.pack(first=first, evidence=evidence)) == {"first": first, "evidence": evidence}
    for other in (evidence + b"\0", bytes(7)):
        with pytest.raises(errors.Malformed):
            layout.pack(first=first, evidence=other)
        with pytest.raises(errors.Malformed):
            layout.unpack(first + other)


@given(st.binary(max_size=20).filter(lambda data: len(data) != 5))
def test_another_length_is_refused(data: bytes) -> None:
    layout = Layout({"first": 3, "second": 2})
    with pytest.raises(errors.Malformed):
        layout.unpack(data)
    with pytest.raises(errors.Malformed):
        layout.pack(first=data, second=b"")


def test_the_lengths_of_protocol_5_and_7() -> None:
    assert messages.REQUESTS["enrol"].lengths == {320, 196_928}
    assert messages.REQUESTS["verify"].lengths == {328, 307_520}


@pytest.mark.parametrize("error", errors.by_code().values())
def test_an_error_comes_through_as_itself(error: type[errors.KeyHolderError]) -> None:
    details: dict[str, Detail] = {"field": "x", "got": 1, "expected": "2 B"}
    loaded = messages.load_error(messages.dump_error(error(**details)))
    assert type(loaded) is error
    assert loaded.details == details


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"code":"x","details":{}}', b'{"code":[],"details":{}}', b"\xff"]
)
def test_what_is_no_error_means_no_answer(data: bytes) -> None:
    assert isinstance(messages.load_error(data), errors.KeyHolderUnavailable)
