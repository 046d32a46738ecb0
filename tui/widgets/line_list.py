"""Rows one a line, any number of them, with a cursor that goes by what a row is of, whatever the rows become."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from tui.widgets.cursor_view import CursorView

Row = TypeVar("Row")


class LineList(CursorView, Generic[Row]):
    """Keeps the cursor; what a row is of, and what it looks like, is a subclass's."""

    DEFAULT_CSS = """
    LineList { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """The line under the cursor."""

    class Moved(Message):
        """The cursor is on another row."""

    class Opened(Message):
        """The user wants to go into what is under the cursor."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows: list[Row] = []
        self._plain_style = Style()

    # For subclasses

    def key_of(self, row: Row) -> Hashable:
        """What a row is of."""
        raise NotImplementedError

    def segments(self, at: int, width: int) -> list[Segment]:
        """A row as it is drawn."""
        raise NotImplementedError

    # What is shown

    def put(self, rows: Sequence[Row]) -> None:
        """Shows these rows. The cursor stays on its row, and that on its line of the screen; where the row is gone,
        the cursor stays where it is.
        """
        kept, line = self.row, self.cursor - self.scroll_offset.y
        self.rows = list(rows)
        self.virtual_size = Size(0, len(self.rows))
        at = None if kept is None else self.line_of(self.key_of(kept))
        with self.prevent(self.Moved):
            self.cursor = max(0, min(self.cursor if at is None else at, len(self.rows) - 1))
        if at is not None and self.size.height:
            self.scroll_to(y=max(0, at - line), animate=False, force=True)
        self.redraw()
        if kept is None or self.row is None or self.key_of(kept) != self.key_of(self.row):
            self.post_message(self.Moved())

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def line_of(self, key: Hashable) -> int | None:
        """The line of a row, None where it is not shown."""
        return next((at for at, row in enumerate(self.rows) if self.key_of(row) == key), None)

    def go_to(self, key: Hashable) -> bool:
        """Puts the cursor on a row; False where it is not shown."""
        at = self.line_of(key)
        if at is not None:
            self.cursor = at
        return at is not None

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
        """Goes into what is under the cursor."""
        if self.row is not None:
            self.post_message(self.Opened())

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
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        at, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if at >= len(self.rows):
            return Strip.blank(width, self._plain_style)
        return Strip(self.segments(at, width), width)
