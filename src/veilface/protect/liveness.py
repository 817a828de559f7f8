"""What a device says of a liveness check, in 80 bytes that follow the probe and are signed with it.

It is the device's own word: a device that lies can write it without a camera. It binds which movements were made, and
when, to the one message they were asked for; the embeddings of the frames that were kept stay on the device, and only
a hash of them under a nonce leaves it, so that nobody learns or compares them.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from veilface.protect.envelope import HASH_BYTES
from veilface.protect.errors import MalformedEnvelope

ACTIONS: Final = ("turn_left", "turn_right", "nod", "come_closer")
"""On the wire 1 to 4, in this order."""
MOST_STEPS: Final = 4
_SHORT: Final = 0xFFFF
_BYTE: Final = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class MovementShown:
    """One movement: when it was asked for and when it was done, in ms since the first frame, and in how many frames."""

    action: str
    prompted_ms: int
    done_ms: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LivenessRecord:
    """A passed check. ``commitment`` – SHA-256(32 random bytes ‖ kept embeddings); ``kept`` – how many there are.

    ``detector`` – whether a presentation-attack model was plugged in and judged the face live.
    """

    steps: Sequence[MovementShown]
    frames: int
    duration_ms: int
    kept: int
    commitment: bytes
    detector: bool = False

    MAGIC: ClassVar[bytes] = b"VFLV"
    VERSION: ClassVar[int] = 1
    BYTES: ClassVar[int] = 80
    _HEAD: ClassVar[struct.Struct] = struct.Struct(">4sBBBBHHI32s")
    _STEP: ClassVar[struct.Struct] = struct.Struct(">BBHHH")

    def __post_init__(self) -> None:
        _within(len(self.steps), 1, MOST_STEPS, "steps")
        for one in self.steps:
            if one.action not in ACTIONS:
                raise MalformedEnvelope(field="action", got=one.action[:20], expected=", ".join(ACTIONS))
            _within(one.frames, 1, _BYTE, "frames of a step")
            _within(one.prompted_ms, 0, _SHORT, "prompted_ms")
            _within(one.done_ms, one.prompted_ms, _SHORT, "done_ms")
        _within(self.frames, 1, _SHORT, "frames")
        _within(self.duration_ms, self.steps[-1].done_ms, _SHORT, "duration_ms")
        _within(self.kept, 1, _BYTE, "kept")
        _within(len(self.commitment), HASH_BYTES, HASH_BYTES, "commitment")

    def to_bytes(self) -> bytes:
        """The 80 wire bytes."""
        head = self._HEAD.pack(
            self.MAGIC,
            self.VERSION,
            len(self.steps),
            self.kept,
            self.detector,
            self.frames,
            0,
            self.duration_ms,
            self.commitment,
        )
        shown = (
            self._STEP.pack(ACTIONS.index(one.action) + 1, one.frames, one.prompted_ms, one.done_ms, 0)
            for one in self.steps
        )
        return (head + b"".join(shown)).ljust(self.BYTES, b"\0")

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read 80 wire bytes; raises :class:`MalformedEnvelope` on any deviation."""
        _within(len(data), cls.BYTES, cls.BYTES, "liveness")
        _, _, steps, kept, detector, frames, _, duration_ms, commitment = cls._HEAD.unpack_from(data)
        shown = [
            MovementShown(action=_action(action), frames=count, prompted_ms=prompted_ms, done_ms=done_ms)
            for action, count, prompted_ms, done_ms, _ in cls._STEP.iter_unpack(data[cls._HEAD.size :])
            if action
        ]
        record = cls(
            steps=shown,
            frames=frames,
            duration_ms=duration_ms,
            kept=kept,
            commitment=commitment,
            detector=detector == 1,
        )
        if len(shown) != steps or record.to_bytes() != data:
            raise MalformedEnvelope(field="liveness", got="other bytes", expected="a record as it is written")
        return record


def _action(number: int) -> str:
    _within(number, 1, len(ACTIONS), "action")
    return ACTIONS[number - 1]


def _within(got: int, least: int, most: int, field: str) -> None:
    if not least <= got <= most:
        raise MalformedEnvelope(field=field, got=got, expected=f"{least} … {most}")
