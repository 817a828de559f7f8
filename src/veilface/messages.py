"""Sentences for people, in Chinese (the default) and English.

The catalogues are ``veilface/locales/<area>.<language>.json``: one flat object a file, from code
(``face.no_face``) to a sentence with ``{placeholders}``. A code missing in one language fails the tests.
"""

import errno
import json
import os
from functools import cache
from importlib.resources import files
from typing import Literal, cast, get_args

from veilface.errors import Detail, VeilfaceError

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT_LANGUAGE: Language = "zh"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Every sentence of one language, from all areas."""
    sentences: dict[str, str] = {}
    for entry in sorted(files("veilface.locales").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(f".{language}.json"):
            sentences.update(cast("dict[str, str]", json.loads(entry.read_text("utf-8"))))
    return sentences


def text(code: str, language: Language | None = None, **details: Detail) -> str:
    """The sentence for ``code``; raises ``KeyError`` when no catalogue has it."""
    return catalogue(language or preferred_language())[code].format(**details)


def explain(error: VeilfaceError, language: Language | None = None) -> str:
    """What happened and what to do next, for the person who reads ``error``."""
    return text(error.code, language, **error.details)


def system_reason(error: OSError) -> str:
    """Why the system refused: what people meet in their language, the rest in the system's own words."""
    code = f"system.{errno.errorcode.get(error.errno or 0)}"
    return catalogue(preferred_language()).get(code) or error.strerror or str(error)


def parse_language(tag: str) -> Language | None:
    """``zh_CN.UTF-8``, ``en-GB`` and the like, to a language Veilface speaks, or None."""
    primary = tag.replace("_", "-").split("-")[0].split(".")[0].lower()
    return next((language for language in LANGUAGES if language == primary), None)


def preferred_language() -> Language:
    """``VEILFACE_LANG``, else the terminal's locale where it is one we speak, else Chinese."""
    for variable in ("VEILFACE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if language := parse_language(os.environ.get(variable, "")):
            return language
    return DEFAULT_LANGUAGE
