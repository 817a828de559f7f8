"""``veilface keyholder …``: the key holder's own host needs these three commands and no others."""

from pathlib import Path
from typing import Annotated, Final

import typer

from veilface.cli.options import JsonFlag
from veilface.cli.output import emit, say
from veilface.messages import text

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help=text("cli.option.keyholder_data"))]
DATA: Final = Path("data/keyholder")
KEYHOLDER_PORT: Final = 8001


def init(
    *,
    data: Data = DATA,
    credentials: Annotated[
        Path, typer.Option("--credentials", metavar="DIR", help=text("cli.option.credentials"))
    ] = Path("data/server/keyholder"),
) -> None:
    """Makes keys and certificates, and the credentials that the server's host needs."""
    from veilface.keyholder import service

    service.initialise(data, server_credentials=credentials)
    say("cli.keyholder.initialised", data=str(data), credentials=str(credentials))


def serve(
    *,
    data: Data = DATA,
    host: Annotated[str, typer.Option(help=text("cli.option.host"))] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help=text("cli.option.port"))] = KEYHOLDER_PORT,
) -> None:
    """Answers the server over mutual TLS until it is stopped."""
    from veilface import launcher
    from veilface.keyholder import service

    launcher.end_with_parent()
    service.serve(data, host, port)


def audit(
    *,
    data: Data = DATA,
    heads: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help=text("cli.option.heads"))] = None,
    as_json: JsonFlag = False,
) -> None:
    """Checks the hash chain from the first record to the last, and that it contains every head a witness kept."""
    from veilface.keyholder import audit as log
    from veilface.keyholder.witness import read

    report = log.check(data, heads=[] if heads is None else read(heads))
    head = report.head.head.hex() if report.head else ""
    if as_json:
        emit({"records": report.records, "head": head})
    else:
        say("cli.keyholder.audited", records=report.records, head=head or "–")


COMMANDS: Final = {"init": init, "serve": serve, "audit": audit}
