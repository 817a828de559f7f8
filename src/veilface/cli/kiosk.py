"""``veilface kiosk …``: this machine as a kiosk of a gallery, and the people it registers there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from veilface.cli.errors import ConsentNeeded, NoUsablePicture
from veilface.cli.options import (
    KIOSK_FOLDER,
    SERVER,
    FingerprintOption,
    JsonFlag,
    KioskOption,
    Pictures,
    ServerOption,
    confirm,
)
from veilface.cli.output import emit, say, table, warn
from veilface.errors import VeilfaceError
from veilface.messages import explain, text

if TYPE_CHECKING:
    from veilface.face.embedder import Embedding
    from veilface.face.pipeline import FacePipeline
    from veilface.sdk.kiosk import Kiosk
    from veilface.sdk.kiosk_client import KioskRecord

OtherKiosk = Annotated[str, typer.Argument(metavar="KIOSK", help=text("cli.argument.kiosk"))]
PersonId = Annotated[str, typer.Argument(metavar="ID", help=text("cli.argument.person"))]
NewName = Annotated[str, typer.Argument(metavar="NAME", help=text("cli.argument.person_name"))]
YesOption = Annotated[bool, typer.Option("--yes", help=text("cli.option.yes"))]


def join(
    code: Annotated[str, typer.Argument(metavar="CODE", help=text("cli.argument.code"))],
    *,
    name: Annotated[str, typer.Option("--name", help=text("cli.option.kiosk_name"))] = "veilface",
    server: ServerOption = SERVER,
    kiosk: KioskOption = KIOSK_FOLDER,
    keyholder_fingerprint: FingerprintOption = None,
) -> None:
    """Makes this machine a kiosk of the gallery that the code belongs to."""
    from veilface.sdk.kiosk import Kiosk

    here = Kiosk.join(kiosk, server=server, code=code, name=name, keyholder_fingerprint=keyholder_fingerprint)
    record = here.record()
    gallery = record.gallery
    say("cli.kiosk.joined", gallery=gallery.name, purpose=gallery.purpose, people=record.people)
    if record.state == "pending":
        _say_pending(here, record)


def status(*, kiosk: KioskOption = KIOSK_FOLDER, as_json: JsonFlag = False) -> None:
    """Shows whether this kiosk is active, and the code by which it is known before it is let in."""
    from veilface.sdk.kiosk import Kiosk

    here = Kiosk(kiosk)
    record = here.record()
    if as_json:
        standing = {"state": record.state, "active_from": record.active_from}
        emit({"kiosk": here.membership.kiosk_id, "name": record.name, "code": here.code, **standing})
    elif record.state == "pending":
        _say_pending(here, record)
    else:
        say(
            "cli.kiosk.status.active",
            name=record.name,
            gallery=record.gallery.name,
            people=record.people,
            ticket=here.code,
        )


def waiting(*, kiosk: KioskOption = KIOSK_FOLDER, as_json: JsonFlag = False) -> None:
    """Lists the gallery's kiosks that wait to be let in."""
    from veilface.sdk.kiosk import Kiosk

    others = Kiosk(kiosk).waiting()
    if as_json:
        emit({"waiting": [{"id": one.id, "name": one.name, "active_from": one.active_from} for one in others]})
    elif not others:
        say("cli.kiosk.nobody_waits")
    else:
        rows = [(one.id, one.name, one.active_from) for one in others]
        table(("cli.column.kiosk", "cli.column.name", "cli.column.active_from"), rows, words=True)


def approve(
    other: OtherKiosk,
    *,
    code: Annotated[str, typer.Option("--code", metavar="CODE", help=text("cli.option.check_code"))],
    kiosk: KioskOption = KIOSK_FOLDER,
) -> None:
    """Lets a kiosk that waits act at once."""
    from veilface.sdk.kiosk import Kiosk

    say("cli.kiosk.approved", name=Kiosk(kiosk).approve(other, code=code).name)


def refuse(other: OtherKiosk, *, yes: YesOption = False, kiosk: KioskOption = KIOSK_FOLDER) -> None:
    """Turns a kiosk that waits away for good."""
    from veilface.sdk.kiosk import Kiosk

    here = Kiosk(kiosk)
    confirm("cli.kiosk.refuse.confirm", yes=yes)
    say("cli.kiosk.refused", name=here.refuse(other).name)


