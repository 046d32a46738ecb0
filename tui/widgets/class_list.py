"""The list of classes: any number of them with their counts, drawn line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from tui.annotation import ClassRow
from tui.widgets.bars import bar
from tui.widgets.cluster_list import CURSOR, fitted
from tui.widgets.cursor_view import CursorView
from tui.widgets.ink import ink

BAR = 8
"""Cells of the bar that compares the classes, where there is room for it."""


class ClassList(CursorView):
    """Classes one a line: name, how many pictures, how sure. The cursor goes by class, whatever the rows become."""

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
        height: 1fr;
        scrollbar-size-vertical: 1;
        overflow-x: hidden;
        & > .class-list--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
        }
        & > .class-list--cursor-blurred { background: $block-cursor-blurred-background; text-style: bold; }
        & > .class-list--bar { color: $primary; }
        & > .class-list--empty { color: $warning; }
        & > .class-list--muted { color: $text-muted; }
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """The line under the cursor."""

    class Moved(Message):
        """The cursor is on another class."""

    class Opened(Message):
        """The user wants to go into the pictures of the class under the cursor."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows: list[ClassRow] = []
        self._most = 1
        self._digits = 1
        self._plain_style = self._quiet_style = Style()

    def show(self, rows: Sequence[ClassRow]) -> None:
        """Shows these rows. The cursor stays on its class, and that on its line of the screen."""
        if list(rows) == self.rows:
            return
        kept, line = self.row, self.cursor - self.scroll_offset.y
        self.rows = list(rows)
        self._most = max((row.pictures for row in self.rows), default=0) or 1
        self._digits = max((len(f"{row.pictures:,}") for row in self.rows), default=1)
        self.virtual_size = Size(0, len(self.rows))
        at = None if kept is None else self.line_of(kept.id)
        with self.prevent(self.Moved):
            self.cursor = max(0, min(self.cursor if at is None else at, len(self.rows) - 1))
        if at is not None and self.size.height:
            self.scroll_to(y=max(0, at - line), animate=False, force=True)
        self.redraw()
        if kept is None or self.row is None or kept.id != self.row.id:
            self.post_message(self.Moved())

    @property
    def row(self) -> ClassRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def line_of(self, class_id: int | None) -> int | None:
        """The line of a class, None where it is not shown."""
        return next((at for at, row in enumerate(self.rows) if row.id == class_id), None)

    def cursor_regions(self) -> tuple[Region, ...]:
        """Its line."""
        line = self.cursor - self.scroll_offset.y
        return (Region(0, line, self.size.width, 1),) if 0 <= line < self.size.height else ()

    # What the user does

    def action_move(self, lines: int) -> None:
        """Moves the cursor by lines."""
        self.cursor += lines

    def action_page(self, pages: int) -> None:
        """Moves the cursor by what fits the screen."""
        self.cursor += pages * max(1, self.size.height - 1)

    def action_edge(self, end: int) -> None:
        """Moves the cursor to the first line or the last."""
        self.cursor = 0 if end == 0 else len(self.rows) - 1

    def action_open(self) -> None:
        """Goes into the pictures."""
        if self.row is not None:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """A click goes there, a second one opens."""
        offset = event.get_content_offset(self)
        at = len(self.rows) if offset is None else offset.y + self.scroll_offset.y
        if at < len(self.rows):
            self.cursor = at
            if event.chain == 2:
                self.action_open()

    def validate_cursor(self, cursor: int) -> int:
        """Within the rows."""
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Two lines are drawn again, not the list."""
        self.refresh_line(before)
        self.refresh_line(now)
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if not top <= now < top + height:
            self.scroll_to(y=now if now < top else now - height + 1, animate=False, force=True)
        self.post_message(self.Moved())

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines that are dirty. Styles are asked for once a frame: each question walks up the whole tree."""
        self._plain_style = self.rich_style
        self._quiet_style = ink(self, "class-list--muted")
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if at >= len(self.rows):
            return Strip.blank(width, self._plain_style)
        return Strip(self._segments(at, width), width)

    def _segments(self, at: int, width: int) -> list[Segment]:
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
