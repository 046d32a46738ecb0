"""The line on top: which project, which stages there are, what is done and what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.widget import Widget

from tui.keys import STAGES

if TYPE_CHECKING:
    from tui.app import ShoeboxApp

DONE, RUNNING = "✓", "●"


class StageBar(Widget):
    """One line; a click on a stage goes there."""

    auto_links = False  # they are drawn as what they are, not as links
    DEFAULT_CSS = """
    StageBar { height: 1; background: $panel; color: $foreground; }
    StageBar > .stage-bar--here { background: $primary; color: $background; text-style: bold; }
    StageBar > .stage-bar--done { color: $success; }
    StageBar > .stage-bar--running { color: $warning; }
    StageBar > .stage-bar--quiet { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "stage-bar--here",
        "stage-bar--done",
        "stage-bar--running",
        "stage-bar--quiet",
    }

    _drawn: Text | None = None

    def catch_up(self) -> None:
        """Draws anew if another stage is done, or runs."""
        if self._words() != self._drawn:
            self.refresh()

    def render(self) -> Text:
        """Draws it."""
        self._drawn = self._words()
        return self._drawn

    def _words(self) -> Text:
        app: ShoeboxApp = self.app  # type: ignore[assignment]
        stages = Text("  ").join(self._stage(app, n, name) for n, name in enumerate(STAGES, start=1))
        place = Text(f" shoebox  {app.facts.place}", no_wrap=True)
        room = self.size.width - stages.cell_len - 2
        if place.cell_len > room:
            place = Text(" " + _shortened(app.facts.place, room - 2))
        place.pad_right(max(room - place.cell_len, 0) + 1)
        return place + stages

    def _stage(self, app: ShoeboxApp, number: int, name: str) -> Text:
        mark, kind = self._mark(app, name)
        here = app.stage == name
        text = Text(f" {number} {name.capitalize()} ") if here else Text(f"{number} {name.capitalize()} ")
        if mark:
            text.append(f"{mark} " if here else mark, self._style(kind))
        if here:
            text.stylize(self._style("here"))
        if app.leader:
            text.stylize("reverse bold", 0, 3 if here else 1)
        text.apply_meta({"@click": f"app.go('{name}')"})
        return text

    def _mark(self, app: ShoeboxApp, name: str) -> tuple[str, str]:
        """A stage's sign: done, running, or none."""
        facts = app.facts
        if name in app.running_stages:
            return RUNNING, "running"
        done = {
            "source": facts.images > 0,
            "embed": facts.embedded > 0 and facts.embedded + facts.failed >= facts.images,
            "clusters": facts.clustering is not None,
            "names": 0 < facts.clusters == facts.named,
            "annotate": facts.annotated > 0,
        }
        return (DONE, "done") if done.get(name) else ("", "quiet")

    def _style(self, kind: str):  # type: ignore[no-untyped-def]
        return self.get_component_rich_style(f"stage-bar--{kind}", partial=True)


def _shortened(text: str, room: int) -> str:
    """The end of a path, which tells more than its beginning."""
    if room < 2:
        return ""
    return text if len(text) <= room else "…" + text[-(room - 1) :]
