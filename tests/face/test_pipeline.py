"""From photographs to embeddings."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from tests.face.pictures import VARIANTS, encode, portrait, side_by_side, small
from veilface.contract import CONTRACT
from veilface.face.errors import NoFace, PoorQuality, SeveralFaces
from veilface.face.pipeline import Face, FacePipeline, average
from veilface.face.quality import COMFORTABLE
from veilface.face.runtime import open_session
from veilface.protect.calibration import cosine_threshold


@pytest.fixture(scope="module")
def pipeline() -> FacePipeline:
    return FacePipeline()


@pytest.fixture(scope="module")
def obama(pipeline: FacePipeline, photos: Path) -> Face:
    return pipeline.single((photos / "obama.jpg").read_bytes())


def cosine(first: Face, second: Face) -> float:
    assert first.embedding is not None
    assert second.embedding is not None
    return float(first.embedding @ second.embedding)


def test_a_face_is_described_in_full(obama: Face) -> None:
    x, y, width, height = obama.box
    right_eye, left_eye, nose, right_mouth, left_mouth = obama.landmarks
    assert 350 < x < 390
    assert 80 < y < 110
    assert 220 < width < 260
    assert 300 < height < 350
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_eye[1] < nose[1] < right_mouth[1]
    assert right_mouth[0] < left_mouth[0]
    assert 0.9 < obama.score <= 1
    assert obama.crop.shape == (112, 112, 3)
    assert obama.crop.dtype == np.uint8
    assert obama.embedding is not None
    assert obama.embedding.shape == (128,)
    assert obama.embedding.dtype == np.float32
    assert np.linalg.norm(obama.embedding) == pytest.approx(1, abs=1e-6)
    assert obama.quality.problems == ()


def test_the_same_person_is_recognised_and_others_are_not(pipeline: FacePipeline, photos: Path, obama: Face) -> None:
    again, biden, astronaut = (
        pipeline.single((photos / name).read_bytes()) for name in ("obama2.jpg", "biden.jpg", "astronaut.png")
    )
    assert cosine(obama, again) > cosine_threshold() + 0.2
    for first, second in ((obama, biden), (obama, astronaut), (biden, astronaut), (again, biden)):
        assert cosine(first, second) < cosine_threshold() - 0.15


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in {"biden.jpg", "pair.jpg"}])
def test_the_kind_of_file_hardly_matters(pipeline: FacePipeline, photos: Path, obama: Face, name: str) -> None:
    face = pipeline.single(VARIANTS[name](photos), require_quality=True)
    astronaut = name in {"astronaut.png", "lossless.webp"}
    if astronaut:
        assert cosine(obama, face) < cosine_threshold()
    elif name == "obama2.jpg":
        assert cosine(obama, face) > cosine_threshold()
    else:
        assert cosine(obama, face) > (0.85 if name in {"small.jpg", "grey.jpg", "grey16.png", "leaning.jpg"} else 0.95)


def test_arrays_and_files_give_the_same_face(pipeline: FacePipeline, photos: Path, obama: Face) -> None:
    assert cosine(pipeline.single(np.asarray(portrait(photos))), obama) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("megapixels", [3, 12, 30])
def test_large_pictures_give_coordinates_of_the_original(
    pipeline: FacePipeline, photos: Path, obama: Face, megapixels: int
) -> None:
    picture = portrait(photos)
    scale = (megapixels * 1e6 / (picture.width * picture.height)) ** 0.5
    enlarged = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    face = pipeline.single(np.asarray(enlarged))
    assert np.allclose(face.box, np.multiply(obama.box, scale), atol=0.03 * obama.box[2] * scale)
    assert cosine(face, obama) > 0.97


def test_small_and_distant_faces_are_found(pipeline: FacePipeline, photos: Path, obama: Face) -> None:
    distant = Image.new("RGB", (1600, 1200), (120, 130, 140))
    distant.paste(portrait(photos).resize((182, 227)), (700, 500))
    face = pipeline.single(np.asarray(distant))
    assert face.quality.size < 60
    assert cosine(face, obama) > 0.7
    assert pipeline.single(np.asarray(small(photos))).embedding is not None


def test_a_face_larger_than_the_picture_is_found(pipeline: FacePipeline, photos: Path) -> None:
    close = portrait(photos).crop((390, 150, 590, 400)).resize((800, 1000))
    assert pipeline.single(np.asarray(close)).embedding is not None


def test_no_face(pipeline: FacePipeline) -> None:
    y, x = np.mgrid[0:300, 0:400]
    pattern = np.stack([x % 256, y % 256, (x * y) % 256], axis=-1).astype(np.uint8)
    assert pipeline.faces(pattern) == []
    with pytest.raises(NoFace):
        pipeline.single(pattern)
    with pytest.raises(NoFace):
        pipeline.single(encode(Image.new("RGB", (64, 64), "grey")))


def test_two_people_are_two_faces_and_nobody_is_meant(pipeline: FacePipeline, photos: Path) -> None:
    pair = encode(side_by_side(photos), quality=92)
    assert len(pipeline.faces(pair, embed=False)) == 2
    with pytest.raises(SeveralFaces) as refusal:
        pipeline.single(pair)
    assert refusal.value.details == {"count": 2}


def test_a_bystander_is_ignored(pipeline: FacePipeline, photos: Path, obama: Face) -> None:
    crowd = Image.new("RGB", (1300, 1137), (100, 100, 110))
    crowd.paste(portrait(photos), (195, 0))
    crowd.paste(portrait(photos, "biden.jpg").crop((290, 60, 730, 610)).resize((240, 300)), (1050, 800))
    assert len(pipeline.faces(np.asarray(crowd), embed=False)) == 2
    assert cosine(pipeline.single(np.asarray(crowd)), obama) > 0.97


def masked(picture: Image.Image, face: Face) -> Image.Image:
    x, y, width, height = face.box
    _, bridge = face.landmarks[2]
    covered = picture.copy()
    outline = [(x, bridge), (x + width, bridge), (x + width * 0.9, y + height), (x + width * 0.1, y + height)]
    ImageDraw.Draw(covered).polygon(outline, fill=(120, 160, 200))
    return covered


@pytest.mark.parametrize(
    ("problem", "worsen"),
    [
        ("too_dark", lambda picture, _: ImageEnhance.Brightness(picture).enhance(0.12)),
        ("too_bright", lambda picture, _: ImageEnhance.Brightness(picture).enhance(3)),
        ("blurred", lambda picture, _: picture.filter(ImageFilter.GaussianBlur(9))),
        ("too_small", lambda picture, _: picture.resize((120, 150))),
        ("tilted", lambda picture, _: picture.rotate(-50, expand=True)),
        ("occluded", masked),
        ("off_centre", lambda picture, face: picture.crop((int(face.box[0] + 0.45 * face.box[2]), 0, 910, 1137))),
        ("too_close", lambda picture, _: picture.crop((425, 215, 555, 350))),
    ],
)
def test_each_problem_is_named(pipeline: FacePipeline, photos: Path, obama: Face, problem: str, worsen: object) -> None:
    assert callable(worsen)
    worse = np.asarray(worsen(portrait(photos), obama))
    faces = pipeline.faces(worse, embed=False)
    assert faces
    assert problem in faces[0].quality.problems
    with pytest.raises(PoorQuality) as refusal:
        pipeline.single(worse, require_quality=True)
    assert problem in str(refusal.value.details["problems"])


def test_a_camera_is_stricter_than_a_file(pipeline: FacePipeline, photos: Path) -> None:
    leaning = np.asarray(portrait(photos).rotate(28, expand=True))
    (lenient,), (strict,) = (
        pipeline.faces(leaning, embed=False),
        pipeline.faces(leaning, embed=False, limits=COMFORTABLE),
    )
    assert lenient.quality.problems == ()
    assert "tilted" in strict.quality.problems
    assert -28 < strict.quality.roll < -12


def test_angles_have_the_stated_signs(pipeline: FacePipeline, photos: Path, obama: Face) -> None:
    mirrored = pipeline.single(np.asarray(portrait(photos))[:, ::-1])
    assert mirrored.quality.roll == pytest.approx(-obama.quality.roll, abs=4)
    biden = portrait(photos, "biden.jpg")
    (left,), (right,) = (
        pipeline.faces(np.asarray(biden), embed=False),
        pipeline.faces(np.asarray(biden)[:, ::-1], embed=False),
    )
    assert left.quality.yaw > 5
    assert right.quality.yaw < -5
    clockwise = pipeline.single(np.asarray(portrait(photos).rotate(-20, expand=True)))
    assert clockwise.quality.roll == pytest.approx(obama.quality.roll + 20, abs=4)


def test_averaging_is_a_mean_of_unit_length(obama: Face) -> None:
    assert obama.embedding is not None
    assert average([obama.embedding]) == pytest.approx(obama.embedding)
    flipped = np.roll(obama.embedding, 1)
    mean = average([obama.embedding, flipped])
    assert np.linalg.norm(mean) == pytest.approx(1, abs=1e-6)
    assert mean @ obama.embedding == pytest.approx(mean @ flipped, abs=1e-6)
    with pytest.raises(ValueError, match="no embeddings"):
        average([])


def test_a_changed_model_is_not_opened() -> None:
    with pytest.raises(ValueError, match="the contract says"):
        open_session("yunet.onnx", sha256=CONTRACT.embedder_sha256)
