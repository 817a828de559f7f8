"""The live table of ``veilface watch``: who is there, frames a second, and what every stage takes."""

from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from veilface.cli.output import console, milliseconds, warn
from veilface.messages import explain, text
from veilface.watch.drawing import SEPARATOR

if TYPE_CHECKING:
    from veilface.watch.watcher import Seen, View, Watcher

REFRESH_HZ: Final = 8
COLOURS: Final = {"named": "green", "unknown": "yellow", "unclear": "yellow", "unanswered": "red", None: "dim"}


class Screen:
    """Shows views in the terminal, and nothing at all where it is not ``shown``."""

    def __init__(self, watcher: "Watcher", *, shown: bool) -> None:
        self._stages = watcher.stages
        self._live = Live(console=console, refresh_per_second=REFRESH_HZ) if shown and console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, view: "View") -> None:
        """Draws who is there now."""
        if self._live:
            self._live.update(Group(self._table(view), Text(self.caption()), Text(trouble_of(view), style="red")))

    def tell(self, sentence: str) -> None:
        """Says something beside the table, or on stderr where there is none."""
        if self._live:
            self._live.console.print(sentence)
        else:
            warn(sentence)

    def caption(self) -> str:
        """Frames a second, and the time of each stage."""
        stages = SEPARATOR.join(
            f"{text(f'watch.stage.{stage}')} {milliseconds(spent)}" for stage, spent in self._stages.last_ms().items()
        )
        return f"{self._stages.fps:.1f} FPS{SEPARATOR}{stages}"

    def _table(self, view: "View") -> Table:
        drawn = Table()
        drawn.add_column(text("watch.column.track"), justify="right")
        drawn.add_column(text("watch.column.name"), min_width=16)
        for seen in view.seen:
            drawn.add_row(str(seen.track), Text(label(seen), style=COLOURS[seen.outcome]))
        return drawn


def label(seen: "Seen") -> str:
    """What stands at a face: the name, what came of the search, or what to do so that there can be one."""
    if seen.outcome == "named":
        return seen.name or text("watch.outcome.named")
    if seen.outcome is not None:
        return text(f"watch.outcome.{seen.outcome}")
    return text(f"guide.{seen.problem}") if seen.problem else text("watch.outcome.looking")


def trouble_of(view: "View") -> str:
    """Why the last search had no answer, or nothing."""
    return "" if view.trouble is None else explain(view.trouble)
