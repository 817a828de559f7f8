"""All commands under one name."""

from importlib.metadata import version
from typing import Annotated

import typer

from veilface.cli import (
    bench,
    check,
    device,
    evaluate,
    faces,
    gallery,
    keyholder,
    kiosk,
    receipt,
    serving,
    watching,
)
from veilface.cli.output import console
from veilface.messages import text


def _show_version(wanted: bool) -> None:  # noqa: FBT001 – Typer hands an option's value over by position
    if wanted:
        console.print(version("veilface"))
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help=text("cli.option.version"))
    ] = False,
    lang: Annotated[str, typer.Option("--lang", metavar="zh|en", help=text("cli.option.lang"))] = "",
) -> None:
    """Taken out of the command line before Typer sees it; named here so that help lists it."""


app = typer.Typer(
    help=text("cli.help"),
    callback=_root,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (serving, faces, device, watching, evaluate, check):
    for name, command in module.COMMANDS.items():
        app.command(name, help=text(f"cli.{name}.help"))(command)
GROUPS = (
    ("keyholder", keyholder),
    ("gallery", gallery),
    ("kiosk", kiosk),
    ("bench", bench),
    ("receipt", receipt),
)
for group, module in GROUPS:
    commands = typer.Typer(help=text(f"cli.{group}.help"))
    for name, command in module.COMMANDS.items():
        commands.command(name, help=text(f"cli.{group}.{name}.help"))(command)
    app.add_typer(commands, name=group)
