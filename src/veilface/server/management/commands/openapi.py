from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from veilface.server import diagram, openapi


class Command(BaseCommand):
    """Write what is made from the code: the API's schema, its reference page, the diagram of the tables."""

    help = "Writes the OpenAPI document, its Markdown reference and the tables' diagram below a project folder."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One argument: where the project lies."""
        parser.add_argument("project", nargs="?", type=Path, default=Path(), help="the project's root (default: here)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write all three."""
        for name, content in (
            ("web/src/api/openapi.json", openapi.document()),
            ("docs/api.md", openapi.reference()),
            ("docs/database-diagram.md", diagram.document()),
        ):
            file: Path = options["project"] / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
            self.stdout.write(str(file))
