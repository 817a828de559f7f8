"""``veilface compare`` and ``veilface embed``: what can be done with pictures and no server."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from veilface.cli.options import JsonFlag, Picture, Pictures, SchemeOption
from veilface.cli.output import emit, milliseconds, say, table
from veilface.messages import text

if TYPE_CHECKING:
    from veilface.face.pipeline import Face


def compare(
    enrolled: Picture, probe: Picture, *, scheme: SchemeOption = "homomorphic", as_json: JsonFlag = False
) -> None:
    """Enrols one face and verifies the other, key holder included; says yes or no and never how much."""
    from veilface.evaluate.comparison import compare_pictures

    comparison = compare_pictures(enrolled.read_bytes(), probe.read_bytes(), scheme=scheme)
    if as_json:
        emit(asdict(comparison))
        return
    say("cli.compare.same" if comparison.match else "cli.compare.different")
    rows = [(text(f"stage.{stage}"), milliseconds(spent)) for stage, spent in comparison.timings_ms.items()]
    table(("cli.column.stage", "cli.column.time"), rows)


def embed(images: Pictures, *, as_json: JsonFlag = False) -> None:
    """Shows every face on every picture: box, landmarks, quality and – as JSON – the embedding."""
    from veilface.face.pipeline import FacePipeline

    pipeline = FacePipeline()
    found = {str(image): pipeline.faces(image.read_bytes()) for image in images}
    if as_json:
        emit({"images": [{"image": image, "faces": [_face(face) for face in faces]} for image, faces in found.items()]})
        return
    rows = [
        (
            image,
            "{:.0f}, {:.0f}, {:.0f} × {:.0f}".format(*face.box),
            f"{face.score:.2f}",
            " ".join(text(f"guide.{problem}") for problem in face.quality.problems) or text("cli.embed.good"),
        )
        for image, faces in found.items()
        for face in faces
    ]
    table(("cli.column.image", "cli.column.box", "cli.column.score", "cli.column.quality"), rows)
    for image in (image for image, faces in found.items() if not faces):
        say("cli.embed.no_face", image=image)


def _face(face: "Face") -> dict[str, object]:
    return {
        "box": list(face.box),
        "landmarks": [list(point) for point in face.landmarks],
        "score": face.score,
        "quality": {name: value for name, value in asdict(face.quality).items() if name != "problems"},
        "problems": list(face.quality.problems),
        "embedding": [] if face.embedding is None else face.embedding.tolist(),
    }


COMMANDS: Final = {"compare": compare, "embed": embed}
