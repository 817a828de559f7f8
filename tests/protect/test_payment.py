"""A payment's statement and proof: 120 bytes that say one thing, and five pieces that only fit together."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from veilface.protect.envelope import Header, MessageType, Outcome, Receipt, public_point, sha256, sign, sign_header
from veilface.protect.errors import BadSignature, MalformedEnvelope
from veilface.protect.payment import STATEMENT_BYTES, PaymentProof, PaymentStatement, payee_name_hash

ids = st.binary(min_size=16, max_size=16)
statements = st.builds(
    PaymentStatement,
    payee_id=ids,
    amount_minor=st.integers(1, 2**64 - 1),
    currency=st.text("ABCXYZ", min_size=3, max_size=3),
    exponent=st.integers(0, 4),
    order_nonce=ids,
    payee_name_hash=st.text(max_size=40).map(payee_name_hash),
    expires_ms=st.integers(0, 2**64 - 1),
)
NOW_MS = 1_700_000_000_000
STATEMENT = PaymentStatement(
    payee_id=b"p" * 16,
    amount_minor=1_850,
    currency="CNY",
    exponent=2,
    order_nonce=b"n" * 16,
    payee_name_hash=payee_name_hash("街角咖啡"),
    expires_ms=NOW_MS + 300_000,
)
DEVICE, KEYHOLDER = (ec.derive_private_key(seed, ec.SECP256R1()) for seed in (7, 11))
KEYHOLDER_POINT = public_point(KEYHOLDER.public_key())


def proof(*, type_: MessageType = MessageType.PAY, **answer: Any) -> PaymentProof:
    """Everything fits, but for what ``answer`` bends in the receipt before it is signed."""
    header = Header(
        type=type_,
        account_id=b"a" * 16,
        device_id=b"d" * 16,
        challenge=b"c" * 32,
        issued_ms=NOW_MS,
        context_hash=STATEMENT.context_hash(),
        body_hash=sha256(b"probe"),
        template_hash=b"t" * 32,
    )
    fields: dict[str, Any] = {
        "header_hash": sha256(header.to_bytes()),
        "template_hash": header.template_hash,
        "decision": type_,
        "outcome": Outcome.ACCEPTED,
        "consecutive_failures": 0,
        "total_decisions": 9,
        "time_ms": NOW_MS + 900,
        "log_index": 3,
        "log_head": bytes(32),
    }
    receipt = Receipt(**(fields | answer))
    return PaymentProof(
        statement=STATEMENT.to_bytes(),
        header=header.to_bytes(),
        signature=sign_header(DEVICE, header),
        device_public_key=public_point(DEVICE.public_key()),
        receipt=replace(receipt, signature=sign(KEYHOLDER, receipt.unsigned_bytes())).to_bytes(),
    )


@given(statements)
def test_a_statement_is_its_120_bytes(statement: PaymentStatement) -> None:
    data = statement.to_bytes()
    assert len(data) == STATEMENT_BYTES
    assert PaymentStatement.parse(data) == statement


@given(statements, st.integers(0, STATEMENT_BYTES - 1), st.integers(1, 255))
def test_no_two_statements_share_their_bytes(statement: PaymentStatement, place: int, flip: int) -> None:
    data = bytearray(statement.to_bytes())
    data[place] ^= flip
    with suppress(MalformedEnvelope):
        assert PaymentStatement.parse(bytes(data)) != statement


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount_minor", 0), ("amount_minor", -1), ("currency", "cny"), ("currency", "元元元"), ("exponent", 9)],
)
def test_a_statement_that_says_nothing_cannot_be_made(field: str, value: Any) -> None:
    with pytest.raises(MalformedEnvelope) as refused:
        replace(STATEMENT, **{field: value})
    assert refused.value.details["field"] == field


def test_a_proof_says_what_was_paid() -> None:
    assert proof().verify(KEYHOLDER_POINT) == STATEMENT


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"outcome": Outcome.NOT_ACCEPTED}, "class"),
        ({"decision": MessageType.VERIFY}, "decision"),
        ({"template_hash": b"u" * 32}, "template_hash"),
        ({"header_hash": b"h" * 32}, "header_hash"),
        ({"time_ms": STATEMENT.expires_ms + 1}, "time_ms"),
    ],
)
def test_another_answer_of_the_key_holder_is_no_proof(answer: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedEnvelope) as refused:
        proof(**answer).verify(KEYHOLDER_POINT)
    assert refused.value.details["field"] == field


def test_a_login_pays_for_nothing() -> None:
    with pytest.raises(MalformedEnvelope) as refused:
        proof(type_=MessageType.VERIFY).verify(KEYHOLDER_POINT)
    assert refused.value.details["field"] == "type"


@pytest.mark.parametrize("changed", [{"amount_minor": 1_851}, {"payee_id": b"q" * 16}, {"order_nonce": b"m" * 16}])
def test_a_changed_statement_is_not_what_was_signed(changed: dict[str, Any]) -> None:
    other = replace(proof(), statement=replace(STATEMENT, **changed).to_bytes())
    with pytest.raises(MalformedEnvelope) as refused:
        other.verify(KEYHOLDER_POINT)
    assert refused.value.details["field"] == "context_hash"


def test_both_signatures_count() -> None:
    with pytest.raises(BadSignature):
        replace(proof(), signature=sign(KEYHOLDER, proof().header)).verify(KEYHOLDER_POINT)
    with pytest.raises(BadSignature):
        proof().verify(public_point(DEVICE.public_key()))


def test_vectors(vectors: Path) -> None:
    case = json.loads((vectors / "payment.json").read_text())
    public = bytes.fromhex(case["public_key"])
    fields: dict[str, Any] = {name: bytes.fromhex(v) if len(str(v)) >= 32 else v for name, v in case["fields"].items()}
    statement = PaymentStatement(**fields)
    assert statement.to_bytes().hex() == case["statement"]
    assert statement.context_hash().hex() == case["context_hash"]
    assert statement.payee_name_hash == payee_name_hash(case["payee_name"])
    pieces = {name: bytes.fromhex(case[name]) for name in ("statement", "header", "signature", "receipt")}
    assert PaymentProof(device_public_key=public, **pieces).verify(public) == statement
