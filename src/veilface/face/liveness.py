"""A challenge and its response: whether somebody before the camera moves as asked, when asked, and in one piece.

The server draws which movements, in which order and after which pauses; the device follows them on the landmarks. It
is no presentation-attack detection and no certified one: it stops prints and pictures on a screen, which cannot turn
their nose past their own eyes, and recordings, which move unasked or the wrong way. A face that is computed live
passes. :class:`AttackDetector` is where a model that sees more can be plugged in. Nothing here reads a clock or a
picture. ``web/src/face/liveness.ts`` mirrors this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from veilface.face.tracker import Box, overlap

Action = Literal["turn_left", "turn_right", "nod", "come_closer"]
"""As the person does them: whoever turns to their left points the nose to the right of the picture."""
Failure = Literal["lost", "several_faces", "jumped", "unasked", "wrong_way", "sudden", "too_late"]
Stage = Literal["steady", "waiting", "acting", "passed", "failed"]

STEADY_S: Final = 0.4
"""How long a face looks straight ahead and holds still before each movement, and after the last."""
STRAIGHT_YAW: Final = 14.0
STRAIGHT_PITCH: Final = 16.0
STILL: Final = 5.0
"""Degrees by which yaw and pitch may wander while it holds still, each to either side."""
TURN: Final = 15.0
NOD: Final = 9.0
CLOSER: Final = 0.22
"""What makes a movement: degrees of yaw, degrees of pitch downwards, and growth of the face's height."""
NOD_OVER: Final = 0.4
"""A nod is done when this share of it is left."""
QUICKEST_S: Final = 0.15
"""Nobody reacts faster."""
DEADLINE_S: Final = 6.0
ON_THE_WAY: Final = (0.25, 0.95)
"""Shares of a movement of which one frame at least must show some: a face swapped for a turned one shows none."""
LEAST_OVERLAP: Final = 0.3
LONGEST_GAP_S: Final = 2.0
"""A slow telephone looks once a second; what changed in between, overlap and likeness must show."""


class AttackDetector(Protocol):
    """A model that tells live faces from prints, screens and masks; none ships with Veilface."""

    def looks_live(self, crops: Sequence[NDArray[np.uint8]]) -> bool:
        """Judge aligned crops (112, 112, 3) of one check."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One movement, asked for ``pause_s`` seconds after the face held still."""

    action: Action
    pause_s: float


