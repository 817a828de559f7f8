"""What tests run in the processes of a cluster: a look at what is held, a death, and answers that are none."""

import os
import signal
from dataclasses import replace
from typing import Any

import numpy as np

from veilface.match import scan
from veilface.match.engine import held

_REAL_SCAN_HELD = held.scan_held


def blocks_held(gallery: str) -> set[bytes]:
    return set(held._HELD.get(gallery, ()))


def die_in(function: str) -> None:
    """The next call of this function is its process's last."""

    def dying(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(scan if function == "scan" else held, function, dying)


def answer_wrongly(how: str) -> None:
    def wrong(gallery: str, blocks: Any, probe: Any) -> held.Scanned:
        answer = _REAL_SCAN_HELD(gallery, blocks, probe)
        changes: dict[str, Any] = {
            "one less, always": {"blocks": answer.blocks[1:], "scores": answer.scores[1:]},
            "one twice": {"blocks": (*answer.blocks[1:], answer.blocks[-1])},
            "one that nobody asked for": {"blocks": (*answer.blocks[1:], bytes(16))},
            "scores cut short": {"scores": answer.scores[:, :2]},
            "too few scores": {"scores": answer.scores[1:]},
            "words out of range": {"scores": answer.scores | np.uint32(1 << 31)},
        }
        return replace(answer, **changes[how])

    held.scan_held = wrong


def answer_rightly() -> None:
    held.scan_held = _REAL_SCAN_HELD
