"""A payment's receipt is checked by anybody who has the key holder's key, without a server."""

import json
import secrets
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cli.conftest import Veilface
from veilface.cli import receipt
from veilface.cli.errors import ReceiptDiffers, ReceiptUnreadable
from veilface.protect.envelope import Header, MessageType, Outcome, Receipt, public_point, sha256, sign, sign_header
from veilface.protect.errors import BadSignature, ProtectError
from veilface.protect.payment import PaymentStatement, payee_name_hash
from veilface.server.base64url import decode, encode

DEVICE, KEYHOLDER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "keyholder.pub"
    file.write_text(public_point(KEYHOLDER.public_key()).hex() + "\n")
    return file


@pytest.fixture
def payment() -> dict[str, Any]:
    statement = PaymentStatement(
        payee_id=secrets.token_bytes(16),
        amount_minor=1_850,
        currency="CNY",
        exponent=2,
        order_nonce=secrets.token_bytes(16),
        payee_name_hash=payee_name_hash("小店"),
        expires_ms=2_000,
    )
    header = Header(
        type=MessageType.PAY,
        account_id=secrets.token_bytes(16),
        device_id=secrets.token_bytes(16),
        challenge=secrets.token_bytes(32),
        issued_ms=1_000,
        context_hash=statement.context_hash(),
        body_hash=sha256(b"probe"),
        template_hash=sha256(b"template"),
    )
    answer = Receipt(
        header_hash=sha256(header.to_bytes()),
        template_hash=header.template_hash,
        decision=MessageType.PAY,
        outcome=Outcome.ACCEPTED,
        consecutive_failures=0,
        total_decisions=1,
        time_ms=1_500,
        log_index=7,
        log_head=bytes(32),
    )
    signed = replace(answer, signature=sign(KEYHOLDER, answer.unsigned_bytes()))
    proof = {
        "statement": statement.to_bytes(),
        "header": header.to_bytes(),
        "signature": sign_header(DEVICE, header),
        "device_public_key": public_point(DEVICE.public_key()),
        "receipt": signed.to_bytes(),
    }
    shown = {name: asdict(statement)[name] for name in ("currency", "exponent")}
    encoded = {name: encode(data) for name, data in proof.items()}
    return shown | {"amount": 1_850, "payee_name": "小店", "proof": encoded}


def check(tmp_path: Path, key: Path, content: Any, *, as_json: bool = False) -> None:
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(content))
    receipt.verify(file, key=key, as_json=as_json)


def test_a_receipt_is_verified_from_its_signatures(
    veilface: Veilface, tmp_path: Path, key: Path, payment: dict[str, Any]
) -> None:
    file = tmp_path / "payment.json"
    file.write_text(json.dumps(payment))
    done = veilface("receipt", "verify", file, "--key", key)
    assert done.returncode == 0, done.stderr
    assert "18.50 CNY paid to “小店” at 1970-01-01T00:00:01+00:00" in done.stdout


def test_programs_get_what_was_signed(
    tmp_path: Path, key: Path, payment: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    check(tmp_path, key, payment, as_json=True)
    proven = json.loads(capsys.readouterr().out)
    assert (proven["amount"], proven["currency"], proven["log_index"]) == (1_850, "CNY", 7)
    assert decode(payment["proof"]["statement"])[8:24].hex() == proven["payee"]


@pytest.mark.parametrize(("field", "value"), [("amount", 18_500), ("payee_name", "大店"), ("currency", "USD")])
def test_what_was_not_signed_is_named(
    tmp_path: Path, key: Path, payment: dict[str, Any], field: str, value: Any
) -> None:
    with pytest.raises(ReceiptDiffers, match=field):
        check(tmp_path, key, payment | {field: value})


@pytest.mark.parametrize("field", ["statement", "header", "signature", "device_public_key", "receipt"])
def test_a_bent_proof_proves_nothing(tmp_path: Path, key: Path, payment: dict[str, Any], field: str) -> None:
    data = bytearray(decode(payment["proof"][field]))
    data[40] ^= 1
    bent = payment["proof"] | {field: encode(bytes(data))}
    with pytest.raises(ProtectError):
        check(tmp_path, key, payment | {"proof": bent})


def test_another_key_holder_vouches_for_nothing(tmp_path: Path, key: Path, payment: dict[str, Any]) -> None:
    key.write_text(public_point(DEVICE.public_key()).hex())
    with pytest.raises(BadSignature):
        check(tmp_path, key, payment)


@pytest.mark.parametrize("content", [7, [], {}, {"proof": 1}, {"proof": {"statement": "%"}}])
def test_what_is_no_receipt(tmp_path: Path, key: Path, content: Any) -> None:
    with pytest.raises(ReceiptUnreadable):
        check(tmp_path, key, content)
