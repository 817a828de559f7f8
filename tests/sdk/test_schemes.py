"""Every protection through a real server and a real key holder: chosen, verified, renewed, and cut short."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sdk.conftest import ME, STRANGER, NobodysFaces
from tests.support import PASSWORD
from veilface.protect.envelope import Outcome
from veilface.protect.errors import UnknownScheme
from veilface.protect.scheme import protection, protections
from veilface.sdk import SCHEMES, Client, Device
from veilface.sdk.answers import Challenge
from veilface.sdk.errors import (
    KeyNotTrusted,
    OtherProtection,
    ProtectionUnknown,
    SdkError,
    ServerRefused,
    ServerUnreachable,
    TokenElsewhere,
)

KEYED = [found.name for found in protections() if found.token_bytes]
ROOT = Path(__file__).parents[2]


def tokens(folder: Path) -> dict[int, bytes]:
    """The tokens in a device's folder by their epochs."""
    return {int(file.stem.partition("-")[2]): file.read_bytes() for file in (folder / "tokens").glob("*.token")}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Everything that leaves this process."""
    requests: list[httpx.Request] = []
    real = httpx.Client.send

    def send(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        requests.append(request)
        return real(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", send)
    return requests


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_life_under_every_protection(
    device: Device, tmp_path: Path, scheme: str, sent: list[httpx.Request], capfd: pytest.CaptureFixture[str]
) -> None:
    enrolment = device.enrol(ME, ME + b" again", scheme=scheme)
    assert (enrolment.template.scheme, enrolment.template.bytes) == (scheme, protection(scheme).template_bytes)
    assert enrolment.keyed == (scheme in KEYED)
    genuine = device.verify(ME)
    assert (genuine.accepted, genuine.scheme) == (True, scheme)
    assert device.verify(STRANGER, scheme=scheme).outcome is Outcome.NOT_ACCEPTED
    old_tokens, old_probe = tokens(tmp_path / "device"), last_body(sent, "/verifications")
    assert set(old_tokens) == ({1} if scheme in KEYED else set())

    renewed = device.renew(ME, password=PASSWORD)
    assert (renewed.template.scheme, renewed.template.epoch) == (scheme, 2)
    assert device.verify(ME).accepted
    assert device.verify(STRANGER).outcome is Outcome.NOT_ACCEPTED
    new_tokens = tokens(tmp_path / "device")
    assert set(new_tokens) == ({2} if scheme in KEYED else set())
    assert not set(new_tokens.values()) & set(old_tokens.values())
    with Client(device.account.server, token=device.account.token) as client, pytest.raises(ServerRefused):
        client.verify(old_probe)

    device.delete()
    assert tokens(tmp_path / "device") == {}
    secrets = [*old_tokens.values(), *new_tokens.values()]
    out, err = capfd.readouterr()
    for secret in secrets:
        assert not any(secret in request.content or secret.hex() in str(request.headers) for request in sent)
        assert secret.hex() not in out + err


def last_body(requests: list[httpx.Request], path: str) -> bytes:
    return [request for request in requests if request.url.path.endswith(path)][-1].content


def test_the_old_token_is_worthless_after_a_renewal(device: Device, tmp_path: Path) -> None:
    """Even where it is put in the place of the new one: the key that is mixed in is another."""
    device.enrol(ME, scheme="ranking")
    (old,) = tokens(tmp_path / "device").values()
    device.renew(ME, password=PASSWORD)
    (file,) = (tmp_path / "device" / "tokens").iterdir()
    file.write_bytes(old)
    assert not device.verify(ME).accepted


def test_the_protection_can_be_changed_and_insisted_on(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    for scheme in (*KEYED, "homomorphic"):
        assert device.renew(ME, password=PASSWORD, scheme=scheme).template.scheme == scheme
        assert device.verify(ME, scheme=scheme).accepted
        assert len(tokens(tmp_path / "device")) == (scheme in KEYED)
    with pytest.raises(OtherProtection):
        device.verify(ME, scheme="ranking")
    for refused in ("rot13", "insecure_plain"):
        with pytest.raises(UnknownScheme):
            device.renew(ME, password=PASSWORD, scheme=refused)
    assert device.verify(ME).receipt.total_decisions == 8


@pytest.mark.parametrize("scheme", KEYED)
def test_only_the_device_that_enrolled_can_verify_and_another_can_renew(
    device: Device, tmp_path: Path, scheme: str
) -> None:
    device.enrol(ME, scheme=scheme)
    account = device.account
    second = Device.login(
        tmp_path / "second",
        server=account.server,
        username=account.username,
        password=PASSWORD,
        faces=NobodysFaces(),
    )
    device.approve(second.account.device_id, fingerprint=second.fingerprint)
    with pytest.raises(TokenElsewhere):
        second.verify(ME)
    assert device.verify(ME).accepted
    with pytest.raises(ProtectionUnknown):
        second.renew(ME, password=PASSWORD)
    assert second.renew(ME, password=PASSWORD, scheme=scheme).template.scheme == scheme
    assert second.verify(ME).accepted
    with pytest.raises(TokenElsewhere):
        device.verify(ME)
    # A certificate alone does not say that the key is in force, so the token stays until a receipt does.
    assert set(tokens(tmp_path / "device")) == {1}


# --- cut short -------------------------------------------------------------------------------------------

RENEW_AND_DIE = """
import os, signal, sys
from pathlib import Path
from tests.sdk.conftest import STRANGER, NobodysFaces
from tests.support import PASSWORD
from veilface.sdk import Client, Device

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

