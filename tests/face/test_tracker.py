"""People before a camera: who is followed, looked at and asked about. The scenes are those of vectors/tracker.json."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from veilface.face.attention import (
    ASK_AGAIN_S,
    FIRST_RETRY_S,
    FIRST_WORTH,
    LAST_RETRY_S,
    PAUSE_S,
    SHOTS,
    Attention,
    Outcome,
    Question,
    Shot,
    worth,
)
from veilface.face.quality import Quality
from veilface.face.tracker import LONGEST_GAP_S, MOST_MISSED, Track, Tracker

ROOT = Path(__file__).parents[2]
FACE = np.eye(8, dtype=np.float32)
BOX = (100.0, 100.0, 80.0, 100.0)


@pytest.fixture(scope="module")
def scenes() -> dict[str, Any]:
    told = json.loads((ROOT / "vectors/tracker.json").read_text("ascii"))["scenes"]
    return {scene["name"]: scene for scene in told}


def test_vectors_are_derived() -> None:
    command = [sys.executable, "tools/tracker_vectors.py", "--check"]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def asked(scene: Any) -> list[tuple[float, int]]:
    """When which track was searched."""
    frames = zip(scene["frames"], scene["trace"], strict=True)
    return [(frame["now"], track) for frame, made in frames for track in made["asked"]]


def names(made: Any) -> dict[int, str | None]:
    return {track: person for track, _, _, _, person in made["tracks"]}


def test_everybody_is_searched_by_the_first_shot_and_a_stranger_by_three_then_later_and_later(
    scenes: dict[str, Any],
) -> None:
    scene = scenes["three people, one of them a stranger"]
    assert asked(scene) == [(0.1, 1), (0.2, 2), (0.5, 2), (0.6, 3), (4.7, 2)]
    told = [{track: outcome for track, _, _, outcome, _ in made["tracks"]}.get(2) for made in scene["trace"]]
    assert told.index("unknown") == 5  # nothing is said of who one shot did not name
    assert names(scene["trace"][-1]) == {1: "甲", 2: None, 3: "乙"}
    assert all(len(made["looked"]) <= 1 for made in scene["trace"])


def test_two_who_cross_keep_their_names_and_are_looked_at_again(scenes: dict[str, Any]) -> None:
    scene = scenes["two people cross, one hidden behind the other"]
    assert [track for _, track in asked(scene)] == [1, 2]
    for frame, made in zip(scene["frames"], scene["trace"], strict=True):
        seen = {frame["who"][sight]: person for _, sight, _, _, person in made["tracks"] if sight is not None}
        assert frame["now"] < 0.2 or all(person == "甲乙"[who] for who, person in seen.items())
    assert all(doubts > 0 for _, _, doubts, _, _ in scene["trace"][-1]["tracks"])


def test_a_face_that_comes_back_soon_is_still_itself_and_later_is_somebody_new(scenes: dict[str, Any]) -> None:
    soon, late = (scenes[f"a face is lost for {time} and back"] for time in ("a moment", "long"))
    assert asked(soon) == [(0.1, 1)]
    assert soon["trace"][-1]["tracks"] == [[1, 0, 1, "named", "甲"]]
    assert asked(late) == [(0.1, 1), (4.1, 2)]


def test_whoever_takes_anothers_place_does_not_keep_the_name(scenes: dict[str, Any]) -> None:
    scene = scenes["somebody else takes the place"]
    for frame, made in zip(scene["frames"], scene["trace"], strict=True):
        visible = [person for _, sight, _, _, person in made["tracks"] if sight is not None]
        assert frame["now"] < 1.9 or visible in ([None], ["乙"])
    assert asked(scene) == [(0.1, 1), (1.9, 1)]


def test_another_resolution_changes_nobodys_track(scenes: dict[str, Any]) -> None:
    scene = scenes["the camera changes its resolution, then its shape"]
    assert [track for _, track in asked(scene)] == [1, 2]
    assert names(scene["trace"][-1]) == {1: "甲", 2: "乙"}


def test_a_flicker_is_never_looked_at_and_a_poor_face_never_asked_about(scenes: dict[str, Any]) -> None:
    scene = scenes["a flicker is nobody, and a face that will do for nothing is not asked about"]
    assert asked(scene) == []
    assert {track for made in scene["trace"] for track in made["looked"]} == {1}


def test_a_slow_camera_is_answered_with_what_there_is(scenes: dict[str, Any]) -> None:
    scene = scenes["a slow camera: fewer shots than wanted, and the worst left out"]
    assert asked(scene) == [(1.333, 1)]


def test_a_poor_first_shot_waits_for_the_others(scenes: dict[str, Any]) -> None:
    assert asked(scenes["a face too poor to be asked about by its first shot"]) == [(0.3, 1)]


def test_somebody_known_who_stays_is_asked_about_again_and_named_meanwhile(scenes: dict[str, Any]) -> None:
    scene = scenes["somebody known stays, and is asked about again"]
    (first, _), (second, _) = asked(scene)
    assert ASK_AGAIN_S <= second - first < ASK_AGAIN_S + 2
    since = [names(made) for frame, made in zip(scene["frames"], scene["trace"], strict=True) if frame["now"] >= first]
    assert since == [{1: "甲"}] * len(since)


def test_a_track_ends_after_frames_missed_and_after_time_passed() -> None:
    for step, most in ((0.01, MOST_MISSED), (LONGEST_GAP_S / 4, 4)):
        tracker = Tracker()
        for frame in range(2):
            tracker.update([BOX], width=640, height=480, now=frame * step)
        missed = [len(tracker.update([], width=640, height=480, now=(frame + 2) * step)) for frame in range(most + 1)]
        assert missed == [1] * most + [0]


def test_a_clock_that_stands_still_or_goes_back_breaks_nothing() -> None:
    tracker = Tracker()
    for now in (5.0, 5.0, 4.0, 5.1):
        (track,) = tracker.update([BOX], width=640, height=480, now=now)
    assert (track.id, track.hits) == (1, 4)
    assert np.isfinite([*track.box, *track.velocity]).all()


def resting(outcome: Any = "unknown") -> Attention:
    """Somebody who was asked about at 0."""
    attention = Attention()
    attention.follow([seen()])
    for _ in range(3):
        attention.took(1, Shot(embedding=FACE[0], worth=1, taken_at=0))
    (question,) = attention.questions(0)
    attention.answered(question, outcome, now=0, person="甲" if outcome == "named" else None)
    return attention


def seen(*, doubts: int = 0) -> Track:
    return Track(id=1, box=BOX, seen_at=0, sight=0, hits=2, doubts=doubts)


def test_strangers_are_asked_about_more_and_more_rarely_but_never_not_at_all() -> None:
    attention, now, waits = resting(), 0.0, []
    for _ in range(8):
        wait = attention.standing(1).next_at - now
        assert attention.wanted([seen()], now + wait - 0.01) == []
        now += wait
        waits.append(round(wait))
        for _ in range(3):
            assert attention.wanted([seen()], now) == [seen()]
            attention.took(1, Shot(embedding=FACE[0], worth=1, taken_at=now))
        (question,) = attention.questions(now)
        attention.answered(question, "unknown", now=now)
    assert waits == [2, 4, 8, 16, 32, 60, 60, LAST_RETRY_S]


@pytest.mark.parametrize("last", ["named", "unknown"])
def test_whoever_one_shot_did_not_name_is_asked_about_once_more_before_anything_is_said(last: Outcome) -> None:
    attention = Attention()
    attention.follow([seen()])
    attention.took(1, Shot(embedding=FACE[0], worth=1, taken_at=0))
    (question,) = attention.questions(0)
    attention.answered(question, "unclear", now=0.1)
    for number in range(3):
        assert (attention.standing(1).outcome, attention.questions(0.2)) == (None, [])
        newcomer = Track(id=2, box=BOX, seen_at=0, sight=1, hits=2)
        attention.follow([seen(), newcomer])
        assert [track.id for track in attention.wanted([seen(), newcomer], 0.2)] == [2, 1]  # who came last comes first
        attention.took(1, Shot(embedding=FACE[0], worth=1, taken_at=0.2 + number / 10))
    (question,) = attention.questions(0.4)
    attention.answered(question, last, now=0.5, person="甲" if last == "named" else None)
    assert attention.standing(1).outcome == last
    assert attention.standing(1).ask_at == pytest.approx(0.5 + (ASK_AGAIN_S if last == "named" else 2 * FIRST_RETRY_S))


def test_doubt_is_looked_into_at_once_but_a_poor_look_waits_a_moment() -> None:
    attention, doubtful = resting("named"), seen(doubts=1)
    attention.follow([doubtful])
    assert attention.wanted([doubtful], 0.1) == [doubtful]
    attention.refused(1, 0.1)
    assert attention.wanted([doubtful], 0.1 + PAUSE_S / 2) == []
    attention.took(1, Shot(embedding=FACE[0], worth=1, taken_at=0.3))
    assert attention.wanted([doubtful], 0.4) == []
    assert attention.questions(9) == []


def test_whoever_is_no_longer_known_loses_the_name_with_the_next_answer() -> None:
    attention = resting("named")
    assert attention.people() == {"甲"}
    for _ in range(3):
        assert attention.wanted([seen()], ASK_AGAIN_S) == [seen()]
        attention.took(1, Shot(embedding=FACE[0], worth=1, taken_at=ASK_AGAIN_S))
        assert attention.standing(1).person == "甲"
    (question,) = attention.questions(ASK_AGAIN_S)
    assert attention.people() == {"甲"}
    attention.answered(question, "unknown", now=ASK_AGAIN_S)
    assert attention.people() == set()


def test_shots_of_two_people_are_never_averaged() -> None:
    attention = Attention()
    attention.follow([seen()])
    for person in (0, 0, 1, 1, 1):
        assert attention.questions(0) == []
        attention.took(1, Shot(embedding=FACE[person], worth=FIRST_WORTH / 2, taken_at=0))
    (question,) = attention.questions(0)
    assert np.array_equal(question.embedding, FACE[1])


def test_an_answer_that_nobody_waits_for_is_nothing() -> None:
    attention = resting("named")
    before = attention.standing(1)
    for track in (1, 2):
        attention.answered(Question(track=track, number=1, embedding=FACE[0]), "unknown", now=1)
    assert attention.standing(1) == before


def test_an_answer_from_before_everything_began_anew_answers_no_later_question() -> None:
    """Somebody was registered, renamed or removed while a search was under way; or another face came into its place."""
    attention, shot = resting("named"), Shot(embedding=FACE[0], worth=1, taken_at=ASK_AGAIN_S)
    asked = list[Question]()
    for anew in (attention.again, lambda: attention.took(1, replace(shot, embedding=FACE[1]))):
        for _ in range(SHOTS):
            attention.took(1, shot)
        asked += attention.questions(ASK_AGAIN_S)
        anew()
        assert attention.standing(1).outcome is None
    asked += attention.questions(ASK_AGAIN_S)
    assert len(asked) == 3
    for stale in asked[:2]:
        attention.answered(stale, "named", now=ASK_AGAIN_S, person="甲")
        assert (attention.standing(1).phase, attention.people()) == ("asking", set())
    attention.answered(asked[2], "named", now=ASK_AGAIN_S, person="乙")
    assert attention.people() == {"乙"}


def test_worth_is_for_large_sharp_faces_from_the_front() -> None:
    best = Quality(size=200, sharpness=1.2, brightness=120, yaw=0, pitch=0, roll=0, occlusion=0)
    turned = Quality(size=200, sharpness=1.2, brightness=120, yaw=40, pitch=0, roll=0, occlusion=0)
    refused = Quality(size=20, sharpness=1, brightness=9, yaw=0, pitch=0, roll=0, occlusion=0, problems=("too_small",))
    assert worth(best) == 1
    assert 0 < worth(turned) < 0.8
    assert worth(refused) == 0
