"""A witness: signed heads of the audit log, kept where the key holder cannot reach them (protocol §7, audit).

Whoever puts the key holder's disk back to an older state, or keeps two logs, gives somebody two heads that no one log
contains. The witness keeps every head it is given, in order, and says at once where two of them contradict each other;
``veilface keyholder audit --heads`` then compares the whole log with them.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veilface.keyholder.errors import HeadsUnreadable
from veilface.keyholder.messages import SignedHead


@dataclass(frozen=True, kw_only=True)
class Witness:
    """Heads in ``file``, one JSON object a line; ``public_key`` (65 B) is the key holder's pinned one."""

    file: Path
    public_key: bytes

    def note(self, head: SignedHead) -> bool:
        """Keep ``head`` durably, unless it is the last one kept; whether it can follow that one.

        A head that cannot – a shorter log, or another one of equal length – is kept all the same: it is the evidence.
        Raises ``protect.errors.BadSignature`` for one that the key holder did not sign, ``OSError`` for a full disk.
        """
        head.verify(self.public_key)
        last = next(reversed([*read(self.file)]), None) if self.file.exists() else None
        if last is not None and (last.index, last.head) == (head.index, head.head):
            return True
        self._append(head)
        return last is None or head.index > last.index

    def _append(self, head: SignedHead) -> None:
        line = json.dumps(
            {
                "index": head.index,
                "head": head.head.hex(),
                "time_ms": head.time_ms,
                "signature": head.signature.hex(),
            }
        )
        with os.fdopen(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="ascii") as out:
            out.write(line + "\n")
            out.flush()
            os.fsync(out.fileno())


def read(file: Path) -> Iterator[SignedHead]:
    """The heads in the order they were kept, unverified; raises ``HeadsUnreadable`` at a line that is none."""
    for number, line in enumerate(file.read_text("ascii", "replace").splitlines(), start=1):
        try:
            found = json.loads(line)
            yield SignedHead(
                index=int(found["index"]),
                head=bytes.fromhex(found["head"]),
                time_ms=int(found["time_ms"]),
                signature=bytes.fromhex(found["signature"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise HeadsUnreadable(path=str(file), line=number) from error
