"""Clusters in rows, with a cursor: layout, scrolling by whole rows, keys and clicks. What a row shows is a subclass's.

The view moves by whole rows, so that a picture drawn over the text is never cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive

from tui.naming import NameRow
from tui.widgets.cursor_view import CursorView
from tui.widgets.name_layout import Figures, NameLayout, layout_of


class NameRows(CursorView):
    """Any number of clusters, each in as many lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="names.down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="names.up"),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False, id="names.page-down"),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False, id="names.page-up"),
        Binding("home", "edge(0)", "First", show=False, id="names.first"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="names.last"),
        Binding("space", "tick", "Tick", show=False, id="names.tick"),
    ]
    DEFAULT_CSS = """
    NameRows {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """The row under the cursor."""

    class Moved(Message):
        """The cursor is on another cluster."""

    class Ticked(Message):
        """The ticks have changed."""

    class Shifted(Message):
        """The view or its layout is another: what lies over the list must follow."""

    class Opened(Message):
        """A double click."""

    def __init__(self, cell: tuple[int, int], **kwargs: Any) -> None:
        """`cell`: width and height of a cell in pixels."""
        super().__init__(**kwargs)
        self.rows: list[NameRow] = []
        self.ticks: set[int] = set()
        self.layout_now: NameLayout = layout_of(80, 20, Figures(), cell)

    # For subclasses

    def lay_out(self) -> None:
        """Makes the layout anew: for other rows, or another size."""
        raise NotImplementedError

    def view_changed(self) -> None:
        """Called when other rows are seen, or in another size."""

    # What is seen

    @property
    def row(self) -> NameRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def line_of(self, number: int) -> int | None:
        """The place of a cluster among the rows, None where it is not shown."""
        return next((at for at, row in enumerate(self.rows) if row.number == number), None)

    def name_region(self, number: int) -> Region | None:
        """Where the name of a cluster is drawn, from the widget's corner; None where it is not seen."""
        at = self.line_of(number)
        if at is None or at not in self.seen:
            return None
        layout = self.layout_now
        return Region(layout.names_at, at * layout.stride - self.top, layout.name, 1)

    @property
    def top(self) -> int:
        """The first line that is seen."""
        return round(self.scroll_y)

    @property
    def seen(self) -> range:
        """The rows that are seen, the last perhaps in part."""
        layout = self.layout_now
        first = self.top // layout.stride
        return range(min(first, len(self.rows)), min(first - (-layout.height // layout.stride), len(self.rows)))

    def lay_out_in(self, figures: Figures, cell: tuple[int, int]) -> None:
        """Lays rows with these figures out in what room there is."""
        region = self.scrollable_content_region
        width, height = max(1, region.width), max(1, region.height)
        self.layout_now = layout_of(width, height, figures, cell)
        self.virtual_size = Size(width, self.layout_now.total(len(self.rows)))
        self.post_message(self.Shifted())

    def on_resize(self) -> None:
        """Lays the rows out anew; the row on top stays there, and the cursor in sight."""
        first = self.top // self.layout_now.stride
        self.lay_out()
        self.scroll_to(y=first * self.layout_now.stride, animate=False)
        self.show_cursor()
        self.redraw()
        self.view_changed()

    def validate_scroll_y(self, value: float) -> float:
        """Only whole rows."""
        return float(self.layout_now.snapped(super().validate_scroll_y(value), len(self.rows)))

    def validate_scroll_target_y(self, value: float) -> float:
        """Only whole rows."""
        return float(self.layout_now.snapped(super().validate_scroll_target_y(value), len(self.rows)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows come into view."""
        super().watch_scroll_y(old_value, new_value)
        if old_value != new_value:
            self.view_changed()
            self.post_message(self.Shifted())

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self.top + rows * self.layout_now.stride, animate=False)

    # Drawing

    def cursor_regions(self) -> tuple[Region, ...]:
        """Where the words of the row at the cursor are, on both sides of its pictures."""
        return tuple(self._words_of(self.cursor))

    def refresh_rows(self, places: Iterable[int], *, previews: Sequence[int] = ()) -> None:
        """Draws the words of some rows again, and the pictures of those whose `previews` are others."""
        regions = [region for at in places for region in self._words_of(at)]
        layout = self.layout_now
        regions += [Region(0, at * layout.stride - self.top, layout.width, layout.lines) for at in previews]
        if regions:
            self.refresh(*regions)

    def _words_of(self, at: int) -> Iterator[Region]:
        """Where the words of a row are, if it is seen: on both sides of its pictures."""
        if at in self.seen:
            layout = self.layout_now
            y = at * layout.stride - self.top
            yield Region(0, y, layout.left, layout.lines)
            yield Region(layout.names_at, y, layout.width - layout.names_at, layout.lines)

    # What the user does

    def action_move(self, rows: int) -> None:
        """Moves the cursor by rows."""
        self.cursor += rows

    def action_page(self, pages: int) -> None:
        """Moves cursor and view by what fits the screen."""
        rows = pages * self.layout_now.down
        self.scroll_to(y=self.top + rows * self.layout_now.stride, animate=False)
        self.cursor += rows

    def action_edge(self, end: int) -> None:
        """Moves the cursor to the first row or the last."""
        self.cursor = 0 if end == 0 else len(self.rows) - 1

    def action_tick(self) -> None:
        """Ticks the cluster under the cursor, or takes its tick away."""
        if self.row is not None:
            self.ticks ^= {self.row.number}
            self.refresh_rows([self.cursor])
            self.post_message(self.Ticked())

    def on_click(self, event: events.Click) -> None:
        """A click goes there, in the column of ticks it ticks, a second one opens."""
        offset = event.get_content_offset(self)
        at = -1 if offset is None else (offset.y + self.top) // self.layout_now.stride
        if offset is None or not 0 <= at < len(self.rows):
            return
        self.cursor = at
        if offset.x < 2:
            self.action_tick()
        elif event.chain == 2:
            self.post_message(self.Opened())

    def validate_cursor(self, cursor: int) -> int:
        """Within the rows."""
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Draws the words of two rows again, no picture."""
        self.refresh_rows([before, now])
        self.show_cursor()
        self.post_message(self.Moved())

    def show_cursor(self) -> None:
        """Scrolls so far that the cursor is seen."""
        line, layout = self.cursor * self.layout_now.stride, self.layout_now
        if line < self.top:
            self.scroll_to(y=line, animate=False)
        elif line >= self.top + layout.down * layout.stride:
            self.scroll_to(y=line - (layout.down - 1) * layout.stride, animate=False)
