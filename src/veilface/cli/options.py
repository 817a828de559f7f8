"""Options that several commands share, and how a password is asked for."""

import getpass
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from veilface.cli.errors import ConfirmationNeeded, PasswordNeeded
from veilface.messages import text

SCHEMES: Final = "homomorphic|ranking|negative"
JsonFlag = Annotated[bool, typer.Option("--json", help=text("cli.option.json"))]
DeviceOption = Annotated[
    Path, typer.Option("--device", envvar="VEILFACE_DEVICE", metavar="DIR", help=text("cli.option.device"))
]
KioskOption = Annotated[
    Path, typer.Option("--kiosk", envvar="VEILFACE_KIOSK", metavar="DIR", help=text("cli.option.kiosk"))
]
ServerOption = Annotated[
    str, typer.Option("--server", envvar="VEILFACE_SERVER", metavar="URL", help=text("cli.option.server"))
]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help=text("cli.option.password_file"))
]
SchemeOption = Annotated[str, typer.Option("--scheme", metavar=SCHEMES, help=text("cli.option.scheme"))]
FingerprintOption = Annotated[
    str | None, typer.Option("--keyholder-fingerprint", metavar="SHA256", help=text("cli.option.fingerprint"))
]
Picture = Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="IMAGE", help=text("cli.argument.image"))]
Pictures = Annotated[
    list[Path], typer.Argument(exists=True, dir_okay=False, metavar="IMAGE…", help=text("cli.argument.images"))
]

DEVICE_FOLDER: Final = Path("~/.veilface").expanduser()
KIOSK_FOLDER: Final = Path("~/.veilface-kiosk").expanduser()
DATA_FOLDER: Final = Path("data")
SERVER: Final = "http://localhost:8000"
PORT: Final = 8000
STDIN: Final = Path("-")


def confirm(question: str, *, yes: bool) -> None:
    """Asks before something is gone for good; leaves the command unless the answer is yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfirmationNeeded
    typer.confirm(text(question), abort=True)


def password(file: Path | None) -> str:
    """The password from ``file`` (``-``: stdin, first line), else asked for without showing it.

    Never an argument or a variable of the environment: both can be read by others.
    """
    if file == STDIN:
        return sys.stdin.readline().rstrip("\n")
    if file is not None:
        return file.read_text("utf-8").splitlines()[0]
    if not sys.stdin.isatty():
        raise PasswordNeeded
    return getpass.getpass(text("cli.password") + " ")
