"""The server as a witness of the key holder's audit log: an hour at most lies between two heads (protocol §7).

The file may lie on storage that neither machine can change later (``VEILFACE_AUDIT_HEADS``).
"""

import threading
import time
from functools import cache
from typing import Final

import structlog
from django.conf import settings

from veilface.errors import VeilfaceError
from veilface.keyholder.witness import Witness
from veilface.server import keyholding

EVERY_S: Final = 3600.0
log = structlog.stdlib.get_logger("veilface.server.witnessing")


@cache
def start() -> threading.Thread:
    """Begin to ask every hour, in this process; asking again begins nothing new."""
    thread = threading.Thread(target=_forever, name="veilface-witness", daemon=True)
    thread.start()
    return thread


def ask_once() -> None:
    """Keep the present head; the log says where the key holder was silent, or contradicts what it said before."""
    witness = Witness(file=settings.AUDIT_HEADS, public_key=keyholding.pinned_public_key())
    try:
        head = keyholding.keyholder().audit_head()
        follows = witness.note(head)
    except (VeilfaceError, OSError) as error:
        log.warning("audit_head_missing", error=type(error).__name__)
        return
    if not follows:
        log.error("audit_head_contradicts", index=head.index, file=str(witness.file))


def _forever() -> None:
    while True:
        ask_once()
        time.sleep(EVERY_S)
