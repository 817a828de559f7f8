"""Once the key holder has decided, its receipt reaches the device, whatever fails here afterwards (protocol §4)."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError

from veilface.errors import VeilfaceError
from veilface.server.base64url import encode
from veilface.server.failures import storage_failure

log = structlog.stdlib.get_logger("veilface.server.relaying")


@contextmanager
def unimportant(work: str) -> Iterator[None]:
    """A block that may fail: the log says what was left undone and why; what follows the block is done all the same."""
    try:
        yield
    except Exception:
        log.exception("left_undone", work=work)


@contextmanager
def carrying(receipt: bytes) -> Iterator[None]:
    """A block whose failure is the device's to know: the refusal carries the receipt (192 B) in its details."""
    try:
        yield
    except DatabaseError as error:
        log.exception("storage_failed")
        raise storage_failure(error, receipt=encode(receipt)) from error
    except VeilfaceError as error:
        error.details["receipt"] = encode(receipt)
        raise
