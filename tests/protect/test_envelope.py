import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from veilface.protect import envelope
from veilface.protect.envelope import Header, KeyCert, KeyPurpose, MessageType, Outcome, Receipt
from veilface.protect.errors import BadSignature, BodyMismatch, MalformedEnvelope
from veilface.protect.suites import Suite

hashes = st.binary(min_size=32, max_size=32)
ids = st.binary(min_size=16, max_size=16)
u64 = st.integers(0, 2**64 - 1)
headers = st.builds(
    Header,
    type=st.sampled_from(MessageType),
    account_id=ids,
    device_id=ids,
    key_fp=hashes,
    model_fp=hashes,
    challenge=hashes,
    issued_ms=u64,
    context_hash=hashes,
    body_hash=hashes,
    suite=st.sampled_from(Suite),
    template_hash=hashes,
)
OFFSETS = {
    "magic": (0, 4),
    "type": (4, 5),
    "suite": (5, 6),
    "account_id": (8, 24),
    "device_id": (24, 40),
    "key_fp": (40, 72),
    "model_fp": (72, 104),
    "challenge": (104, 136),
    "issued_ms": (136, 144),
    "context_hash": (144, 176),
    "body_hash": (176, 208),
    "template_hash": (208, 240),
}


def header(**changed: Any) -> Header:
    fields: dict[str, Any] = {
        "type": MessageType.VERIFY,
        "account_id": b"a" * 16,
        "device_id": b"d" * 16,
        "challenge": b"c" * 32,
        "issued_ms": 1,
        "context_hash": b"x" * 32,
        "body_hash": envelope.sha256(b"body"),
    }
    return Header(**(fields | changed))


@pytest.fixture(scope="module")
def signer() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


# --- header ---


@given(headers)
def test_a_header_round_trips(original: Header) -> None:
    data = original.to_bytes()
    assert len(data) == 256
    assert Header.parse(data) == original
    for name in ("account_id", "key_fp", "challenge", "body_hash", "template_hash"):
        start, end = OFFSETS[name]
        assert data[start:end] == getattr(original, name)
    assert int.from_bytes(data[136:144], "big") == original.issued_ms
    assert data[5] == original.suite


@pytest.mark.parametrize("length", [0, 255, 257, 320])
def test_a_header_of_wrong_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedEnvelope):
        Header.parse(bytes(length))


@pytest.mark.parametrize(
    ("offset", "value", "field"),
    [
        (0, 0, "magic"),
        (4, 0, "type"),
        (4, 9, "type"),
        (4, 18, "type"),
        (5, 0, "suite"),
        (5, 2, "suite"),
        (5, 5, "suite"),
        (6, 1, "zero"),
        (7, 1, "zero"),
        (240, 1, "padding"),
        (255, 128, "padding"),
    ],
)
def test_a_deviating_byte_is_refused(offset: int, value: int, field: str) -> None:
    data = bytearray(header().to_bytes())
    data[offset] = value
    with pytest.raises(MalformedEnvelope) as refused:
        Header.parse(bytes(data))
    assert refused.value.details["field"] == field


@pytest.mark.parametrize(
    "changed", [{"account_id": b""}, {"challenge": b"c" * 31}, {"issued_ms": -1}, {"issued_ms": 2**64}]
)
def test_a_field_of_wrong_size_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedEnvelope):
        header(**changed)


# --- messages ---


def test_a_message_is_taken_apart() -> None:
    data = envelope.join_message(header=header().to_bytes(), signature=b"s" * 64, body=b"body")
    message = envelope.split_message(data, body_bytes=4)
    assert message.header == header()
    assert (message.signature, message.body) == (b"s" * 64, b"body")


@pytest.mark.parametrize("cut", [-1, 1])
def test_a_message_of_wrong_length_is_refused(cut: int) -> None:
    data = envelope.join_message(header=header().to_bytes(), signature=b"s" * 64, body=b"body")
    with pytest.raises(MalformedEnvelope):
        envelope.split_message(data, body_bytes=4 + cut)


def test_the_suite_says_how_long_a_body_is() -> None:
    data = envelope.join_message(header=header(suite=Suite.NEGATIVE).to_bytes(), signature=b"s" * 64, body=b"body")
    assert envelope.split_message(data, body_bytes={Suite.HOMOMORPHIC: 5, Suite.NEGATIVE: 4}).body == b"body"
    with pytest.raises(MalformedEnvelope):
        envelope.split_message(data, body_bytes={Suite.HOMOMORPHIC: 4, Suite.NEGATIVE: 5})


def test_another_body_is_refused() -> None:
    data = envelope.join_message(header=header().to_bytes(), signature=b"s" * 64, body=b"bodi")
    with pytest.raises(BodyMismatch):
        envelope.split_message(data, body_bytes=4)


# --- signatures ---


def test_a_signature_verifies_and_any_change_breaks_it(signer: ec.EllipticCurvePrivateKey) -> None:
    public, data = envelope.public_point(signer.public_key()), header().to_bytes()
    signature = envelope.sign_header(signer, header())
    assert (len(public), len(signature)) == (65, 64)
    envelope.verify_signature(public, data, signature)
    other = envelope.public_point(ec.generate_private_key(ec.SECP256R1()).public_key())
    for key, what, by in (
        (public, data[:-1] + b"\x01", signature),
        (public, data, signature[:-1] + bytes([signature[-1] ^ 1])),
        (public, data, signature[:-1]),
        (public, data, bytes(64)),
        (public, data, b"\xff" * 64),
        (other, data, signature),
    ):
        with pytest.raises(BadSignature):
            envelope.verify_signature(key, what, by)


