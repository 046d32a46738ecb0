"""What a picture may be: its likeliest classes, each with the key that decides so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from rich.text import Text
from textual.widget import Widget

from tui.annotation import NONE
from tui.widgets.bars import bar
from tui.widgets.cluster_list import fitted
from tui.widgets.ink import ink


@dataclass(frozen=True, slots=True)
class Choice:
    """A class with its key. Of one that the run did not weigh, share and similarity are None.

    `found`: the class that the run gave it; `said`: the one that the user did.
    """

    id: int | None
    name: str
    share: float | None = None
    similarity: float | None = None
    found: bool = False
    said: bool = False


class LikelyView(Widget):
    """A line a class: key, name, a bar of its share, the share, and the raw similarity beside it."""

    DEFAULT_CSS = """
    LikelyView { height: auto; }
    LikelyView > .likely--key { color: $accent; text-style: bold; }
    LikelyView > .likely--bar { color: $primary; }
    LikelyView > .likely--said { color: $success; text-style: bold; }
    LikelyView > .likely--quiet { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"likely--key", "likely--bar", "likely--said", "likely--quiet"}
    auto_links = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._choices: list[Choice] = []
        self._none: Choice | None = None
        self._estimate = True

    def show(self, choices: list[Choice], none: Choice | None, *, estimate: bool) -> None:
        """Shows these, `none` last. `estimate`: shares were not yet checked against corrections."""
        layout = len(choices) != len(self._choices)
        self._choices, self._none, self._estimate = choices, none, estimate
        self.refresh(layout=layout)

    def get_content_height(self, container: Any, viewport: Any, width: int) -> int:
        """A line a class, one for the head and one for none of them."""
        return len(self._choices) + 2

    def render(self) -> Text:
        """Draws it."""
        if self._none is None:
            return Text()
        width = max(24, self.size.width)
        name = max(8, min(24, width * 2 // 5))
        room = max(3, width - name - 18)
        quiet = ink(self, "likely--quiet")
        kind = "estimate" if self._estimate else "share"
        lines = [Text(f"{' ' * (name + 3 + room)}{kind:>8} {'raw':>5}"[-width:] if width > name else "", quiet)]
        lines += [self._line(str(key), choice, name, room) for key, choice in enumerate(self._choices, start=1)]
        none = self._line("0", replace(self._none, share=None), name, room)
        if self._none.share is not None:
            none.append(f"score {self._none.share:.2f}".rjust(14), quiet)
        lines.append(none)
        return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)

    def _line(self, key: str, choice: Choice, name: int, room: int) -> Text:
        tick = "✓" if choice.said else "•" if choice.found else " "
        style = self.get_component_rich_style("likely--said", partial=True) if choice.said else ""
        line = Text.assemble((key, self.get_component_rich_style("likely--key", partial=True)), (tick, style), " ")
        title = NONE if choice.id is None else choice.name
        line.append(fitted(title, name if choice.share is not None else name + room), style)
        if choice.share is not None:
            line.append(" ").append(bar(choice.share, room, empty=" "), ink(self, "likely--bar"))
            line.append(f" {choice.share:>6.2f}")
        if choice.similarity is not None:
            line.append(f" {choice.similarity:>z5.2f}", ink(self, "likely--quiet"))
        line.apply_meta({"@click": f"screen.decide({key})"})
        return line
