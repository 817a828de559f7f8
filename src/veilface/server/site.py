"""The site settings file: what the pages say about the people who run this installation."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from veilface.messages import LANGUAGES, Language

TEXTS = ("name", "role", "about")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One person or group; each text by language."""

    name: dict[Language, str]
    role: dict[Language, str]
    about: dict[Language, str]


@dataclass(frozen=True, kw_only=True)
class Site:
    """The whole file."""

    name: str
    contact: str
    team: tuple[Member, ...]


@cache
def load(file: Path) -> Site:
    """Read the file once; raises ``ValueError`` that names the file and what is wrong with it."""
    try:
        content = tomllib.loads(file.read_text("utf-8"))
        team = tuple(_member(entry) for entry in content["team"])
        return Site(name=str(content["name"]), contact=str(content.get("contact", "")), team=team)
    except (KeyError, TypeError, tomllib.TOMLDecodeError) as wrong:
        raise ValueError(f"{file}: {type(wrong).__name__}: {wrong}") from wrong


def _member(entry: dict[str, Any]) -> Member:
    name, role, about = ({language: str(entry[key][language]) for language in LANGUAGES} for key in TEXTS)
    return Member(name=name, role=role, about=about)
