"""``veilface watch``: who is in front of the camera, live in a terminal and, if wanted, in an annotated video."""

import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from veilface.cli.errors import OptionsExclude
from veilface.cli.options import KIOSK_FOLDER, JsonFlag, KioskOption
from veilface.cli.output import emit, say
from veilface.messages import text

if TYPE_CHECKING:
    from veilface.cli.screen import Screen
    from veilface.watch.drawing import Pen
    from veilface.watch.recording import Recorder
    from veilface.watch.searching import Searcher
    from veilface.watch.sources import Source
    from veilface.watch.watcher import Watcher

CameraOption = Annotated[
    int | None, typer.Option("--camera", min=0, max=99, metavar="N", help=text("cli.option.camera"))
]
VideoOption = Annotated[
    Path | None, typer.Option("--video", exists=True, dir_okay=False, metavar="FILE", help=text("cli.option.video"))
]
LiveFlag = Annotated[bool, typer.Option("--live", help=text("watch.option_live"))]
ImagesOption = Annotated[
    Path | None, typer.Option("--images", exists=True, file_okay=False, metavar="DIR", help=text("cli.option.images"))
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE|DIR", help=text("cli.option.out"))]
SecondsOption = Annotated[float | None, typer.Option("--seconds", min=0.1, help=text("cli.option.seconds"))]


def watch(
    *,
    camera: CameraOption = None,
    video: VideoOption = None,
    live: LiveFlag = False,
    images: ImagesOption = None,
    kiosk: KioskOption = KIOSK_FOLDER,
    out: OutOption = None,
    seconds: SecondsOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Says who is there until the video ends, the time is over, or Ctrl-C."""
    given = {"--camera": camera, "--video": video, "--images": images}
    named = [name for name, value in given.items() if value is not None]
    if live and images is not None:
        named.append("--live")
    if len(named) > 1:
        raise OptionsExclude(first=named[0], second=named[1])
    from veilface.sdk.kiosk import Kiosk
    from veilface.watch.gallery import GallerySearcher

    with Kiosk(kiosk).searching() as desk:
        watch_with(
            GallerySearcher(desk),
            camera=camera,
            video=None if video is None else (video, live),
            images=images,
            out=out,
            seconds=seconds,
            as_json=as_json,
        )


def watch_with(
    searcher: "Searcher",
    *,
    camera: int | None,
    video: tuple[Path, bool] | None,
    images: Path | None,
    out: Path | None,
    seconds: float | None,
    as_json: bool,
) -> None:
    """The same with anybody who knows names; ``video`` – the file, and whether it is shown at its own speed."""
    from veilface.cli.screen import Screen
    from veilface.face.pipeline import FacePipeline
    from veilface.watch.drawing import find_pen
    from veilface.watch.recording import recorder
    from veilface.watch.watcher import Watcher

    watcher = Watcher(FacePipeline(), searcher)
    with ExitStack() as stack:
        screen = stack.enter_context(Screen(watcher, shown=not as_json))
        kept = None if out is None else stack.enter_context(recorder(out))
        source = _source(camera, video, images, screen)
        pen = find_pen()
        if kept is not None and not pen.chinese:
            screen.tell(text("watch.no_chinese_font"))
        with suppress(KeyboardInterrupt):  # how one stops watching a camera
            _watch(watcher, source, screen, pen, kept, seconds=seconds)
    if as_json:
        emit(_summary(watcher))
    else:
        names = text("watch.separator").join(watcher.people.values()) or text("watch.nobody")
        say("watch.done", frames=watcher.stages.frames, fps=f"{watcher.stages.possible_fps:.1f}", people=names)


def _watch(
    watcher: "Watcher",
    source: "Source",
    screen: "Screen",
    pen: "Pen",
    kept: "Recorder | None",
    *,
    seconds: float | None,
) -> None:
    from veilface.cli.screen import label

    started = time.monotonic()
    for view in watcher.views(source):
        screen.show(view)
        if kept is not None:
            with watcher.stages.time("draw"):
                drawn = pen.draw(view, [label(seen) for seen in view.seen], screen.caption())
                kept.write(view.frame, drawn)
        if seconds is not None and time.monotonic() - started >= seconds:
            return


def _source(camera: int | None, video: tuple[Path, bool] | None, images: Path | None, screen: "Screen") -> "Source":
    from veilface.watch.sources import Camera, Pictures, Video

    if video is not None:
        file, live = video
        return Video(file=file, live=live)
    if images is not None:
        return Pictures(folder=images)
    return Camera(
        number=camera or 0, lost=lambda attempt: screen.tell(text("watch.camera_gone", None, attempt=attempt))
    )


def _summary(watcher: "Watcher") -> dict[str, object]:
    stages = watcher.stages
    return {
        "frames": stages.frames,
        "fps": round(stages.possible_fps, 2),
        "stages_ms": {stage: round(spent, 3) for stage, spent in stages.medians_ms().items()},
        "tracks": [
            {"track": one.track, "outcome": one.outcome, "name": one.name, "named_after_ms": round(one.after_ms, 1)}
            for one in watcher.namings.told
        ],
        "people": [{"id": person, "name": name} for person, name in watcher.people.items()],
    }


COMMANDS: Final = {"watch": watch}