@dataclass(frozen=True, kw_only=True)
class Sight:
    """One frame at ``at`` seconds: how many faces, and of the only one its box in shares of the frame and its pose.

    Degrees as in :class:`~veilface.face.quality.Quality`: yaw is positive when the nose points to the right of the
    picture, pitch when it points up.
    """

    at: float
    faces: int
    box: Box = (0.0, 0.0, 0.0, 0.0)
    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """A movement that was done: seconds since the first frame, and how many frames showed it."""

    action: Action
    prompted_s: float
    done_s: float
    frames: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What to show after a frame.

    ``action`` – what is asked for now; ``share`` – how much of it, or of holding still, is there (0 to 1); ``keep`` –
    this frame is one to embed: all that are kept must show the same person.
    """

    stage: Stage
    action: Action | None = None
    share: float = 0.0
    keep: bool = False
    failure: Failure | None = None


@dataclass
class LivenessCheck:
    """Follows one face through the movements of a plan. Feed it every frame; it ends passed or failed."""

    plan: Sequence[Prompt]

    def __post_init__(self) -> None:
        self.steps: list[Step] = []
        self.frames = 0
        self.duration_s = 0.0
        self._began: float | None = None
        self._last: Sight | None = None
        self._calm: list[Sight] = []
        self._neutral: Sight | None = None
        self._waits_until = 0.0
        self._prompted_at: float | None = None
        self._shown = 0
        self._gradual = False
        self._deepest = 0.0
        self._end: Progress | None = None

    def see(self, sight: Sight) -> Progress:
        """Takes in one frame. Before the face has held still once, whatever is wrong only begins anew."""
        if self._end:
            return self._end
        if self._began is None:
            self._began = sight.at
        self.frames += 1
        self.duration_s = sight.at - self._began
        broken = self._broken(sight)
        self._last = sight if sight.faces == 1 else self._last
        if broken:
            return self._restart() if not self._committed else self._over(broken)
        if sight.faces != 1:
            return self._still_wanted()
        if self._neutral is None:
            return self._hold_still(sight)
        if self._prompted_at is None:
            return self._wait(sight, self._neutral)
        return self._act(sight, self._neutral, self._prompted_at)

    # --- continuity --------------------------------------------------------------------------------------

    @property
    def _committed(self) -> bool:
        """Whether something was asked for or is about to be: from here on, a break is a failure."""
        return self._neutral is not None or bool(self.steps)

    def _broken(self, sight: Sight) -> Failure | None:
        last = self._last
        if sight.faces > 1:
            return "several_faces"
        if last is not None and sight.at - last.at > LONGEST_GAP_S:
            return "lost"
        if last is not None and sight.faces == 1 and overlap(last.box, sight.box) < LEAST_OVERLAP:
            return "jumped"
        return None

    def _restart(self) -> Progress:
        self._calm, self._last = [], None
        return Progress(stage="steady")

    def _still_wanted(self) -> Progress:
        """A frame without a face: what was wanted is wanted still."""
        if self._neutral is None:
            self._calm = []
            return Progress(stage="steady")
        if self._prompted_at is None:
            return Progress(stage="waiting")
        return Progress(stage="acting", action=self._asked.action)

    # --- stages ------------------------------------------------------------------------------------------

    @property
    def _asked(self) -> Prompt:
        return self.plan[len(self.steps)]

    def _hold_still(self, sight: Sight) -> Progress:
        straight = abs(sight.yaw) <= STRAIGHT_YAW and abs(sight.pitch) <= STRAIGHT_PITCH
        self._calm = [one for one in self._calm if _near(one, sight)] if straight else []
        if straight:
            self._calm.append(sight)
        held = sight.at - self._calm[0].at if self._calm else 0.0
        if held < STEADY_S:
            return Progress(stage="steady", share=held / STEADY_S)
        if len(self.steps) == len(self.plan):
            self._end = Progress(stage="passed", share=1.0)
            return Progress(stage="passed", share=1.0, keep=True)
        self._neutral, self._calm = _mean(self._calm), []
        self._waits_until = sight.at + self._asked.pause_s
        return Progress(stage="waiting", keep=True)

    def _wait(self, sight: Sight, neutral: Sight) -> Progress:
        if max(_shares(sight, neutral).values()) >= 1:
            return self._over("unasked")
        if sight.at < self._waits_until:
            return Progress(stage="waiting")
        self._prompted_at, self._shown, self._gradual, self._deepest = sight.at, 0, False, 0.0
        return Progress(stage="acting", action=self._asked.action)

    def _act(self, sight: Sight, neutral: Sight, prompted_at: float) -> Progress:
        action, shares = self._asked.action, _shares(sight, neutral)
        share, self._shown = shares[action], self._shown + 1
        self._gradual = self._gradual or ON_THE_WAY[0] <= share <= ON_THE_WAY[1]
        self._deepest = max(self._deepest, share)
        if any(shares[other] >= 1 for other in _CONTRARY[action]):
            return self._over("wrong_way")
        if self._deepest < 1 or (action == "nod" and share > NOD_OVER):
            late = sight.at - prompted_at > DEADLINE_S
            return self._over("too_late") if late else self._acting(action, share)
        if sight.at - prompted_at < QUICKEST_S:
            return self._over("unasked")
        return self._done(sight, prompted_at) if self._gradual else self._over("sudden")

    def _acting(self, action: Action, share: float) -> Progress:
        if action == "nod":  # down is half of it
            share = self._deepest / 2 if self._deepest < 1 else 1 - share / 2
        return Progress(stage="acting", action=action, share=min(max(share, 0.0), 1.0))

    def _done(self, sight: Sight, prompted_at: float) -> Progress:
        began = self._began or 0.0
        self.steps.append(
            Step(
                action=self._asked.action,
                prompted_s=prompted_at - began,
                done_s=sight.at - began,
                frames=self._shown,
            )
        )
        self._neutral, self._prompted_at = None, None
        return Progress(stage="steady", keep=True)

    def _over(self, failure: Failure) -> Progress:
        self._end = Progress(stage="failed", failure=failure)
        return self._end


_CONTRARY: Final[dict[Action, tuple[Action, ...]]] = {
    "turn_left": ("turn_right", "come_closer"),
    "turn_right": ("turn_left", "come_closer"),
    "nod": ("turn_left", "turn_right", "come_closer"),
    "come_closer": ("turn_left", "turn_right"),
}
"""What is not the movement asked for. The pitch of a turned head says little, so nods do not count while turning."""


def _shares(sight: Sight, neutral: Sight) -> dict[Action, float]:
    """How much of each movement there is, 1 for all of it."""
    yaw, growth = sight.yaw - neutral.yaw, sight.box[3] / neutral.box[3] - 1
    return {
        "turn_left": yaw / TURN,
        "turn_right": -yaw / TURN,
        "nod": (neutral.pitch - sight.pitch) / NOD,
        "come_closer": growth / CLOSER,
    }


def _near(one: Sight, other: Sight) -> bool:
    return abs(one.yaw - other.yaw) <= STILL and abs(one.pitch - other.pitch) <= STILL


def _mean(sights: Sequence[Sight]) -> Sight:
    count = len(sights)
    return Sight(
        at=sights[-1].at,
        faces=1,
        box=(*sights[-1].box[:3], sum(one.box[3] for one in sights) / count),
        yaw=sum(one.yaw for one in sights) / count,
        pitch=sum(one.pitch for one in sights) / count,
    )
