"""A grid of pictures: any number of them, one widget, drawn line by line.

A widget a picture, as textual-image has it, takes seconds for a few hundred.

How to use it, from any screen:

    yield PictureGrid(self.shoebox.terminal, self.shoebox.thumbnail, id="results")
    grid.set_items([GridItem(image.id, image.hash, "0.31 cat.jpg"), ...])     # or a sequence that reads as it is
    grid.set_items(Pictures(ids, wanted=read_page, marked=marks))              # looked at: `tui.pictures`
    grid.update_items({3: changed})                                            # draws no more than that tile
    @on(PictureGrid.CursorMoved | Opened | MarkToggled)                        # each has `position` and `item`

The grid holds no truth: it shows what it is given, and says what the user wants. Threads make its previews.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.graphics.previews import Encoder, Key, Preview, Previews
from tui.graphics.terminal import Terminal
from tui.widgets.grid_items import GridItem, LazySequence
from tui.widgets.picture_layer import PictureLayer
from tui.widgets.tile_drawing import Look
from tui.widgets.tile_view import TileView
from tui.widgets.tiles import picture_size

__all__ = ["GridItem", "LazySequence", "PictureGrid"]

NAMES_WIDTH = 36
_NEAR = 200  # how far from its place a picture is looked for in a new list
_MOST_RELEASED = 10_000
_PACE = 0.1  # seconds between two updates of previews that came


class PictureGrid(TileView):
    """Pictures in rows, with a cursor. Without graphics, their captions."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("m", "toggle_mark", "Mark", id="grid.mark")]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "picture-grid--cursor",
        "picture-grid--cursor-blurred",
        "picture-grid--caption",
        "picture-grid--marked",
        "picture-grid--dimmed",
        "picture-grid--blank",
        "picture-grid--tinted",
    }
    DEFAULT_CSS = """
    PictureGrid {
        & > .picture-grid--cursor { background: $block-cursor-background; color: $block-cursor-foreground; }
        & > .picture-grid--cursor-blurred { background: $block-cursor-blurred-background; color: $foreground; }
        & > .picture-grid--caption { color: $foreground-muted; }
        & > .picture-grid--marked { background: $success; color: $block-cursor-foreground; text-style: bold; }
        & > .picture-grid--dimmed { color: $foreground-disabled; }
        & > .picture-grid--blank { background: $boost; color: $foreground-disabled; }
        & > .picture-grid--tinted { background: $panel; color: $foreground; }
    }
    """

    class Moved(Message):
        """Something happened to the item at a position."""

        def __init__(self, grid: PictureGrid, position: int, item: GridItem | None) -> None:
            super().__init__()
            self.grid = grid
            self.position = position
            self.item = item

        @property
        def control(self) -> Widget:
            """The grid."""
            return self.grid

    class CursorMoved(Moved):
        """The cursor stands on another item."""

    class Opened(Moved):
        """Enter, or a double click."""

    class MarkToggled(Moved):
        """The user wants the item marked, or no longer. The owner decides, and calls `update_items`."""

    class PreviewsReady(Message):
        """Some previews were made."""

    def __init__(
        self, terminal: Terminal, thumbnails: Callable[[bytes], bytes | None], *, columns: int = 0, **kwargs: Any
    ) -> None:
        super().__init__(columns=columns, **kwargs)
        self.terminal = terminal
        self._layer = PictureLayer(self, terminal, self.pictures)
        self._items: Sequence[GridItem | None] | LazySequence = ()
        self._changed: dict[int, GridItem] = {}
        self._previews = Previews(thumbnails, Encoder(terminal), self._tell)
        self._released: set[Key] = set()  # the previews that may be drawn: each is drawn when it is announced, once
        self._timer: Timer | None = None
        self._told_at = 0.0
        self._look: Look | None = None

    # What it shows

    def set_items(self, items: Sequence[GridItem] | LazySequence, *, keep_cursor: bool = False) -> None:
        """Shows other items. With `keep_cursor` the cursor stays on its picture, and the view where it is."""
        at_cursor = self.selected_item() if keep_cursor else None
        self._items, self._changed = items, {}
        position = self._find_near(at_cursor.image, self.cursor) if at_cursor is not None else 0
        self.lay_out(keep_view=keep_cursor)
        moved = position != self.cursor
        self.set_reactive(PictureGrid.cursor, max(0, min(position, len(items) - 1)))
        if not keep_cursor:
            self.scroll_to(y=0, animate=False)
        self.redraw()
        self.view_changed()
        if moved or not keep_cursor:
            self.cursor_moved()

    def update_items(self, changed: Mapping[int, GridItem]) -> None:
        """Shows other items at some positions, and draws only what is seen of these again."""
        self._changed.update(changed)
        self.refresh_items(changed)

    def refresh_items(self, positions: Iterable[int]) -> None:
        """Draws some positions again: a lazy sequence now has them."""
        visible = self.visible_positions
        regions = [self.region_of(position) for position in positions if position in visible]
        if regions:
            self.refresh(*regions)
            self.view_changed()

    def item(self, position: int) -> GridItem | None:
        """The item at a position."""
        if not 0 <= position < len(self._items):
            return None
        return self._changed.get(position) or self._items[position]

    def selected_item(self) -> GridItem | None:
        """The item under the cursor."""
        return self.item(self.cursor)

    def close(self) -> None:
        """Ends the threads and frees what the terminal holds. Also done when the widget goes."""
        self._previews.close()
        self._layer.leave()

    def on_mount(self) -> None:
        """Joins the frames of the app."""
        self._layer.join()

    def on_unmount(self) -> None:
        """Leaves nothing behind."""
        self.close()

    def _find_near(self, image: int, position: int) -> int:
        for distance in range(_NEAR):
            for candidate in {position - distance, position + distance}:
                item = self.item(candidate)
                if item is not None and item.image == image:
                    return candidate
        return max(0, min(position, len(self._items) - 1))

    # As a view of tiles

    @property
    def tile_count(self) -> int:
        """As many as items."""
        return len(self._items)

    def picture_cells(self, width: int, height: int) -> tuple[int, int]:
        """Square pictures; without graphics none, and wide captions."""
        if self.terminal.graphics == "none":
            return max(4, min(NAMES_WIDTH, width - 2)), 0
        return picture_size(self.wanted_columns(width), width, height, self._layer.cell)

    def lay_out(self, *, keep_view: bool) -> None:
        """The terminal keeps what three screenfuls need."""
        super().lay_out(keep_view=keep_view)
        self._layer.keep_at_most(max(256, 3 * len(self.visible_positions)))

    def on_resize(self, event: events.Resize) -> None:
        """Before the layout: the size of a cell may have changed with the font."""
        self._layer.measure_cell()

    def cursor_moved(self) -> None:
        """Tells the owner."""
        self.post_message(self.CursorMoved(self, self.cursor, self.selected_item()))

    def action_open(self) -> None:
        """Opens the item under the cursor."""
        if (item := self.selected_item()) is not None:
            self.post_message(self.Opened(self, self.cursor, item))

    def action_toggle_mark(self) -> None:
        """Asks for the item under the cursor to be marked, or no longer."""
        if (item := self.selected_item()) is not None:
            self.post_message(self.MarkToggled(self, self.cursor, item))

    # Previews

    def view_changed(self) -> None:
        """Asks for the previews of what is seen, then of a page after and a page before."""
        if self.terminal.graphics == "none" or not self.is_mounted or not self.size or not len(self._items):
            return
        seen = self.visible_positions
        around = (seen, range(seen.stop, seen.stop + len(seen)), range(max(0, seen.start - len(seen)), seen.start))
        items = (self.item(position) for positions in around for position in positions)
        self._previews.want([self._key(item) for item in items if item is not None])

    def on_picture_grid_previews_ready(self, message: PreviewsReady) -> None:
        """Draws what came, ten times a second at the most."""
        message.stop()
        wait = self._told_at + _PACE - time.monotonic()
        if wait <= 0:
            self._draw_ready()
        elif self._timer is None:
            self._timer = self.set_timer(wait, self._draw_ready)

    def _tell(self) -> None:
        self.post_message(self.PreviewsReady())  # from any thread

    def _key(self, item: GridItem) -> Key:
        return Key(item.hash, self.tiles.picture, self._layer.cell)

    def _ready(self, key: Key) -> Preview | None:
        return self._previews.get(key) if key in self._released else None

    def _draw_ready(self) -> None:
        self._timer = None
        self._told_at = time.monotonic()
        made = set(self._previews.take())
        if len(self._released) > _MOST_RELEASED:
            self._released &= self._previews.keys()
        self._released |= made
        regions = []
        for position in self.visible_positions:
            item = self.item(position)
            if item is not None and self._key(item) in made:
                regions.append(self.picture_region(position))
        if regions:
            self.refresh(*regions)

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines that are dirty."""
        self._layer.prepare()
        self._look = self._look_now()
        return super().render_lines(crop)

    def _look_now(self) -> Look:
        def style(name: str) -> Style:
            return self.get_component_rich_style(f"picture-grid--{name}")

        cursor = style("cursor" if self.has_focus else "cursor-blurred")
        names = ("marked", "caption", "dimmed", "blank", "tinted")
        return Look(self.rich_style, cursor, *(style(name) for name in names))

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        look, tiles = self._look or self._look_now(), self.tiles
        row, line = divmod(y + self.top, tiles.tile_height)
        first = row * tiles.across
        positions = range(first, min(first + tiles.across, tiles.count))
        if y >= tiles.down * tiles.tile_height or not positions:
            return Strip.blank(tiles.width, look.plain)
        segments = [segment for position in positions for segment in self._tile_line(position, line, look)]
        return Strip(segments).adjust_cell_length(tiles.width, look.plain)

    def _tile_line(self, position: int, line: int, look: Look) -> Iterable[Segment]:
        item, width = self.item(position), self.tiles.picture[0]
        frame = look.frame(item, at_cursor=position == self.cursor and self.can_focus)  # one that only shows has none
        if line == self.tiles.tile_height - 1:
            return (look.line_below(item, width, frame),)
        if line == 0:
            return (look.line_above(width, frame),)
        return look.framed(self._picture_line(item, line - 1, look), frame)

    def _picture_line(self, item: GridItem | None, line: int, look: Look) -> Iterable[Segment]:
        columns, lines = self.tiles.picture
        if item is None:
            return (look.without_preview(columns, ""),)
        key = self._key(item)
        preview = self._ready(key)
        if preview is None:
            words = "no preview" if line == lines // 2 and self._previews.is_missing(key) else ""
            return (look.without_preview(columns, words),)
        top, left = (lines - preview.rows) // 2, (columns - preview.columns) // 2
        if not top <= line < top + preview.rows:
            return (Segment(" " * columns, look.plain),)
        picture = self._layer.line(key, preview, line - top, look.plain)
        return look.margins(picture, left, columns - left - preview.columns)

    def pictures(self) -> Iterator[tuple[Region, str]]:
        """The sixel pictures that are wholly seen."""
        if self.terminal.graphics != "sixel" or not self.is_mounted:
            return
        content = self.scrollable_content_region
        columns, lines = self.tiles.picture
        for position in self.visible_positions:
            item = self.item(position)
            preview = self._ready(self._key(item)) if item is not None else None
            if preview is None:
                continue
            x, y, _, _ = self.picture_region(position)
            offset = (x + (columns - preview.columns) // 2, y + (lines - preview.rows) // 2)
            region = Region(*offset, preview.columns, preview.rows).translate(content.offset)
            if content.contains_region(region) and region.bottom < self.screen.size.height:
                yield region, preview.data
