"""``veilface register``, ``enrol``, ``verify`` …: this machine as a device of an account on a server."""

from typing import Annotated, Final

import typer

from veilface.cli.options import (
    DEVICE_FOLDER,
    SERVER,
    DeviceOption,
    FingerprintOption,
    JsonFlag,
    PasswordFile,
    Picture,
    Pictures,
    ServerOption,
    confirm,
    password,
)
from veilface.cli.output import emit, say, table
from veilface.messages import text

DeviceId = Annotated[str, typer.Argument(metavar="DEVICE", help=text("cli.argument.device_id"))]
Username = Annotated[str, typer.Argument(metavar="NAME", help=text("cli.argument.username"))]


def register(
    username: Username,
    *,
    accept_terms: Annotated[bool, typer.Option("--accept-terms", help=text("cli.option.accept_terms"))] = False,
    server: ServerOption = SERVER,
    device: DeviceOption = DEVICE_FOLDER,
    password_file: PasswordFile = None,
    keyholder_fingerprint: FingerprintOption = None,
) -> None:
    """Opens an account and makes this machine its first device."""
    from veilface.sdk import Device

    Device.register(
        device,
        server=server,
        username=username,
        password=password(password_file),
        accept_terms=accept_terms,
        keyholder_fingerprint=keyholder_fingerprint,
    )
    say("cli.register.done", username=username, device=str(device))


def login(
    username: Username,
    *,
    server: ServerOption = SERVER,
    device: DeviceOption = DEVICE_FOLDER,
    password_file: PasswordFile = None,
    keyholder_fingerprint: FingerprintOption = None,
) -> None:
    """Makes this machine a device of an account, or renews its login."""
    from veilface.sdk import Device

    joined = Device.login(
        device,
        server=server,
        username=username,
        password=password(password_file),
        keyholder_fingerprint=keyholder_fingerprint,
    )
    say(f"cli.login.{joined.record().state}", username=username, device=str(device))


def logout(*, device: DeviceOption = DEVICE_FOLDER) -> None:
    """Ends the login and forgets this machine's device key."""
    from veilface.sdk import Device

    Device(device).logout()
    say("cli.logout.done")


def enrol(
    images: Pictures,
    *,
    replace: Annotated[bool, typer.Option("--replace", help=text("cli.option.replace"))] = False,
    device: DeviceOption = DEVICE_FOLDER,
    password_file: PasswordFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Enrols the face on the pictures; several are averaged."""
    from veilface.sdk import Device

    secret = password(password_file) if replace else None
    template = Device(device).enrol(*images, password=secret).template
    if as_json:
        emit(
            {
                "template": {
                    "id": template.id,
                    "scheme": template.scheme,
                    "bytes": template.bytes,
                    "epoch": template.epoch,
                }
            }
        )
    else:
        say("cli.enrol.done", bytes=template.bytes, epoch=template.epoch)


def verify(image: Picture, *, device: DeviceOption = DEVICE_FOLDER, as_json: JsonFlag = False) -> None:
    """Asks whether the face is the enrolled one. The exit status is 0 only for yes."""
    from veilface.sdk import Device

    verification = Device(device).verify(image)
    outcome = verification.outcome.name.lower()
    if as_json:
        emit(
            {
                "accepted": verification.accepted,
                "outcome": outcome,
                "retry_after_s": verification.retry_after_s,
                "timings_ms": verification.timings_ms,
            }
        )
    else:
        say(f"cli.verify.{outcome}", seconds=verification.retry_after_s)
    if not verification.accepted:
        raise typer.Exit(1)


def delete(
    *,
    yes: Annotated[bool, typer.Option("--yes", help=text("cli.option.yes"))] = False,
    device: DeviceOption = DEVICE_FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Has the template's key and the template erased."""
    from veilface.sdk import Device

    confirm("cli.delete.confirm", yes=yes)
    receipt = Device(device).delete()
    if as_json:
        emit({"deleted": True, "log_index": receipt.log_index, "time_ms": receipt.time_ms})
    else:
        say("cli.delete.done", index=receipt.log_index)


def devices(*, device: DeviceOption = DEVICE_FOLDER, as_json: JsonFlag = False) -> None:
    """Lists the account's devices."""
    from veilface.sdk import Device

    here = Device(device)
    records = here.devices()
    if as_json:
        listed = [{"id": r.id, "name": r.name, "state": r.state, "active_from": r.active_from} for r in records]
        emit({"devices": listed, "this": here.account.device_id, "fingerprint": here.fingerprint})
        return
    table(
        ("cli.column.device", "cli.column.name", "cli.column.state"),
        [(r.id, r.name, text(f"cli.device.{r.state}")) for r in records],
        words=True,
    )
    say("cli.devices.this", device=here.account.device_id, fingerprint=here.fingerprint)


def approve(
    device_id: DeviceId,
    *,
    fingerprint: Annotated[
        str, typer.Option("--fingerprint", metavar="SHA256", help=text("cli.option.device_fingerprint"))
    ],
    device: DeviceOption = DEVICE_FOLDER,
) -> None:
    """Lets a waiting device act."""
    from veilface.sdk import Device

    Device(device).approve(device_id, fingerprint=fingerprint)
    say("cli.approve.done", device=device_id)


def revoke(device_id: DeviceId, *, device: DeviceOption = DEVICE_FOLDER) -> None:
    """Makes a device of the account useless at once."""
    from veilface.sdk import Device

    Device(device).revoke(device_id)
    say("cli.revoke.done", device=device_id)


COMMANDS: Final = {
    "register": register,
    "login": login,
    "logout": logout,
    "enrol": enrol,
    "verify": verify,
    "delete": delete,
    "devices": devices,
    "approve": approve,
    "revoke": revoke,
}
