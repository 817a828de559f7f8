"""Names that people give: to themselves, to devices, to passkeys."""

import unicodedata

from veilface.server.errors import ServerError


def usable_label(text: str, *, limit: int, otherwise: type[ServerError]) -> str:
    """The name without outer space; raises ``otherwise`` unless it is 1 to ``limit`` printable characters."""
    label = unicodedata.normalize("NFC", text).strip()
    if not (0 < len(label) <= limit and label.isprintable()):
        raise otherwise(limit=limit)
    return label
