"""Typer's complaints about a command line, as one line in the reader's language."""

import re
from typing import Final

from pydantic import ValidationError
from typer import BadParameter
from typer.exceptions import TyperException

from veilface.messages import text

VALUES: Final = {
    "int_parsing": "usage.no_whole_number",
    "float_parsing": "usage.no_number",
    "greater_than_equal": "usage.at_least",
    "less_than_equal": "usage.at_most",
}
SENTENCES: Final = {
    r"'(?P<got>.*)' does not exist\.": "usage.missing_path",
    r"'(?P<got>.*)' is a directory\.": "usage.is_folder",
    r"'(?P<got>.*)' is a file\.": "usage.is_file",
    r"'(?P<got>.*)' is not readable\.": "usage.unreadable",
    r"'(?P<got>.*)' is not writable\.": "usage.unwritable",
    r"Missing command\.": "usage.missing_command",
    r"No such command '(?P<got>.*)'\.": "usage.unknown_command",
    r"unexpected extra argument\S* \((?P<got>.*)\)": "usage.too_many",
}
"""What Typer says, and the code of the sentence that says it in the reader's language."""


def describe(error: TyperException) -> str:
    """What is wrong with the command line, and where help is."""
    option = getattr(error, "option_name", None)
    if option is not None:
        return text("cli.unknown_option", option=option)
    if isinstance(error, BadParameter):
        parameter = _parameter(error)
        if not error.message:
            return text("cli.missing_parameter", parameter=parameter)
        return text("cli.bad_parameter", parameter=parameter, reason=_of_value(error))
    return text("cli.usage", reason=_translated(error.format_message()))


def _parameter(error: BadParameter) -> str:
    hint = error.param_hint
    if hint is None and error.param is not None:
        hint = error.param.get_error_hint()
    return (hint if isinstance(hint, str) else " / ".join(hint or ())).strip("'")


def _of_value(error: BadParameter) -> str:
    if isinstance(error.__cause__, ValidationError):
        first = error.__cause__.errors()[0]
        if code := VALUES.get(first["type"]):
            limits = first.get("ctx", {}).values()
            return text(code, got=str(first["input"]), limit=", ".join(map(str, limits)))
    return _translated(error.message)


def _translated(message: str) -> str:
    for sentence, code in SENTENCES.items():
        if found := re.search(sentence, message):
            return text(code, got=str(found.groupdict().get("got")))
    return " ".join(message.split())
