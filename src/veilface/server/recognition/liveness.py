"""The liveness check of a login or a payment: which movements to ask for, and whether the record shows them.

What the record says is the word of the account's own device, under its signature; see :mod:`veilface.protect.liveness`
for what that is worth.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from veilface.protect.envelope import HEADER_BYTES, SIGNATURE_BYTES, SignedMessage, split_message
from veilface.protect.liveness import ACTIONS, LivenessRecord
from veilface.protect.scheme import PROBE_BYTES
from veilface.server.errors import LivenessMissing, LivenessRefused

_SIGNED: Final = HEADER_BYTES + SIGNATURE_BYTES
LENGTHS: Final = frozenset(
    _SIGNED + length + extra for length in PROBE_BYTES.values() for extra in (0, LivenessRecord.BYTES)
)
"""Of ``H ‖ signature ‖ P``, with a record behind it or without."""

_TURNS: Final = ACTIONS[:2]
SHORTEST_PAUSE_MS: Final = 300
LONGEST_PAUSE_MS: Final = 1500
QUICKEST_MS: Final = 150
SLOWEST_MS: Final = 6500
LEAST_FRAMES: Final = 2


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One movement to ask for, ``pause_ms`` after the face held still."""

    action: str
    pause_ms: int


def drawn(use: str) -> str:
    """A plan for ``login`` or ``payment`` as a challenge remembers it; empty where none is asked for.

    One turn, which no print can do, and another movement, in a random order and after random pauses.
    """
    if use not in settings.LIVENESS:
        return ""
    turn = secrets.choice(_TURNS)
    both = [turn, secrets.choice([action for action in ACTIONS if action != turn])]
    if secrets.randbelow(2):
        both.reverse()
    pauses = (SHORTEST_PAUSE_MS + secrets.randbelow(LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS) for _ in both)
    return ",".join(f"{action}:{pause}" for action, pause in zip(both, pauses, strict=True))


def read(plan: str) -> list[Movement]:
    """The movements of a remembered plan."""
    pairs = (one.split(":") for one in plan.split(",") if one)
    return [Movement(action=action, pause_ms=int(pause)) for action, pause in pairs]


def split(data: bytes) -> tuple[SignedMessage, bytes]:
    """``H ‖ signature ‖ P`` or ``H ‖ signature ‖ P ‖ record`` taken apart; the body is both, the record may be empty.

    Raises as :func:`~veilface.protect.envelope.split_message` does.
    """
    bare = {_SIGNED + length for length in PROBE_BYTES.values()}
    extra = 0 if len(data) in bare else LivenessRecord.BYTES
    message = split_message(data, body_bytes={suite: length + extra for suite, length in PROBE_BYTES.items()})
    return message, message.body[PROBE_BYTES[message.header.suite] :]


def probe_of(message: SignedMessage) -> bytes:
    """The probe of a message, without what follows it."""
    return message.body[: PROBE_BYTES[message.header.suite]]


def check(plan: str, record: bytes) -> None:
    """Raise unless the record shows the movements of the plan, in order, when they were asked for.

    Raises :class:`LivenessMissing`, :class:`LivenessRefused`, and ``MalformedEnvelope`` for bytes that are no record.
    """
    asked = read(plan)
    if not asked and not record:
        return
    if not asked or not record:
        raise LivenessMissing(got=len(record), expected=LivenessRecord.BYTES if asked else 0)
    shown = LivenessRecord.parse(record)
    if not _shows(shown, asked):
        raise LivenessRefused


def _shows(shown: LivenessRecord, asked: Sequence[Movement]) -> bool:
    if [one.action for one in shown.steps] != [one.action for one in asked]:
        return False
    free_ms = 0
    for step, movement in zip(shown.steps, asked, strict=True):
        waited = step.prompted_ms - free_ms >= movement.pause_ms
        if not (
            waited and QUICKEST_MS <= step.done_ms - step.prompted_ms <= SLOWEST_MS and step.frames >= LEAST_FRAMES
        ):
            return False
        free_ms = step.done_ms
    return shown.kept >= 2 * len(asked) + 1 and shown.frames >= sum(step.frames for step in shown.steps)
