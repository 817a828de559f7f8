from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from veilface.server import openapi


class Command(BaseCommand):
    """Write the API's schema and its reference page."""

    help = "Writes the OpenAPI document and its Markdown reference below a project folder."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """One argument: where the project lies."""
        parser.add_argument("project", nargs="?", type=Path, default=Path(), help="the project's root (default: here)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write both files."""
        for name, content in (
            ("web/src/api/openapi.json", openapi.document()),
            ("docs/api.md", openapi.reference()),
        ):
            file: Path = options["project"] / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, "utf-8")
            self.stdout.write(str(file))
