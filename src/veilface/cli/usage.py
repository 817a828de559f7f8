"""Typer's complaints about a command line, as one line in the reader's language."""

from typer import BadParameter
from typer.exceptions import TyperException

from veilface.messages import text


def describe(error: TyperException) -> str:
    """What is wrong with the command line, and where help is."""
    option = getattr(error, "option_name", None)
    if option is not None:
        return text("cli.unknown_option", option=option)
    if isinstance(error, BadParameter):
        parameter = _parameter(error)
        if not error.message:
            return text("cli.missing_parameter", parameter=parameter)
        return text("cli.bad_parameter", parameter=parameter, reason=_one_line(error.message))
    return text("cli.usage", reason=_one_line(error.format_message()))


def _parameter(error: BadParameter) -> str:
    hint = error.param_hint
    if hint is None and error.param is not None:
        hint = error.param.get_error_hint()
    return (hint if isinstance(hint, str) else " / ".join(hint or ())).strip("'")


def _one_line(message: str) -> str:
    return " ".join(message.split())
