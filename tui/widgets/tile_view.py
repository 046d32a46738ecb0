"""Tiles in rows, with a cursor: layout, scrolling by whole rows, keys and clicks. What a tile shows is a subclass's.

Scrolling goes by whole rows, so that a picture drawn over the text never has to be cut.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive

from tui.widgets.cursor_view import CursorView
from tui.widgets.tiles import SIZES, Tiles


class TileView(CursorView):
    """Any number of equal tiles. Subclasses say how many (`tile_count`) and how large (`picture_cells`)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "move(-1)", "Left", show=False, id="grid.left"),
        Binding("right,l", "move(1)", "Right", show=False, id="grid.right"),
        Binding("up,k", "move_row(-1)", "Up", show=False, id="grid.up"),
        Binding("down,j", "move_row(1)", "Down", show=False, id="grid.down"),
        Binding("pageup,ctrl+b", "move_page(-1)", "Page up", show=False, id="grid.page_up"),
        Binding("pagedown,ctrl+f", "move_page(1)", "Page down", show=False, id="grid.page_down"),
        Binding("home", "move_to(0)", "First", show=False, id="grid.first"),
        Binding("end,G", "move_to(-1)", "Last", show=False, id="grid.last"),
        Binding("enter", "open", "Open", show=False, id="grid.open"),
        Binding("greater_than_sign", "resize_tiles(1)", "Larger pictures", show=False, id="grid.larger"),
        Binding("less_than_sign", "resize_tiles(-1)", "Smaller pictures", show=False, id="grid.smaller"),
    ]
    DEFAULT_CSS = """
    TileView {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """The position of the item that keys act on."""
    columns: reactive[int] = reactive(0, repaint=False)
    """Columns of a picture; 0: what suits the width."""

    def __init__(self, *, columns: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tiles = Tiles(0, 1, 1, (20, 10))
        self.set_reactive(TileView.columns, columns)

    # For subclasses

    @property
    def tile_count(self) -> int:
        """How many tiles there are."""
        return 0

    def picture_cells(self, width: int, height: int) -> tuple[int, int]:
        """Columns and lines of a picture, where so much is seen."""
        raise NotImplementedError

    def view_changed(self) -> None:
        """Called when other tiles are seen, or in another size."""

    def cursor_moved(self) -> None:
        """Called when the cursor stands on another tile."""

    def action_open(self) -> None:
        """Opens the item under the cursor."""

    # What is seen

    @property
    def across(self) -> int:
        """Tiles in a row."""
        return self.tiles.across

    @property
    def top(self) -> int:
        """The first line that is seen."""
        return round(self.scroll_y)

    @property
    def visible_positions(self) -> range:
        """The positions that are seen."""
        return self.tiles.visible(self.top)

    def region_of(self, position: int) -> Region:
        """Where a tile is, from the first line that is seen."""
        x, y = self.tiles.corner(position)
        return Region(x, y - self.top, self.tiles.tile_width, self.tiles.tile_height)

    def picture_region(self, position: int) -> Region:
        """Where the picture of a tile is, without its frame."""
        return self.region_of(position).shrink((1, 1, 1, 1))

    def refresh_frame(self, position: int) -> None:
        """Draws the frame and the caption of a tile again, not the picture."""
        if position in self.visible_positions:
            self.refresh(*self._frame_of(position))

    def cursor_regions(self) -> tuple[Region, ...]:
        """The frame of the tile under the cursor, and its caption."""
        return self._frame_of(self.cursor) if self.cursor in self.visible_positions else ()

    def _frame_of(self, position: int) -> tuple[Region, ...]:
        x, y, width, height = self.region_of(position)
        if height == 1:
            return (Region(x, y, width, 1),)
        sides = (Region(x, y + 1, 1, height - 2), Region(x + width - 1, y + 1, 1, height - 2))
        return (Region(x, y, width, 1), Region(x, y + height - 1, width, 1), *sides)

    # Layout and scrolling

    def lay_out(self, *, keep_view: bool) -> None:
        """Lays the tiles out anew. With `keep_view` the row on top stays there; the cursor, if seen, stays seen."""
        region = self.scrollable_content_region
        width, height = max(1, region.width), max(1, region.height)
        before, first = self.tiles, self.visible_positions.start
        self.tiles = Tiles(self.tile_count, width, height, self.picture_cells(width, height))
        self.virtual_size = Size(width, self.tiles.lines)
        if keep_view and before.tile_height:
            top = self.tiles.corner(first)[1]
            cursor_row = self.tiles.corner(self.cursor)[1]
            seen_before = first <= self.cursor < first + before.across * before.down
            if seen_before and not top <= cursor_row < top + self.tiles.down * self.tiles.tile_height:
                top = cursor_row
            self.scroll_to(y=self.tiles.snapped(top), animate=False)
        self.redraw()

    def wanted_columns(self, width: int) -> int:
        """Columns of a picture: as chosen, or what suits the width."""
        return self.columns or (SIZES[3] if width >= 100 else SIZES[2])

    def on_resize(self, event: events.Resize) -> None:
        """Lays the tiles out anew."""
        self.lay_out(keep_view=True)
        self.view_changed()

    def validate_scroll_y(self, value: float) -> float:
        """Only whole rows."""
        return float(self.tiles.snapped(super().validate_scroll_y(value)))

    def validate_scroll_target_y(self, value: float) -> float:
        """Only whole rows."""
        return float(self.tiles.snapped(super().validate_scroll_target_y(value)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other tiles come into view."""
        super().watch_scroll_y(old_value, new_value)
        if old_value != new_value:
            self.view_changed()

    def watch_columns(self) -> None:
        """Another size of the tiles."""
        if self.is_mounted:
            self.lay_out(keep_view=True)
            self.view_changed()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self.top + rows * self.tiles.tile_height, animate=False)

    def _show_cursor(self) -> None:
        tiles, top = self.tiles, self.top
        line = tiles.corner(self.cursor)[1]
        if line < top:
            self.scroll_to(y=line, animate=False)
        elif line >= top + tiles.down * tiles.tile_height:
            self.scroll_to(y=line - (tiles.down - 1) * tiles.tile_height, animate=False)

    # The cursor

    def validate_cursor(self, cursor: int) -> int:
        """Within the items."""
        return max(0, min(cursor, self.tile_count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Draws the two frames, no picture."""
        if old == new:
            return
        self.refresh_frame(old)
        self.refresh_frame(new)
        self._show_cursor()
        self.cursor_moved()

    def action_move(self, by: int) -> None:
        """To the item before or after."""
        self.cursor += by

    def action_move_row(self, by: int) -> None:
        """To the row above or below; from the last row but one to the last item."""
        target = self.cursor + by * self.across
        if target >= self.tile_count and self.cursor // self.across < self.tiles.rows - 1:
            target = self.tile_count - 1
        if 0 <= target < self.tile_count:
            self.cursor = target

    def action_move_page(self, by: int) -> None:
        """A page up or down: cursor and view move together."""
        rows = by * self.tiles.down
        self.scroll_to(y=self.top + rows * self.tiles.tile_height, animate=False)
        self.cursor += rows * self.across

    def action_move_to(self, position: int) -> None:
        """To a position; -1 is the last."""
        self.cursor = position if position >= 0 else self.tile_count - 1

    def action_resize_tiles(self, by: int) -> None:
        """Larger or smaller pictures."""
        if not self.tiles.picture[1]:
            return  # captions only
        wanted = self.wanted_columns(self.tiles.width)
        now = SIZES.index(min(SIZES, key=lambda size: abs(size - wanted)))
        self.columns = SIZES[max(0, min(now + by, len(SIZES) - 1))]

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor there; a double click opens."""
        offset = event.get_content_offset(self)
        position = None if offset is None else self.tiles.at(offset.x, offset.y + self.top)
        if position is None:
            return
        self.cursor = position
        if event.chain == 2:
            self.action_open()
