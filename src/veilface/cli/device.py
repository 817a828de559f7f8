"""``veilface register``, ``enrol``, ``verify`` …: this machine as a device of an account on a server."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from veilface.cli.options import (
    DEVICE_FOLDER,
    SCHEMES,
    SERVER,
    DeviceOption,
    FingerprintOption,
    JsonFlag,
    PasswordFile,
    Picture,
    Pictures,
    SchemeOption,
    ServerOption,
    confirm,
    password,
)
from veilface.cli.output import emit, say, table
from veilface.messages import text

if TYPE_CHECKING:
    from veilface.sdk import Enrolment

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

    failure = Device(device).logout()
    say("cli.logout.done")
    if failure is not None:
        say("cli.logout.not_on_server", reason=text(failure.code, None, **failure.details))


def enrol(
    images: Pictures,
    *,
    scheme: SchemeOption = "homomorphic",
    device: DeviceOption = DEVICE_FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Enrols the face on the pictures; several are averaged."""
    from veilface.sdk import Device

    _show("cli.enrol", Device(device).enrol(*images, scheme=scheme), as_json=as_json)


def renew(
    images: Pictures,
    *,
    scheme: Annotated[
        str | None, typer.Option("--scheme", metavar=SCHEMES, help=text("cli.option.renew_scheme"))
    ] = None,
    device: DeviceOption = DEVICE_FOLDER,
    password_file: PasswordFile = None,
    as_json: JsonFlag = False,
) -> None:
    """Makes the template anew; the old one, and whatever was stolen of it, is refused from then on."""
    from veilface.sdk import Device

    here = Device(device)
    renewed = here.renew(*images, password=password(password_file), scheme=scheme)
    _show("cli.renew", renewed, as_json=as_json)


def verify(
    image: Picture,
    *,
    scheme: Annotated[
        str | None, typer.Option("--scheme", metavar=SCHEMES, help=text("cli.option.verify_scheme"))
    ] = None,
    device: DeviceOption = DEVICE_FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Asks whether the face is the enrolled one. The exit status is 0 only for yes."""
    from veilface.sdk import Device

    verification = Device(device).verify(image, scheme=scheme)
    outcome = verification.outcome.name.lower()
    if as_json:
        emit(
            {
                "scheme": verification.scheme,
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


def _show(verb: str, enrolment: "Enrolment", *, as_json: bool) -> None:
    template = enrolment.template
    if as_json:
        described = {name: getattr(template, name) for name in ("id", "scheme", "bytes", "epoch")}
        emit({"template": described})
    else:
        kept = "keyed" if enrolment.keyed else "sealed"
        say(f"{verb}.done", epoch=template.epoch, received=text(f"cli.received.{kept}", None, bytes=template.bytes))


COMMANDS: Final = {
    "register": register,
    "login": login,
    "logout": logout,
    "enrol": enrol,
    "renew": renew,
    "verify": verify,
    "delete": delete,
    "devices": devices,
    "approve": approve,
    "revoke": revoke,
}
