"""A grid of pictures: any number of them, one widget, drawn line by line.

A widget a picture, as textual-image has it, takes seconds for a few hundred. Scrolling goes by whole rows of tiles,
so that a picture drawn over the text never has to be cut.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from tui.graphics.canvas import canvas_of, live_cell
from tui.graphics.kitty import Uploads, placeholders
from tui.graphics.previews import Encoder, Key, Preview, Previews
from tui.graphics.terminal import Terminal
from tui.widgets.tiles import SIZES, Tiles, picture_size

STAR, MARK, DIM = "★", "●", "✗"
NAMES_WIDTH = 36
_NEAR = 200  # how far from its place a picture is looked for in a new list
_MOST_RELEASED = 10_000
_PACE = 0.1  # seconds between two updates of previews that came


@dataclass(frozen=True, slots=True)
class GridItem:
    """One picture of a grid."""

    image: int
    hash: bytes
    caption: str = ""
    starred: bool = False
    marked: bool = False
    dimmed: bool = False


class LazySequence(Protocol):
    """Items that are fetched when they are seen. None where one is not there yet: see `refresh_items`."""

    def __len__(self) -> int: ...

    def __getitem__(self, position: int, /) -> GridItem | None: ...


class PictureGrid(ScrollView, can_focus=True):
    """Pictures in rows, with a cursor. Without graphics, their captions."""

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
        Binding("m", "toggle_mark", "Mark", id="grid.mark"),
        Binding("greater_than_sign", "resize_tiles(1)", "Larger pictures", show=False, id="grid.larger"),
        Binding("less_than_sign", "resize_tiles(-1)", "Smaller pictures", show=False, id="grid.smaller"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "picture-grid--cursor",
        "picture-grid--cursor-blurred",
        "picture-grid--caption",
        "picture-grid--marked",
        "picture-grid--dimmed",
        "picture-grid--blank",
    }

    DEFAULT_CSS = """
    PictureGrid {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .picture-grid--cursor { color: $accent; text-style: bold; }
        & > .picture-grid--cursor-blurred { color: $accent-muted; }
        & > .picture-grid--caption { color: $foreground-muted; }
        & > .picture-grid--marked { color: $warning; text-style: bold; }
        & > .picture-grid--dimmed { color: $foreground-disabled; }
        & > .picture-grid--blank { background: $boost; color: $foreground-disabled; }
    }
    """

    cursor: reactive[int] = reactive(0, repaint=False)
    """The position of the item that keys act on."""
    columns: reactive[int] = reactive(0, repaint=False)
    """Columns of a picture; 0: what suits the width."""

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
        super().__init__(**kwargs)
        self.terminal = terminal
        self._cell = terminal.cell
        self._cell_at_start: tuple[int, int] | None = None
        self._items: Sequence[GridItem | None] | LazySequence = ()
        self._changed: dict[int, GridItem] = {}
        self._tiles = Tiles(0, 1, 1, (20, 10))
        self._previews = self._new_previews(thumbnails)
        self._uploads = Uploads(tmux=terminal.multiplexer == "tmux")
        self._released: set[Key] = set()  # the previews that may be drawn: each is drawn when it is announced, once
        self._timer: Timer | None = None
        self._told_at = 0.0
        self._was_on_top = True
        self.set_reactive(PictureGrid.columns, columns)

    def _new_previews(self, thumbnails: Callable[[bytes], bytes | None]) -> Previews:
        return Previews(thumbnails, Encoder(self.terminal), self._tell)

    def _tell(self) -> None:
        self.post_message(self.PreviewsReady())  # from any thread

    # What it shows

    def set_items(self, items: Sequence[GridItem] | LazySequence, *, keep_cursor: bool = False) -> None:
        """Shows other items. With `keep_cursor` the cursor stays on its picture, and the view where it is."""
        at_cursor = self.selected_item() if keep_cursor else None
        self._items, self._changed = items, {}
        position = self._find_near(at_cursor.image, self.cursor) if at_cursor is not None else 0
        self._lay_out(keep_view=keep_cursor)
        moved = position != self.cursor
        self.set_reactive(PictureGrid.cursor, max(0, min(position, len(items) - 1)))
        if not keep_cursor:
            self.scroll_to(y=0, animate=False)
        self.refresh()
        self._want()
        if moved or not keep_cursor:
            self.post_message(self.CursorMoved(self, self.cursor, self.selected_item()))

    def update_items(self, changed: Mapping[int, GridItem]) -> None:
        """Shows other items at some positions, and draws only what is seen of these again."""
        self._changed.update(changed)
        self.refresh_items(changed)

    def refresh_items(self, positions: Iterable[int]) -> None:
        """Draws some positions again: a lazy sequence now has them."""
        visible = self._visible()
        regions = [self._region(position) for position in positions if position in visible]
        if regions:
            self.refresh(*regions)
            self._want()

    def item(self, position: int) -> GridItem | None:
        """The item at a position."""
        if not 0 <= position < len(self._items):
            return None
        return self._changed.get(position) or self._items[position]

    def selected_item(self) -> GridItem | None:
        """The item under the cursor."""
        return self.item(self.cursor)

    @property
    def across(self) -> int:
        """Pictures in a row."""
        return self._tiles.across

    @property
    def visible_positions(self) -> range:
        """The positions that are seen."""
        return self._visible()

    def close(self) -> None:
        """Ends the threads and frees what the terminal holds. Also done when the widget goes."""
        self._previews.close()
        canvas_of(self.app).remove(self)

    def _find_near(self, image: int, position: int) -> int:
        last = len(self._items) - 1
        for distance in range(_NEAR):
            for candidate in {position - distance, position + distance}:
                item = self.item(candidate)
                if item is not None and item.image == image:
                    return candidate
        return max(0, min(position, last))

    # Life

    def on_mount(self) -> None:
        """Joins the frames of the app."""
        self._cell_at_start = live_cell(self.app)
        canvas_of(self.app).add(self)
        self.app.app_resume_signal.subscribe(self, self._terminal_lost_pictures)

    def on_unmount(self) -> None:
        """Leaves nothing behind."""
        self.close()

    def on_resize(self, event: events.Resize) -> None:
        """Lays the tiles out anew. The size of a cell may have changed with the font."""
        live = live_cell(self.app)
        if live is not None and live != self._cell_at_start:
            self._cell, self._cell_at_start = live, live
        self._lay_out(keep_view=True)
        self._want()

    def on_focus(self) -> None:
        """The cursor shows where keys go."""
        self._refresh_frame(self.cursor)

    def on_blur(self) -> None:
        """The cursor shows that keys go elsewhere."""
        self._refresh_frame(self.cursor)

    def _terminal_lost_pictures(self, _: object) -> None:
        self._uploads.forget()
        self.refresh()

    # Layout and scrolling

    def _lay_out(self, *, keep_view: bool) -> None:
        width, height = self._view()
        if self.terminal.graphics == "none":
            picture = (max(4, min(NAMES_WIDTH, width - 2)), 0)
        else:
            picture = picture_size(self._wanted_columns(), width, height, self._cell)
        before, first = self._tiles, self._visible().start
        self._tiles = Tiles(len(self._items), width, height, picture)
        self._uploads.most = max(256, 3 * len(self._visible()))
        self.virtual_size = Size(width, self._tiles.lines)
        if keep_view and before.tile_height:
            top = self._tiles.corner(first)[1]
            cursor_row = self._tiles.corner(self.cursor)[1]
            seen_before = first <= self.cursor < first + before.across * before.down
            if seen_before and not top <= cursor_row < top + self._tiles.down * self._tiles.tile_height:
                top = cursor_row
            self.scroll_to(y=self._tiles.snapped(top), animate=False)
        self.refresh()

    def _wanted_columns(self) -> int:
        return self.columns or (SIZES[3] if self._view()[0] >= 100 else SIZES[2])

    def _view(self) -> tuple[int, int]:
        return max(1, self.scrollable_content_region.width), max(1, self.scrollable_content_region.height)

    def _top(self) -> int:
        return round(self.scroll_y)

    def _visible(self) -> range:
        return self._tiles.visible(self._top())

    def validate_scroll_y(self, value: float) -> float:
        """Only whole rows."""
        return float(self._tiles.snapped(super().validate_scroll_y(value)))

    def validate_scroll_target_y(self, value: float) -> float:
        """Only whole rows."""
        return float(self._tiles.snapped(super().validate_scroll_target_y(value)))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """What comes into view is asked for first."""
        super().watch_scroll_y(old_value, new_value)
        if old_value != new_value:
            self._want()

    def watch_columns(self) -> None:
        """Another size of the tiles."""
        if self.is_mounted:
            self._lay_out(keep_view=True)
            self._want()

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self._top() + rows * self._tiles.tile_height, animate=False)

    def _show_cursor(self) -> None:
        tiles, top = self._tiles, self._top()
        line = tiles.corner(self.cursor)[1]
        if line < top:
            self.scroll_to(y=line, animate=False)
        elif line >= top + tiles.down * tiles.tile_height:
            self.scroll_to(y=line - (tiles.down - 1) * tiles.tile_height, animate=False)

    # The cursor

    def validate_cursor(self, cursor: int) -> int:
        """Within the items."""
        return max(0, min(cursor, len(self._items) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Draws the two frames, no picture."""
        if old == new:
            return
        self._refresh_frame(old)
        self._refresh_frame(new)
        self._show_cursor()
        self.post_message(self.CursorMoved(self, new, self.item(new)))

    def action_move(self, by: int) -> None:
        """To the item before or after."""
        self.cursor += by

    def action_move_row(self, by: int) -> None:
        """To the row above or below; from the last row but one to the last item."""
        target = self.cursor + by * self.across
        if target >= len(self._items) and self.cursor // self.across < self._tiles.rows - 1:
            target = len(self._items) - 1
        if 0 <= target < len(self._items):
            self.cursor = target

    def action_move_page(self, by: int) -> None:
        """A page up or down: cursor and view move together."""
        rows = by * self._tiles.down
        self.scroll_to(y=self._top() + rows * self._tiles.tile_height, animate=False)
        self.cursor += rows * self.across

    def action_move_to(self, position: int) -> None:
        """To a position; -1 is the last."""
        self.cursor = position if position >= 0 else len(self._items) - 1

    def action_open(self) -> None:
        """Opens the item under the cursor."""
        if (item := self.selected_item()) is not None:
            self.post_message(self.Opened(self, self.cursor, item))

    def action_toggle_mark(self) -> None:
        """Asks for the item under the cursor to be marked, or no longer."""
        if (item := self.selected_item()) is not None:
            self.post_message(self.MarkToggled(self, self.cursor, item))

    def action_resize_tiles(self, by: int) -> None:
        """Larger or smaller pictures."""
        if self.terminal.graphics == "none":
            return
        now = SIZES.index(min(SIZES, key=lambda size: abs(size - self._wanted_columns())))
        self.columns = SIZES[max(0, min(now + by, len(SIZES) - 1))]

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor there; a double click opens."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        position = self._tiles.at(offset.x, offset.y + self._top())
        if position is None:
            return
        self.cursor = position
        if event.chain == 2:
            self.action_open()

    # Previews

    def _key(self, item: GridItem) -> Key:
        return Key(item.hash, self._tiles.picture, self._cell)

    def _ready(self, key: Key) -> Preview | None:
        return self._previews.get(key) if key in self._released else None

    def _want(self) -> None:
        """Asks for what is seen, then for a page after and a page before."""
        if self.terminal.graphics == "none" or not self.is_mounted or not self.size or not len(self._items):
            return
        seen = self._visible()
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

    def _draw_ready(self) -> None:
        self._timer = None
        self._told_at = time.monotonic()
        made = set(self._previews.take())
        if len(self._released) > _MOST_RELEASED:
            self._released &= self._previews.keys()
        self._released |= made
        regions = []
        for position in self._visible():
            item = self.item(position)
            if item is not None and self._key(item) in made:
                regions.append(self._picture_region(position))
        if regions:
            self.refresh(*regions)

    # Drawing

    def _region(self, position: int) -> Region:
        x, y = self._tiles.corner(position)
        return Region(x, y - self._top(), self._tiles.tile_width, self._tiles.tile_height)

    def _picture_region(self, position: int) -> Region:
        return self._region(position).shrink((1, 1, 1, 1))

    def _refresh_frame(self, position: int) -> None:
        """Draws the frame and the caption of a tile again, not the picture."""
        if position not in self._visible():
            return
        x, y, width, height = self._region(position)
        if height == 1:
            self.refresh(Region(x, y, width, 1))
            return
        sides = (Region(x, y + 1, 1, height - 2), Region(x + width - 1, y + 1, 1, height - 2))
        self.refresh(Region(x, y, width, 1), Region(x, y + height - 1, width, 1), *sides)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Under a dialog pictures become text, which it can tint: what is kept of the lines is not valid then."""
        on_top = self._on_top()
        if on_top != self._was_on_top:
            self._was_on_top = on_top
            self._styles_cache.clear()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        width = self._tiles.width
        row, line = divmod(y + self._top(), self._tiles.tile_height)
        if y >= self._tiles.down * self._tiles.tile_height:
            return Strip.blank(width, self.rich_style)
        first = row * self._tiles.across
        segments: list[Segment] = []
        for position in range(first, min(first + self._tiles.across, len(self._items))):
            segments.extend(self._tile_line(position, line))
        if not segments:
            return Strip.blank(width, self.rich_style)
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _tile_line(self, position: int, line: int) -> Iterable[Segment]:
        item = self.item(position)
        frame = self._frame_style(position, item)
        if line == self._tiles.tile_height - 1:
            return self._caption(position, item, frame)
        inner = self._tiles.picture[0]
        if line == 0:
            return (Segment("▗" + "▄" * inner + "▖" if frame else " " * (inner + 2), frame or self.rich_style),)
        left, right = ("▐", "▌") if frame else (" ", " ")
        side = frame or self.rich_style
        return (Segment(left, side), *self._picture_line(item, line - 1), Segment(right, side))

    def _frame_style(self, position: int, item: GridItem | None) -> Style | None:
        if position == self.cursor:
            return self._component("cursor" if self.has_focus else "cursor-blurred")
        if item is not None and item.marked:
            return self._component("marked")
        return None

    def _caption(self, position: int, item: GridItem | None, frame: Style | None) -> Iterable[Segment]:
        width = self._tiles.picture[0]
        if item is None:
            return (Segment(" " * (width + 2), self.rich_style),)
        signs = (STAR if item.starred else "") + (MARK if item.marked else "") + (DIM if item.dimmed else "")
        text = f"{signs} {item.caption}" if signs else item.caption
        if cell_len(text) > width:
            text = set_cell_size(text, width - 1) + "…"
        text = f" {set_cell_size(text, width)} "
        if position == self.cursor:
            return (Segment(text, (frame or self.rich_style) + Style(reverse=True)),)
        name = "marked" if item.marked else "dimmed" if item.dimmed else "caption"
        return (Segment(text, self._component(name)),)

    def _picture_line(self, item: GridItem | None, line: int) -> Iterable[Segment]:
        """A line of a picture, in the middle of its tile."""
        columns, lines = self._tiles.picture
        blank = self._component("blank")
        if item is None:
            return (Segment(" " * columns, blank),)
        key = self._key(item)
        preview = self._ready(key)
        if preview is None:
            text = "no preview" if line == lines // 2 and self._previews.is_missing(key) else ""
            return (Segment(set_cell_size(text.center(columns), columns), blank),)
        top, left = (lines - preview.rows) // 2, (columns - preview.columns) // 2
        if not top <= line < top + preview.rows:
            return (Segment(" " * columns, self.rich_style),)
        picture = self._preview_line(key, preview, line - top)
        right = columns - left - preview.columns
        return (Segment(" " * left, self.rich_style), *picture, Segment(" " * right, self.rich_style))

    def _preview_line(self, key: Key, preview: Preview, line: int) -> Iterable[Segment]:
        if self.terminal.graphics == "kitty" and self._was_on_top:
            number = self._uploads.number(key, preview.data, preview.columns, preview.rows)
            return (placeholders(number, line, preview.columns),)
        if self.terminal.graphics == "sixel" and self._was_on_top:
            return (Segment(" " * preview.columns, self.rich_style),)
        return preview.text[line]

    def _component(self, name: str) -> Style:
        return self.get_component_rich_style(f"picture-grid--{name}")

    def _on_top(self) -> bool:
        return self.app.screen is self.screen

    # The canvas's layer

    @property
    def widget(self) -> Widget:
        """Where the pictures are drawn."""
        return self

    def unsent(self) -> str:
        """The uploads that the next frame needs."""
        return self._uploads.take()

    def free(self) -> str:
        """Frees what the terminal holds."""
        return self._uploads.free_all()

    def pictures(self) -> Iterator[tuple[Region, str]]:
        """The sixel pictures that are wholly seen."""
        if self.terminal.graphics != "sixel" or not self.is_mounted:
            return
        content = self.scrollable_content_region
        columns, lines = self._tiles.picture
        for position in self._visible():
            item = self.item(position)
            preview = self._ready(self._key(item)) if item is not None else None
            if preview is None:
                continue
            x, y, _, _ = self._picture_region(position)
            offset = (x + (columns - preview.columns) // 2, y + (lines - preview.rows) // 2)
            region = Region(*offset, preview.columns, preview.rows).translate(content.offset)
            if content.contains_region(region) and region.bottom < self.screen.size.height:
                yield region, preview.data
