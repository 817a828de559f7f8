"""Alignment, suppression and resampling, by their properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from veilface.face.aligner import TEMPLATE, Similarity, align, fit, sample
from veilface.face.detector import MOST_OVERLAP, Detection, overlap, suppress, window_around
from veilface.face.image import WORKING_SIDE, working_picture

angles = st.floats(-np.pi, np.pi)
shifts = st.floats(-500, 500)
scales = st.floats(0.2, 20)


def similarity(scale: float, angle: float, dx: float, dy: float) -> Similarity:
    return Similarity(a=scale * float(np.cos(angle)), b=scale * float(np.sin(angle)), dx=dx, dy=dy)


@given(scales, angles, shifts, shifts)
def test_fit_finds_the_similarity_that_was_applied(scale: float, angle: float, dx: float, dy: float) -> None:
    made = similarity(scale, angle, dx, dy)
    found = fit(TEMPLATE, made.apply(TEMPLATE))
    assert np.allclose([found.a, found.b, found.dx, found.dy], [made.a, made.b, made.dx, made.dy], atol=1e-6)
    assert found.scale == pytest.approx(scale)


@given(st.integers(0, 2**32 - 1))
def test_fit_equals_umeyamas_decomposition(seed: int) -> None:
    target = TEMPLATE + np.random.default_rng(seed).normal(0, 4, (5, 2))
    found = fit(TEMPLATE, target)
    from_centre, to_centre = TEMPLATE - TEMPLATE.mean(0), target - target.mean(0)
    u, d, vt = np.linalg.svd(to_centre.T @ from_centre / 5)
    sign = np.diag([1, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ sign @ vt
    scale = np.trace(np.diag(d) @ sign) / from_centre.var(0).sum()
    assert np.allclose(scale * rotation, [[found.a, -found.b], [found.b, found.a]])


@settings(max_examples=20)  # pictures are drawn
@given(scales.filter(lambda scale: scale < 4), angles)
def test_aligned_landmarks_land_on_the_template(scale: float, angle: float) -> None:
    """A dark spot at every landmark is found again where the template wants it."""
    made = similarity(max(scale, 1.0), angle, 320, 320)
    landmarks = made.apply(TEMPLATE - 56)
    y, x = np.mgrid[0:640, 0:640]
    picture = np.full((640, 640, 3), 255, np.uint8)
    for across, down in landmarks:
        picture[np.hypot(x - across, y - down) < 3 * made.scale] = 0
    crop = align(Image.fromarray(picture), landmarks)[..., 0].astype(float)
    for across, down in TEMPLATE:
        column, row = round(across), round(down)
        patch = 255 - crop[row - 6 : row + 7, column - 6 : column + 7]
        rows, columns = np.mgrid[row - 6 : row + 7, column - 6 : column + 7]
        assert (patch * columns).sum() / patch.sum() == pytest.approx(across, abs=0.6)
        assert (patch * rows).sum() / patch.sum() == pytest.approx(down, abs=0.6)


@pytest.mark.parametrize("scale", [1, 3, 9])
def test_a_fine_pattern_becomes_grey_and_not_a_false_pattern(scale: int) -> None:
    """Stripes of one pixel vanish when a large face is reduced, where plain bilinear sampling would alias."""
    side = 140 * scale
    stripes = np.zeros((side, side, 3), np.uint8)
    stripes[:, ::2] = 200
    crop = align(Image.fromarray(stripes), TEMPLATE * scale + 10 * scale)
    assert crop.std() < (101 if scale == 1 else 35)
    assert crop.mean() == pytest.approx(100, abs=2)


def test_a_face_outside_the_picture_is_black() -> None:
    picture = Image.new("RGB", (200, 200), "white")
    assert not align(picture, TEMPLATE + 1000).any()
    half = align(picture, TEMPLATE + np.array([-56, 0]))
    assert half[:, :54].max() == 0
    assert half[:, 58:].min() == 255


@given(st.floats(-5, 25), st.floats(-5, 25))
def test_sampling_stays_between_its_neighbours(x: float, y: float) -> None:
    value = sample(np.full((20, 20, 3), 200, np.uint8), np.array([[[x, y]]]))
    assert 0 <= value.min() <= value.max() <= 200
    if 0 <= x <= 19 and 0 <= y <= 19:
        assert value.min() == 200
    if not (-1 < x < 20 and -1 < y < 20):
        assert value.max() == 0


boxes = st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(5, 60), st.floats(5, 60)).map(np.array)
detections = st.builds(
    lambda box, score: Detection(box=box, landmarks=np.zeros((5, 2)), score=score), boxes, st.floats(0.6, 1)
)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_a_share(first: np.ndarray, second: np.ndarray) -> None:
    share = overlap(first, second)
    assert 0 <= share <= 1 + 1e-9
    assert share == pytest.approx(overlap(second, first))
    assert overlap(first, first) == pytest.approx(1)


def surer_twin(one: Detection, face: Detection) -> bool:
    return overlap(face.box, one.box) > MOST_OVERLAP and one.score >= face.score


@given(st.lists(detections, max_size=30))
def test_suppression_keeps_the_surest_and_nothing_twice(found: list[Detection]) -> None:
    kept = suppress(found)
    assert [face.score for face in kept] == sorted((face.score for face in kept), reverse=True)
    assert all(overlap(a.box, b.box) <= MOST_OVERLAP for a in kept for b in kept if a is not b)
    for face in found:
        assert any(
            face is one or (overlap(face.box, one.box) > MOST_OVERLAP and one.score >= face.score) for one in kept
        )
    assert {id(face) for face in suppress(kept)} == {id(face) for face in kept}


@given(detections, st.sampled_from([1.6, 2.0]))
def test_a_window_holds_its_face(face: Detection, size: float) -> None:
    left, top, side = window_around(face, size)
    x, y, width, height = face.box
    assert left <= x <= x + width <= left + side + 1e-6
    assert top <= y <= y + height <= top + side + 1e-6


@given(st.integers(32, 9000), st.integers(32, 400))
def test_the_working_picture_is_bounded_and_usable(width: int, height: int) -> None:
    working = working_picture(Image.new("RGB", (width, height)))
    assert min(working.image.size) >= 32
    assert max(working.image.size) <= max(WORKING_SIDE, 2 * 32 * max(width, height) / min(width, height))
    assert working.image.size == (width // working.factor, height // working.factor)
