"""Settings from the environment, each read once and with a type.

A secret may stand in a file instead: ``NAME_FILE`` holds its path.
"""

import os
from pathlib import Path

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off", ""})


def text(name: str, default: str) -> str:
    """The variable as it stands, or ``default`` where it is unset or empty."""
    return os.environ.get(name) or default


def integer(name: str, default: int) -> int:
    """A whole number; raises ``ValueError`` that names the variable."""
    value = os.environ.get(name)
    try:
        return int(value) if value else default
    except ValueError:
        raise ValueError(f"{name} must be a whole number, got {value!r}") from None


def flag(name: str, *, default: bool) -> bool:
    """1/true/yes/on or 0/false/no/off; raises ``ValueError`` that names the variable."""
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() not in TRUE | FALSE:
        raise ValueError(f"{name} must be one of 1, true, yes, on, 0, false, no, off, got {value!r}")
    return value.lower() in TRUE


def words(name: str) -> list[str]:
    """A comma-separated list without its empty parts."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def choices(name: str, known: frozenset[str]) -> frozenset[str]:
    """Some of ``known``, as a comma-separated list: all of them where it is unset, none for ``none``.

    Raises ``ValueError`` that names the variable.
    """
    chosen = frozenset(words(name)) or known
    if chosen == {"none"}:
        return frozenset()
    if chosen - known:
        raise ValueError(f"{name} must be some of {', '.join(sorted(known))}, or none; got {', '.join(sorted(chosen))}")
    return chosen


def path(name: str, default: Path) -> Path:
    """A path, made absolute."""
    return Path(text(name, str(default))).expanduser().absolute()


def secret(name: str) -> str | None:
    """The secret itself, or the content of the file named by ``NAME_FILE``, or None."""
    if value := os.environ.get(name):
        return value
    if file := os.environ.get(f"{name}_FILE"):
        return Path(file).read_text("utf-8").strip()
    return None
