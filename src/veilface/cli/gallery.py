"""``veilface gallery …``: what an operator does with galleries, on the host and the data folder of the server.

Nothing can be searched before somebody creates a gallery here, says what it is for, and people opt in.
"""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from veilface.cli.errors import NoServerData
from veilface.cli.options import DATA_FOLDER, JsonFlag, confirm
from veilface.cli.output import emit, say, table
from veilface.messages import text

if TYPE_CHECKING:
    from veilface.server.galleries.models import Order
    from veilface.server.galleries.operating import OrderSummary, Summary

Data = Annotated[
    Path, typer.Option("--data", envvar="VEILFACE_DATA", metavar="DIR", help=text("cli.option.gallery_data"))
]
Name = Annotated[str, typer.Argument(metavar="GALLERY", help=text("cli.argument.gallery"))]
Yes = Annotated[bool, typer.Option("--yes", help=text("cli.option.yes"))]
COLUMNS: Final = tuple(
    f"cli.column.gallery_{column}" for column in ("name", "purpose", "people", "waiting", "key", "kiosks", "orders")
)
SECRETS: Final = ("VEILFACE_SECRET_KEY", "VEILFACE_SECRET_KEY_FILE")


def create(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help=text("cli.argument.new_gallery"))],
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help=text("cli.option.purpose"))],
    register: Annotated[bool, typer.Option("--register", help=text("cli.option.register"))] = False,
    data: Data = DATA_FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Creates a gallery with nobody in it."""
    _open(data)
    from veilface.server.galleries import operating

    made = operating.create(name=name, purpose=purpose, may_register=register)
    if as_json:
        emit(asdict(operating.summary(made)))
    else:
        say("cli.gallery.created", name=made.name, id=made.id)


def listing(*, data: Data = DATA_FOLDER, as_json: JsonFlag = False) -> None:
    """Shows the galleries, who is in them in numbers, and what is still to be done."""
    _open(data)
    from veilface.server.galleries import operating

    summaries = [operating.summary(row) for row in operating.everyone()]
    if as_json:
        emit({"galleries": [asdict(one) for one in summaries]})
    elif not summaries:
        say("cli.gallery.none")
    else:
        table(COLUMNS, map(_row, summaries), words=True)


def kiosk(
    *,
    name: Name,
    revoke: Annotated[str | None, typer.Option("--revoke", metavar="KIOSK", help=text("cli.option.revoke"))] = None,
    data: Data = DATA_FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Prints a code by which one kiosk joins, or lets a kiosk in no more."""
    _open(data)
    from veilface.server.galleries import operating

    gallery = operating.find(name)
    if revoke is not None:
        gone = operating.revoke(gallery, revoke)
        emit({"revoked": gone.device_id}) if as_json else say("cli.gallery.kiosk_revoked", name=gone.name)
        return
    code, minutes = operating.invite(gallery), int(operating.CODE_LIFETIME.total_seconds() // 60)
    if as_json:
        emit({"code": code, "minutes": minutes})
    else:
        say("cli.gallery.kiosk_code", ticket=code, minutes=minutes, name=gallery.name)


def rotate(*, name: Name, data: Data = DATA_FOLDER, as_json: JsonFlag = False) -> None:
    """Has everybody packed anew, in another order, under a fresh key."""
    _open(data)
    from veilface.server.galleries.models import Order

    _note(name, Order.Kind.ROTATE, as_json=as_json)


def rebuild(*, name: Name, data: Data = DATA_FOLDER, as_json: JsonFlag = False) -> None:
    """Has damaged blocks packed anew."""
    _open(data)
    from veilface.server.galleries.models import Order

    _note(name, Order.Kind.REBUILD, as_json=as_json)


def verify(*, name: Name, data: Data = DATA_FOLDER, as_json: JsonFlag = False) -> None:
    """Checks every block's file against its checksum; exit status 1 where one is missing or damaged."""
    _open(data)
    from veilface.server.galleries import operating

    gallery = operating.find(name)
    damaged = operating.verify(gallery)
    if as_json:
        emit({"blocks": gallery.blocks.count(), "damaged": damaged})
    elif damaged:
        say("cli.gallery.damaged", blocks=gallery.blocks.count(), damaged=len(damaged))
    else:
        say("cli.gallery.sound", blocks=gallery.blocks.count())
    if damaged:
        raise typer.Exit(1)


def close(*, name: Name, yes: Yes = False, data: Data = DATA_FOLDER, as_json: JsonFlag = False) -> None:
    """Takes everybody out of a gallery at once and has it erased."""
    _open(data)
    from veilface.server.galleries import operating

    gallery = operating.find(name)
    confirm("cli.gallery.close_question", yes=yes)
    operating.close(gallery)
    emit({"closed": gallery.id}) if as_json else say("cli.gallery.closed", name=gallery.name)


def _open(data: Path) -> None:
    """Settle where the server's data is, and load what is in it."""
    folder = data / "server" if (data / "server").is_dir() else data
    if not (folder / "secret.key").exists() and not any(os.environ.get(name) for name in SECRETS):
        raise NoServerData(path=str(folder))
    from veilface.server import run

    run.configure(
        folder,
        origin=os.environ.get("VEILFACE_ORIGIN") or "http://localhost:8000",
        keyholder_url=os.environ.get("VEILFACE_KEYHOLDER_URL") or "https://localhost:8001",
        keyholder_credentials=Path(os.environ.get("VEILFACE_KEYHOLDER_CREDENTIALS") or folder / "keyholder"),
    )
    run.open_database()


def _note(name: str, kind: "Order.Kind", *, as_json: bool) -> None:
    from veilface.server.galleries import operating

    noted = operating.order(operating.find(name), kind)
    if as_json:
        emit({"order": noted.kind, "noted_at": noted.noted_at.isoformat()})
    else:
        say("cli.gallery.noted", order=text(f"cli.gallery.order.{noted.kind}"))


def _row(one: "Summary") -> tuple[str, ...]:
    kiosks = [kiosk.name for kiosk in one.kiosks if kiosk.state != "revoked"]
    orders = [f"{text(f'cli.gallery.order.{order.order}')}: {_standing(order)}" for order in one.orders]
    numbers = str(one.people), str(one.waiting), _key(one)
    return one.name, one.purpose, *numbers, ", ".join(kiosks), ", ".join(orders)


def _key(one: "Summary") -> str:
    if one.rotates_at is None:
        return text("cli.gallery.key", days=one.key_days)
    return text("cli.gallery.key_until", days=one.key_days, date=one.rotates_at[:10])


def _standing(order: "OrderSummary") -> str:
    return order.failure or text("cli.gallery.order_done" if order.done else "cli.gallery.order_waits")


COMMANDS: Final = {
    "create": create,
    "list": listing,
    "kiosk": kiosk,
    "rotate": rotate,
    "verify": verify,
    "rebuild": rebuild,
    "close": close,
}