def people(*, kiosk: KioskOption = KIOSK_FOLDER, as_json: JsonFlag = False) -> None:
    """Lists everybody in the gallery."""
    from veilface.sdk.kiosk import Kiosk

    known = list(Kiosk(kiosk).people())
    if as_json:
        emit({"people": [{"id": p.id, "name": p.name, "since": p.registered_at, "kind": p.kind} for p in known]})
        return
    rows = [(p.id, p.name, text(f"cli.kiosk.kind.{p.kind}"), p.registered_at[:10]) for p in known]
    table(("cli.column.person", "cli.column.name", "cli.column.origin", "cli.column.since"), rows, words=True)


def register(
    images: Pictures,
    *,
    name: Annotated[str, typer.Option("--name", help=text("cli.option.person_name"))],
    consent: Annotated[bool, typer.Option("--consent", help=text("cli.option.consent"))] = False,
    replaces: Annotated[str | None, typer.Option("--replaces", metavar="ID", help=text("cli.option.replaces"))] = None,
    kiosk: KioskOption = KIOSK_FOLDER,
    as_json: JsonFlag = False,
) -> None:
    """Registers the person on the pictures; several are averaged, those that will not do are left out and named."""
    if not consent:
        raise ConsentNeeded
    from veilface.face.pipeline import FacePipeline
    from veilface.sdk.kiosk import Kiosk

    faces = FacePipeline()
    here = Kiosk(kiosk, faces=faces)
    measured = [found for image in images if (found := _measured(faces, image)) is not None]
    if not measured:
        raise NoUsablePicture
    person = here.register_embeddings(measured, name=name, consent=consent, replaces=replaces)
    if as_json:
        emit({"person": {"id": person.id, "name": person.name}, "pictures": len(measured)})
    else:
        say("cli.kiosk.registered", name=person.name, person=person.id, pictures=len(measured))


def rename(person: PersonId, name: NewName, *, kiosk: KioskOption = KIOSK_FOLDER) -> None:
    """Gives somebody whom a kiosk registered another name."""
    from veilface.sdk.kiosk import Kiosk

    say("cli.kiosk.renamed", name=Kiosk(kiosk).rename(person, name=name).name)


def remove(person: PersonId, *, yes: YesOption = False, kiosk: KioskOption = KIOSK_FOLDER) -> None:
    """Removes somebody; no search finds them from then on."""
    from veilface.sdk.kiosk import Kiosk

    here = Kiosk(kiosk)
    confirm("cli.kiosk.remove.confirm", yes=yes)
    here.remove(person)
    say("cli.kiosk.removed")


def remove_all(
    *,
    gallery: Annotated[str, typer.Option("--gallery", help=text("cli.option.confirm_gallery"))],
    kiosk: KioskOption = KIOSK_FOLDER,
) -> None:
    """Removes everybody whom this gallery's kiosks registered; its name, typed, is the confirmation."""
    from veilface.sdk.kiosk import Kiosk

    Kiosk(kiosk).remove_all(confirm=gallery)
    say("cli.kiosk.all_removed", gallery=gallery)


def _say_pending(here: "Kiosk", record: "KioskRecord") -> None:
    say("cli.kiosk.pending", kiosk=here.membership.kiosk_id, since=record.active_from, ticket=here.code)


def _measured(faces: "FacePipeline", image: Path) -> "Embedding | None":
    """The face of a picture, or a warning on stderr why there is none: out of range, several people, blurred."""
    try:
        return faces.embedding(image.read_bytes(), require_quality=True)
    except VeilfaceError as refusal:
        problems = str(refusal.details.get("problems", ""))
        advice = [text(f"guide.{problem}") for problem in problems.split(",") if problem]
        warn(f"{image}: {' · '.join(advice) or explain(refusal)}")
        return None


COMMANDS: Final = {
    "join": join,
    "status": status,
    "waiting": waiting,
    "approve": approve,
    "refuse": refuse,
    "people": people,
    "register": register,
    "rename": rename,
    "remove": remove,
    "remove-all": remove_all,
}