@pytest.mark.parametrize("point", [b"", bytes(65), b"\x04" + bytes(64), b"\x02" + bytes(32)])
def test_what_is_no_point_is_refused(point: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        envelope.verify_signature(point, b"", bytes(64))


# --- certificate and receipt ---


def certificate(signer: ec.EllipticCurvePrivateKey) -> KeyCert:
    draft = KeyCert(
        purpose=KeyPurpose.ACCOUNT,
        subject_id=b"a" * 16,
        epoch=3,
        not_before=5,
        not_after=9,
        key_fp=b"k" * 32,
        suite=Suite.RANKING,
    )
    return dataclasses.replace(draft, signature=envelope.sign(signer, draft.unsigned_bytes()))


def receipt(signer: ec.EllipticCurvePrivateKey) -> Receipt:
    draft = Receipt(
        header_hash=envelope.sha256(header().to_bytes()),
        template_hash=b"t" * 32,
        decision=MessageType.VERIFY,
        outcome=Outcome.NOT_ACCEPTED,
        consecutive_failures=2,
        total_decisions=7,
        time_ms=1_700_000_000_000,
        log_index=11,
        log_head=b"h" * 32,
    )
    return dataclasses.replace(draft, signature=envelope.sign(signer, draft.unsigned_bytes()))


def test_a_certificate_round_trips_and_every_byte_counts(signer: ec.EllipticCurvePrivateKey) -> None:
    public, cert = envelope.public_point(signer.public_key()), certificate(signer)
    data = cert.to_bytes()
    assert len(data) == KeyCert.BYTES == 138
    assert KeyCert.parse(data) == cert
    KeyCert.parse(data).verify(public)
    for offset in range(0, 138, 5):
        changed = bytearray(data)
        changed[offset] ^= 1
        with pytest.raises((BadSignature, MalformedEnvelope)):
            KeyCert.parse(bytes(changed)).verify(public)


def test_a_receipt_round_trips_and_every_byte_counts(signer: ec.EllipticCurvePrivateKey) -> None:
    public, signed = envelope.public_point(signer.public_key()), receipt(signer)
    data = signed.to_bytes()
    assert len(data) == Receipt.BYTES == 192
    assert Receipt.parse(data) == signed
    Receipt.parse(data).verify(public, header=header().to_bytes())
    for offset in range(0, 192, 5):
        changed = bytearray(data)
        changed[offset] ^= 1
        with pytest.raises((BadSignature, MalformedEnvelope)):
            Receipt.parse(bytes(changed)).verify(public, header=header().to_bytes())


def test_a_receipt_answers_one_header_only(signer: ec.EllipticCurvePrivateKey) -> None:
    public = envelope.public_point(signer.public_key())
    with pytest.raises(MalformedEnvelope):
        receipt(signer).verify(public, header=header(issued_ms=2).to_bytes())


def test_a_signature_of_another_key_holder_is_refused(signer: ec.EllipticCurvePrivateKey) -> None:
    other = envelope.public_point(ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(BadSignature):
        certificate(signer).verify(other)
    with pytest.raises(BadSignature):
        receipt(signer).verify(other, header=header().to_bytes())


# --- vectors ---


def test_vectors(vectors: Path) -> None:
    data = json.loads((vectors / "envelope.json").read_text())
    public = bytes.fromhex(data["public_key"])
    for case in data["headers"]:
        fields: dict[str, Any] = {
            name: bytes.fromhex(value) for name, value in case["fields"].items() if isinstance(value, str)
        }
        fields |= {"type": MessageType(case["fields"]["type"]), "suite": Suite(case["fields"]["suite"])}
        built = Header(issued_ms=case["fields"]["issued_ms"], **fields)
        assert built.to_bytes().hex() == case["bytes"]
        envelope.verify_signature(public, built.to_bytes(), bytes.fromhex(case["signature"]))
    for case in data["contexts"]:
        binding = bytes.fromhex(case["binding"])
        assert envelope.context_hash(case["label"].encode(), case["origin"], binding).hex() == case["hash"]
    device = data["device_context"]
    device_id = bytes.fromhex(device["device_id"])
    assert envelope.device_context(bytes.fromhex(device["public_key"]), device_id).hex() == device["hash"]
    assert envelope.revocation_context(device_id).hex() == data["revocation_context"]["hash"]
    for case in data["gallery_contexts"]:
        assert envelope.gallery_context(bytes.fromhex(case["gallery"]), case["act"]).hex() == case["hash"]
    search = data["search_context"]
    assert envelope.search_context(bytes.fromhex(search["gallery"])).hex() == search["hash"]
    cert = KeyCert.parse(bytes.fromhex(data["key_cert"]["bytes"]))
    cert.verify(public)
    assert (cert.epoch, cert.suite) == (data["key_cert"]["epoch"], data["key_cert"]["suite"])
    answered = bytes.fromhex(data["headers"][0]["bytes"])
    Receipt.parse(bytes.fromhex(data["receipt"]["bytes"])).verify(public, header=answered)
