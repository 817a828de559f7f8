"""``veilface receipt verify``: what a payment's receipt proves, checked without any server."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from veilface.cli.errors import ReceiptDiffers, ReceiptUnreadable
from veilface.cli.options import JsonFlag
from veilface.cli.output import emit, say
from veilface.messages import text
from veilface.protect.envelope import Header, Receipt
from veilface.protect.payment import PaymentProof, PaymentStatement, payee_name_hash


def verify(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help=text("cli.argument.receipt"))],
    *,
    key: Annotated[Path, typer.Option("--key", exists=True, dir_okay=False, help=text("cli.option.keyholder_key"))],
    as_json: JsonFlag = False,
) -> None:
    """Checks the payer's and the key holder's signatures, and that what the file shows is what they signed."""
    payment, proof = read(file)
    statement = proof.verify(read_key(key))
    check_shown(payment, statement)
    receipt = Receipt.parse(proof.receipt)
    time = datetime.fromtimestamp(receipt.time_ms / 1000, UTC).isoformat(timespec="seconds")
    proven = {
        "amount": statement.amount_minor,
        "currency": statement.currency,
        "exponent": statement.exponent,
        "payee": statement.payee_id.hex(),
        "payer": Header.parse(proof.header).account_id.hex(),
        "time": time,
        "log_index": receipt.log_index,
    }
    if as_json:
        emit(proven)
    else:
        shown = f"{statement.amount_minor / 10**statement.exponent:.{statement.exponent}f} {statement.currency}"
        say("cli.receipt.verified", amount=shown, payee=str(payment.get("payee_name") or proven["payee"]), time=time)


def read(file: Path) -> tuple[Mapping[str, Any], PaymentProof]:
    """A payment as the server shows it (``GET /wallet/payments/{id}``) and its proof; raises ``ReceiptUnreadable``."""
    from veilface.server.base64url import decode

    try:
        payment = json.loads(file.read_text("utf-8"))
        proof = PaymentProof(**{field.name: decode(payment["proof"][field.name]) for field in fields(PaymentProof)})
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ReceiptUnreadable(path=str(file)) from None
    return payment, proof


def read_key(file: Path) -> bytes:
    """The key holder's public key (65 B) from a file with its hex digits, like ``keyholder.pub``."""
    try:
        return bytes.fromhex(file.read_text("ascii"))
    except ValueError:
        raise ReceiptUnreadable(path=str(file)) from None


def check_shown(payment: Mapping[str, Any], statement: PaymentStatement) -> None:
    """Raise :class:`ReceiptDiffers` where the file says something else than was signed."""
    signed = {
        "amount": statement.amount_minor,
        "currency": statement.currency,
        "exponent": statement.exponent,
    }
    for name, value in signed.items():
        if payment.get(name, value) != value:
            raise ReceiptDiffers(field=name, got=str(payment[name]), expected=str(value))
    payee = payment.get("payee_name")
    if payee is not None and payee_name_hash(str(payee)) != statement.payee_name_hash:
        raise ReceiptDiffers(field="payee_name", got=str(payee), expected=statement.payee_name_hash.hex())


COMMANDS: Final = {"verify": verify}
