"""What a device must not believe: another key holder, a key or receipt that does not hold, a count that jumped."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests import canary
from tests.sdk.conftest import ME, NobodysFaces
from tests.support import PASSWORD
from veilface import launcher
from veilface.protect.envelope import KeyCert, KeyPurpose, Receipt, public_point, sha256, sign
from veilface.sdk import Device
from veilface.sdk.answers import bytes_field, encode_bytes
from veilface.sdk.errors import (
    Alarm,
    ClockWrong,
    KeyHolderChanged,
    KeyHolderDown,
    KeyNotTrusted,
    OriginMismatch,
    OtherModels,
    ReceiptGap,
    ReceiptNotTrusted,
    ServerRefused,
)
from veilface.sdk.folder import DeviceFolder, Pins
from veilface.sdk.trust import check_key, check_origin, fingerprint

Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Change], None]:
    """Puts somebody between device and server who changes the JSON answers of one path."""

    def install(path: str, change: Change) -> None:
        real = httpx.Client.send

        def send(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
            response = real(self, request, **options)
            if not request.url.path.endswith(path):
                return response
            return httpx.Response(response.status_code, json=change(response.json()), request=request)

        monkeypatch.setattr(httpx.Client, "send", send)

    return install


def pins_of(tmp_path: Path) -> Pins:
    return DeviceFolder(tmp_path / "device").pins()


def resigned(receipt: str, **changes: Any) -> str:
    """The receipt with other content: the signature no longer fits."""
    return encode_bytes(replace(Receipt.parse(bytes_field({"r": receipt}, "r")), **changes).to_bytes())


def stranger_key() -> bytes:
    return public_point(ec.generate_private_key(ec.SECP256R1()).public_key())


# --- the key holder --------------------------------------------------------------------------------------


def test_a_changed_key_holder_is_refused_before_anything_is_sent(
    device: Device, tmp_path: Path, between: Callable[[str, Change], None]
) -> None:
    device.enrol(ME)
    before = pins_of(tmp_path)
    other = encode_bytes(stranger_key())
    between("/site", lambda site: site | {"keyholder": site["keyholder"] | {"public_key": other}})
    with pytest.raises(KeyHolderChanged):
        device.verify(ME)
    assert pins_of(tmp_path) == before


def test_a_fingerprint_known_from_elsewhere_is_held_to(pair: launcher.Running, tmp_path: Path) -> None:
    with pytest.raises(KeyHolderChanged):
        Device.register(
            tmp_path / "device",
            server=pair.url,
            username="careful",
            password=PASSWORD,
            accept_terms=True,
            keyholder_fingerprint=fingerprint(stranger_key()),
        )
    assert not DeviceFolder(tmp_path / "device").exists()


def test_a_server_without_its_key_holder_says_so(device: Device, between: Callable[[str, Change], None]) -> None:
    between("/site", lambda site: site | {"keyholder": {"public_key": None, "fingerprint": None, "ready": False}})
    with pytest.raises(KeyHolderDown):
        device.verify(ME)


def test_other_models_are_noticed(device: Device, between: Callable[[str, Change], None]) -> None:
    def with_other_models(site: dict[str, Any]) -> dict[str, Any]:
        schemes = [scheme | {"model_fp": encode_bytes(bytes(32))} for scheme in site["contract"]["schemes"]]
        return site | {"contract": site["contract"] | {"schemes": schemes}}

    between("/site", with_other_models)
    with pytest.raises(OtherModels):
        device.verify(ME)


@pytest.mark.parametrize("origin", ["http://localhost:1", "https://bank.example", "http://other.example:8000"])
def test_signatures_for_another_site_are_refused(origin: str) -> None:
    with pytest.raises(OriginMismatch):
        check_origin(server="http://localhost:8000", origin=origin)


@pytest.mark.parametrize(
    ("server", "origin"),
    [
        ("http://127.0.0.1:8000/", "http://localhost:8000"),
        ("https://face.example", "https://face.example:443"),
        ("http://[::1]:80", "http://localhost"),
    ],
)
def test_one_place_may_have_several_names(server: str, origin: str) -> None:
    check_origin(server=server, origin=origin)


# --- the encryption key ----------------------------------------------------------------------------------

KEYHOLDER = ec.generate_private_key(ec.SECP256R1())
ACCOUNT, PUBLIC_KEY, NOW_MS = bytes(range(16)), b"\1" * 98_304, 1_800_000_000_000
PINS = Pins(keyholder_key=public_point(KEYHOLDER.public_key()).hex())


def certificate(signer: ec.EllipticCurvePrivateKey = KEYHOLDER, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "purpose": KeyPurpose.ACCOUNT,
        "subject_id": ACCOUNT,
        "epoch": 4,
        "not_before": NOW_MS - 1,
        "not_after": NOW_MS + 1,
        "key_fp": sha256(PUBLIC_KEY),
    }
    cert = KeyCert(**fields | changes)
    return replace(cert, signature=sign(signer, cert.unsigned_bytes())).to_bytes()


def check(cert: bytes, pins: Pins = PINS) -> KeyCert:
    return check_key(pins=pins, account_id=ACCOUNT, certificate=cert, public_key=PUBLIC_KEY, now_ms=NOW_MS)


def test_a_key_that_is_vouched_for_is_taken() -> None:
    assert check(certificate()).epoch == 4
    assert check(certificate(), replace(PINS, epoch=4, key_fp=sha256(PUBLIC_KEY).hex())).epoch == 4


@pytest.mark.parametrize(
    ("cert", "pins", "failed"),
    [
        (certificate(ec.generate_private_key(ec.SECP256R1())), PINS, "signature"),
        (b"", PINS, "signature"),
        (certificate(purpose=KeyPurpose.GALLERY), PINS, "purpose"),
        (certificate(subject_id=bytes(16)), PINS, "subject"),
        (certificate(not_after=NOW_MS - 3_600_000), PINS, "dates"),
        (certificate(not_before=NOW_MS + 3_600_000), PINS, "dates"),
        (certificate(key_fp=bytes(32)), PINS, "fingerprint"),
        (certificate(), replace(PINS, epoch=5), "epoch"),
        (certificate(), replace(PINS, epoch=4, key_fp="00" * 32), "pinned key"),
    ],
)
def test_a_key_that_is_not_is_refused(cert: bytes, pins: Pins, failed: str) -> None:
    with pytest.raises(KeyNotTrusted) as alarm:
        check(cert, pins)
    assert alarm.value.details["check"] == failed
    assert isinstance(alarm.value, ClockWrong) == (failed == "dates")


def test_a_swapped_certificate_is_noticed_and_nothing_is_encrypted(
    device: Device, between: Callable[[str, Change], None]
) -> None:
    between("/challenges", lambda grant: grant | {"key_cert": encode_bytes(certificate())})
    with pytest.raises(KeyNotTrusted):
        device.enrol(ME)


# --- receipts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"total_decisions": 7},
        {"template_hash": bytes(32)},
        {"header_hash": bytes(32)},
        {"signature": bytes(64)},
    ],
)
def test_a_receipt_that_was_changed_voids_the_result(
    device: Device, between: Callable[[str, Change], None], changes: dict[str, Any]
) -> None:
    device.enrol(ME)
    between("/verifications", lambda answer: answer | {"receipt": resigned(answer["receipt"], **changes)})
    with pytest.raises(ReceiptNotTrusted):
        device.verify(ME)


def test_the_servers_word_may_not_differ_from_the_receipt(
    device: Device, between: Callable[[str, Change], None]
) -> None:
    device.enrol(ME)
    between("/verifications", lambda answer: answer | {"accepted": True, "outcome": "accepted"})
    with pytest.raises(ReceiptNotTrusted) as alarm:
        device.verify(b"a stranger")
    assert alarm.value.details["check"] == "outcome"


def test_somebody_elses_decisions_raise_the_alarm_once(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    second = Device.login(
        tmp_path / "second",
        server=device.account.server,
        username=device.account.username,
        password=PASSWORD,
        faces=NobodysFaces(),
    )
    device.approve(second.account.device_id, fingerprint=second.fingerprint)
    assert second.verify(ME).accepted
    with pytest.raises(ReceiptGap) as alarm:
        device.verify(ME)
    assert (alarm.value.details["got"], alarm.value.details["expected"]) == (3, 2)
    assert isinstance(alarm.value, Alarm)
    assert device.verify(ME).accepted


def test_a_memory_set_back_raises_the_alarm(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    pins = pins_of(tmp_path)
    DeviceFolder(tmp_path / "device").write_pins(replace(pins, decisions=9))
    with pytest.raises(ReceiptGap):
        device.verify(ME)


def test_a_lost_answer_is_remembered_and_explains_one_decision(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.enrol(ME)
    real = httpx.Client.send

    def lose(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        response = real(self, request, **options)
        if request.url.path.endswith("/verifications"):
            raise httpx.ReadTimeout("", request=request)
        return response

    with monkeypatch.context() as lossy:
        lossy.setattr(httpx.Client, "send", lose)
        with pytest.raises(Exception, match="server_unreachable"):
            device.verify(ME)
    assert pins_of(tmp_path).unanswered == 1
    assert device.verify(ME).receipt.total_decisions == 3
    assert pins_of(tmp_path).unanswered == 0


def test_a_refused_enrolment_brings_its_receipt(device: Device, tmp_path: Path) -> None:
    """The key holder pauses after five failures; that refusal is counted like any other answer."""
    device.enrol(ME)
    for _ in range(5):
        assert not device.verify(b"a stranger").accepted
    assert device.verify(ME).outcome.name == "RETRY_LATER"
    with pytest.raises(ServerRefused) as refusal:
        device.renew(ME, password=PASSWORD)
    assert refusal.value.server_code == "server.enrolment_paused"
    pins = pins_of(tmp_path)
    assert (pins.decisions, pins.unanswered) == (8, 0)


def test_the_folder_holds_no_face(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    device.verify(ME)
    assert canary.search(NobodysFaces().embedding(ME).astype(np.float64), tmp_path) == []
