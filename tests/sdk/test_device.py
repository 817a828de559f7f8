"""The verbs against real servers: what they do, what they refuse, and that a refusal changes nothing."""

import stat
from pathlib import Path

import pytest

from tests.sdk.conftest import ME, STRANGER, NobodysFaces
from tests.support import PASSWORD
from veilface import launcher
from veilface.protect.envelope import Outcome
from veilface.protect.token import fresh_token
from veilface.sdk import Client, Device, SdkError
from veilface.sdk.errors import (
    DeviceExists,
    FolderBusy,
    NoDevice,
    NothingEnrolled,
    ServerRefused,
    ServerUnreachable,
    TermsNotAccepted,
    UnsafeFolder,
    WrongDevice,
)
from veilface.sdk.folder import DeviceFolder


def join(device: Device, folder: Path) -> Device:
    account = device.account
    return Device.login(
        folder, server=account.server, username=account.username, password=PASSWORD, faces=NobodysFaces()
    )


def test_enrol_verify_delete(device: Device) -> None:
    enrolment = device.enrol(ME, ME + b" again")
    assert enrolment.template.bytes == 73_728
    assert enrolment.receipt.total_decisions == 1
    genuine = device.verify(ME)
    assert genuine.accepted
    assert set(genuine.timings_ms) == {"face", "protect", "server"}
    impostor = device.verify(STRANGER)
    assert impostor.outcome is Outcome.NOT_ACCEPTED
    assert impostor.receipt.total_decisions == 3
    device.delete()
    device._folder.tokens.keep(fresh_token(), account=bytes(16), epoch=9)
    with pytest.raises(NothingEnrolled):
        device.delete()
    assert not device._folder.tokens.path.exists()
    with pytest.raises(ServerRefused) as refusal:
        device.verify(ME)
    assert refusal.value.server_code == "keyholder.not_enrolled"


def test_replacing_a_template_needs_the_password(device: Device) -> None:
    device.enrol(ME)
    with pytest.raises(ServerRefused) as refusal:
        device.enrol(STRANGER)
    assert refusal.value.server_code == "server.password_needed"
    assert device.verify(ME).accepted
    assert device.renew(STRANGER, password=PASSWORD).template.epoch == 2
    assert device.verify(STRANGER).accepted
    assert not device.verify(ME).accepted


def test_a_failed_re_enrolment_leaves_the_old_template_working(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that was made for it never became the account's, so this device must not hold on to it."""
    device.enrol(ME)

    def lost(_client: Client, _message: bytes) -> None:
        raise ServerUnreachable(url="")

    with monkeypatch.context() as broken:
        broken.setattr(Client, "enrol", lost)
        with pytest.raises(ServerUnreachable):
            device.renew(STRANGER, password=PASSWORD)
    assert device.verify(ME).accepted
    assert not device.verify(STRANGER).accepted
    assert device.renew(STRANGER, password=PASSWORD).template.epoch == 3
    assert device.verify(STRANGER).accepted


def test_everything_in_the_folder_is_private(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    folder = tmp_path / "device"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.iterdir() if path.is_file()]
    assert {path.name for path in files} == {"device.key", "account.json", "pins.json", "account.pub", "lock"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize("name", ["", "device.key", "account.json", "pins.json"])
def test_a_folder_others_can_read_is_refused(device: Device, tmp_path: Path, name: str) -> None:
    path = tmp_path / "device" / name
    path.chmod(0o750 if not name else 0o640)
    with pytest.raises(UnsafeFolder):
        Device(tmp_path / "device").devices()


def test_no_terms_no_account(pair: launcher.Running, tmp_path: Path) -> None:
    with pytest.raises(TermsNotAccepted):
        Device.register(tmp_path / "new", server=pair.url, username="reluctant", password=PASSWORD, accept_terms=False)
    with Client(pair.url) as client, pytest.raises(ServerRefused) as refusal:
        client.create_token(username="reluctant", password=PASSWORD, name="x")
    assert refusal.value.server_code == "server.wrong_credentials"
    with pytest.raises(NoDevice):
        Device(tmp_path / "new")


def test_one_folder_one_account(device: Device, tmp_path: Path) -> None:
    account = device.account
    with pytest.raises(DeviceExists):
        Device.register(
            tmp_path / "device", server=account.server, username="other", password=PASSWORD, accept_terms=True
        )
    assert Device(tmp_path / "device").account == account


def test_logging_in_again_renews_the_token_and_keeps_the_device(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    again = join(device, tmp_path / "device")
    assert again.account.device_id == device.account.device_id
    assert again.account.token != device.account.token
    assert again.verify(ME).accepted


def test_a_further_device_waits_until_it_is_approved(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    second = join(device, tmp_path / "second")
    assert second.record().state == "pending"
    with pytest.raises(ServerRefused) as refusal:
        second.verify(ME)
    assert refusal.value.server_code == "keyholder.device_not_active"
    with pytest.raises(WrongDevice):
        device.approve(second.account.device_id, fingerprint=device.fingerprint)
    assert second.record().state == "pending"
    device.approve(second.account.device_id, fingerprint=second.fingerprint)
    assert second.verify(ME).accepted


def test_a_revoked_device_is_useless_at_once(device: Device, tmp_path: Path) -> None:
    device.enrol(ME)
    second = join(device, tmp_path / "second")
    device.approve(second.account.device_id, fingerprint=second.fingerprint)
    assert device.revoke(second.account.device_id).state == "revoked"
    with pytest.raises(ServerRefused) as refusal:
        second.verify(ME)
    assert refusal.value.server_code == "keyholder.device_not_active"


def test_logout_leaves_nothing_behind(device: Device, tmp_path: Path) -> None:
    account = device.account
    assert device.logout() is None
    assert {path.name for path in (tmp_path / "device").iterdir()} == {"lock"}
    with pytest.raises(NoDevice):
        Device(tmp_path / "device")
    with Client(account.server, token=account.token) as client, pytest.raises(ServerRefused):
        client.devices()


def test_logout_with_a_login_that_has_ended(device: Device, tmp_path: Path) -> None:
    with Client(device.account.server, token=device.account.token) as client:
        client.drop_token()
    refusal = device.logout()
    assert isinstance(refusal, ServerRefused)
    assert refusal.server_code == "server.token_invalid"
    assert {path.name for path in (tmp_path / "device").iterdir()} == {"lock"}


def test_two_programs_do_not_share_a_folder_at_once(device: Device, tmp_path: Path) -> None:
    with DeviceFolder(tmp_path / "device").locked(), pytest.raises(FolderBusy):
        device.devices()


def test_nobody_at_the_address(tmp_path: Path) -> None:
    with pytest.raises(ServerUnreachable):
        Device.login(
            tmp_path / "d", server=f"http://localhost:{launcher.free_port()}", username="who", password=PASSWORD
        )


def test_every_verb_fails_with_an_sdk_error_when_the_server_is_gone(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    data = tmp_path_factory.mktemp("short")
    with launcher.running(data, port=launcher.free_port(), settings={}) as running:
        device = Device.register(
            tmp_path / "device", server=running.url, username="left", password=PASSWORD, accept_terms=True
        )
    for verb in (device.devices, device.delete, lambda: device.verify(ME)):
        with pytest.raises(SdkError):
            verb()
    assert Device(tmp_path / "device").account == device.account
    device._folder.tokens.keep(fresh_token(), account=bytes(16), epoch=1)
    assert isinstance(device.logout(), ServerUnreachable)
    assert {path.name for path in (tmp_path / "device").iterdir()} == {"lock"}
