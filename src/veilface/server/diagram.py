"""docs/database-diagram.md: every table and every arrow between them, drawn from the models as Mermaid."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.db.models import Field, ForeignKey, OneToOneField

if TYPE_CHECKING:
    from django.db.models.options import Options

HEAD: Final = """\
# The tables, drawn
Made from the models by `python -m veilface.server.manage openapi`. Do not edit.
What the columns mean: [database.md](database.md).
"""


def document() -> str:
    """The page."""
    return "\n".join([HEAD, "```mermaid", "erDiagram", *_drawn(), "```"]) + "\n"


def _drawn() -> Iterator[str]:
    tables = sorted((model._meta for model in apps.get_models()), key=lambda table: table.db_table)  # noqa: SLF001
    for table in tables:
        yield from _box(table)
    for table in tables:
        for field in table.concrete_fields:
            if isinstance(field, ForeignKey):
                yield _arrow(table, field)


def _box(table: "Options[Any]") -> Iterator[str]:
    yield f"  {table.db_table} {{"
    for field in table.concrete_fields:
        yield f"    {_type(field)} {field.column}{_key(field)}"
    yield "  }"


def _type(field: "Field[Any, Any]") -> str:
    shown = field.target_field if isinstance(field, ForeignKey) else field
    return shown.get_internal_type().removesuffix("Field")


def _key(field: "Field[Any, Any]") -> str:
    marks = {"PK": field.primary_key, "FK": isinstance(field, ForeignKey), "UK": field.unique and not field.primary_key}
    shown = ", ".join(mark for mark, holds in marks.items() if holds)
    return f" {shown}" if shown else ""


def _arrow(table: "Options[Any]", field: "ForeignKey[Any, Any]") -> str:
    one = "|o" if field.null else "||"
    many = "o|" if isinstance(field, OneToOneField) else "o{"
    return f"  {field.target_field.model._meta.db_table} {one}--{many} {table.db_table} : {field.column}"  # noqa: SLF001
