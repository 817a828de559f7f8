"""Entry point: language first, then the command, then one line for whatever went wrong."""

import os
import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from typer.exceptions import Abort, TyperException

from veilface.cli.errors import WrongLanguage, WrongUse
from veilface.cli.usage import describe
from veilface.errors import VeilfaceError
from veilface.messages import LANGUAGES, explain, parse_language, system_reason, text
from veilface.protect.errors import UnknownScheme

FAILURE: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130
WRONG_USES: Final = (WrongUse, UnknownScheme)


def main() -> None:
    """Runs the command of this process; exit status 0, 1 (failure), 2 (wrong use) or 130 (interrupted)."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns the exit status; every error is one line on stderr."""
    try:
        remaining = take_language(arguments)
        # Help texts are written when the commands are defined: the language must be known before.
        from veilface.cli.app import app

        status = app(args=remaining, prog_name="veilface", standalone_mode=False)
    except TyperException as error:
        return _complain(describe(error), error.exit_code)
    except VeilfaceError as error:
        return _complain(explain(error), WRONG_USE if isinstance(error, WRONG_USES) else FAILURE)
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has had enough of it; what is still buffered may go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE
    except OSError as error:
        where = str(error.filename or "–")
        return _complain(text("cli.system_error", reason=system_reason(error), path=where), FAILURE)
    return status if isinstance(status, int) else 0


def take_language(arguments: Sequence[str]) -> list[str]:
    """Takes ``--lang`` out of the arguments, wherever it stands, and makes it this process's language."""
    remaining = list(arguments)
    for index, argument in enumerate(remaining):
        name, equals, value = argument.partition("=")
        if name != "--lang":
            continue
        values = [value] if equals else remaining[index + 1 : index + 2]
        language = parse_language("".join(values))
        if language is None:
            raise WrongLanguage(got="".join(values), expected=", ".join(LANGUAGES))
        os.environ["VEILFACE_LANG"] = language
        del remaining[index : index + (1 if equals else 2)]
        break
    return remaining


def _complain(sentence: str, status: int) -> int:
    line = " ".join(sentence.split())
    Console(stderr=True).print(f"veilface: {line}", markup=False, highlight=False, soft_wrap=True)
    return status