real = Client.enrol
Client.enrol = {"before": die, "after": lambda client, message: die(real(client, message))}[sys.argv[2]]
Device(Path(sys.argv[1]), faces=NobodysFaces()).renew(STRANGER, password=PASSWORD, scheme=sys.argv[3])
"""


@pytest.mark.parametrize("scheme", KEYED)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_device_killed_while_it_renews_has_the_token_that_counts(
    device: Device, tmp_path: Path, scheme: str, moment: str
) -> None:
    """Killed between the new token's file and its template's activation, or before it hears of that."""
    folder = tmp_path / "device"
    device.enrol(ME, scheme=scheme)
    done = subprocess.run(
        [sys.executable, "-c", RENEW_AND_DIE, str(folder), moment, scheme],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert set(tokens(folder)) == {1, 2}
    again = Device(folder, faces=NobodysFaces())
    theirs, not_theirs = (STRANGER, ME) if moment == "after" else (ME, STRANGER)
    # Nobody told the killed device that its request was decided, so its count may be one behind, and no more.
    assert again.verify(theirs).accepted
    assert not again.verify(not_theirs).accepted
    assert set(tokens(folder)) == ({2} if moment == "after" else {1, 2})
    again.renew(ME, password=PASSWORD)
    assert set(tokens(folder)) == {3}
    assert again.verify(ME).accepted


def test_without_its_token_a_folder_says_what_to_do(device: Device, tmp_path: Path) -> None:
    device.enrol(ME, scheme="negative")
    (file,) = (tmp_path / "device" / "tokens").iterdir()
    file.unlink()
    with pytest.raises(TokenElsewhere) as error:
        device.verify(ME)
    assert error.value.details["scheme"] == "negative"
    device.renew(ME, password=PASSWORD)
    assert device.verify(ME).accepted


# --- a server that talks a device into something ---------------------------------------------------------


def test_a_server_cannot_change_the_protection(device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Client.challenge
    monkeypatch.setattr(Client, "challenge", lambda self, **asked: real(self, **asked | {"scheme": "ranking"}))
    with pytest.raises(KeyNotTrusted) as error:
        device.enrol(ME, scheme="homomorphic")
    assert error.value.details["check"] == "protection"
    assert tokens(tmp_path / "device") == {}


def test_a_server_cannot_have_two_templates_made_under_one_key(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.enrol(ME, scheme="negative")
    kept, seen, real = tokens(tmp_path / "device"), list[Challenge](), Client.challenge

    def old_key(self: Client, **asked: Any) -> Challenge:
        seen.append(real(self, **asked))
        return replace(seen[-1], key_cert=seen[0].key_cert, key_fp=seen[0].key_fp)

    with monkeypatch.context() as lying:
        lying.setattr(Client, "challenge", old_key)
        assert device.verify(ME).accepted
        with pytest.raises(KeyNotTrusted):
            device.renew(ME, password=PASSWORD, scheme="negative")
    assert tokens(tmp_path / "device") == kept
    assert device.verify(ME).accepted


@pytest.mark.parametrize("pending", SCHEMES)
def test_a_key_that_never_came_into_force_changes_nothing(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pending: str
) -> None:
    """A breached server asks for a challenge to enrol, and relays its certificate as that of the key in force."""
    device.enrol(ME, scheme="negative")
    kept, pins, real = tokens(tmp_path / "device"), device._folder.pins(), Client.challenge

    def pending_key(self: Client, **asked: Any) -> Challenge:
        granted = real(self, **asked)
        if asked["kind"] == "enrol":
            return granted
        offered = real(self, **asked | {"kind": "enrol", "scheme": pending, "password": PASSWORD})
        return replace(granted, key_cert=offered.key_cert, key_fp=offered.key_fp)

    with monkeypatch.context() as lying:
        lying.setattr(Client, "challenge", pending_key)
        with pytest.raises(SdkError):
            device.verify(ME)
        assert tokens(tmp_path / "device") == kept
        assert replace(device._folder.pins(), unanswered=0) == pins
        assert device.renew(ME, password=PASSWORD).template.scheme == "negative"
    assert device.verify(ME).accepted


def test_a_token_that_may_count_is_not_written_over(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server took a template, kept its answer back, and offers that template's epoch once more."""
    device.enrol(ME, scheme="ranking")
    seen, real, real_enrol = list[Challenge](), Client.challenge, Client.enrol

    def noted(self: Client, **asked: Any) -> Challenge:
        seen.append(real(self, **asked))
        return replace(seen[-1], key_cert=seen[0].key_cert, key_fp=seen[0].key_fp)

    def unanswered(self: Client, message: bytes) -> None:
        real_enrol(self, message)
        raise ServerUnreachable(url="")

    with monkeypatch.context() as lying:
        lying.setattr(Client, "challenge", noted)
        lying.setattr(Client, "enrol", unanswered)
        with pytest.raises(ServerUnreachable):
            device.renew(ME, password=PASSWORD)
        kept = tokens(tmp_path / "device")
        with pytest.raises(KeyNotTrusted):
            device.renew(ME, password=PASSWORD)
    assert set(kept) == {1, 2}
    assert tokens(tmp_path / "device") == kept
    assert device.verify(ME).accepted
