"""The list of classes: any number of them with their counts, drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from tui.annotation import ClassRow
from tui.widgets.bars import bar
from tui.widgets.cluster_list import CURSOR, fitted
from tui.widgets.ink import ink
from tui.widgets.line_list import LineList

BAR = 8
"""Cells of the bar that compares the classes, where there is room for it."""


class ClassList(LineList[ClassRow]):
    """Classes one a line: name, how many pictures, how sure."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="classes.down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="classes.up"),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False, id="classes.page-down"),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False, id="classes.page-up"),
        Binding("home", "edge(0)", "First", show=False, id="classes.first"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="classes.last"),
        Binding("enter,l,right", "open", "Pictures", show=False, id="classes.open"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "class-list--cursor",
        "class-list--cursor-blurred",
        "class-list--bar",
        "class-list--empty",
        "class-list--muted",
    }
    DEFAULT_CSS = """
    ClassList {
        & > .class-list--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
        }
        & > .class-list--cursor-blurred { background: $block-cursor-blurred-background; text-style: bold; }
        & > .class-list--bar { color: $primary; }
        & > .class-list--empty { color: $warning; }
        & > .class-list--muted { color: $text-muted; }
    }
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._most = 1
        self._digits = 1
        self._quiet_style = Style()

    def show(self, rows: Sequence[ClassRow]) -> None:
        """Shows these rows."""
        if list(rows) == self.rows:
            return
        self._most = max((row.pictures for row in rows), default=0) or 1
        self._digits = max((len(f"{row.pictures:,}") for row in rows), default=1)
        self.put(rows)

    def key_of(self, row: ClassRow) -> int | None:
        """The id of its class."""
        return row.id

    def on_click(self, event: events.Click) -> None:
        """A click goes there, a second one opens."""
        offset = event.get_content_offset(self)
        at = len(self.rows) if offset is None else offset.y + self.scroll_offset.y
        if at < len(self.rows):
            self.cursor = at
            if event.chain == 2:
                self.action_open()

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines that are dirty. Styles are asked for once a frame: each question walks up the whole tree."""
        self._quiet_style = ink(self, "class-list--muted")
        return super().render_lines(crop)

    def segments(self, at: int, width: int) -> list[Segment]:
        """Cursor, name, a bar where there is room, pictures, how sure, and whether any was corrected."""
        row, here = self.rows[at], at == self.cursor
        base = self._plain_style
        if here:
            name = "cursor" if self.has_focus else "cursor-blurred"
            base += self.get_component_rich_style(f"class-list--{name}", partial=True)
        quiet = base if here else base + self._quiet_style
        empty = row.pictures == 0
        if empty and not here:
            base += ink(self, "class-list--empty")
        sure = "" if row.confidence is None else f"{row.confidence:.2f}"
        right = [Segment(f" {row.pictures:,}".rjust(self._digits + 1), base), Segment(sure.rjust(5), quiet)]
        right.append(Segment(" ✓" if row.corrected else "  ", quiet))
        if width >= 34:
            tint = base if here else base + ink(self, "class-list--bar")
            right.insert(0, Segment(" " + bar(row.pictures / self._most, BAR, empty=" "), tint))
        left = Segment(f"{CURSOR if here else ' '} {'⚠ ' if empty else ''}", base)
        room = width - left.cell_length - sum(segment.cell_length for segment in right)
        name_style = quiet if row.id is None else base
        return [left, Segment(fitted(row.name, room), name_style), *right]
