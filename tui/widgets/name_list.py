"""The list of names: any number of clusters with their previews, one widget, drawn line by line.

The cursor goes by cluster. What is shown anew moves neither it nor the view, and draws the rows that changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

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

from tui.graphics.previews import Encoder, Key, Preview, Previews
from tui.graphics.terminal import Terminal
from tui.naming import NameRow
from tui.widgets.ink import ink
from tui.widgets.name_drawing import NameLook, Shown, after_previews, before_previews
from tui.widgets.name_layout import Figures, NameLayout, layout_of
from tui.widgets.picture_layer import PictureLayer

_PACE = 0.1  # seconds between two updates of previews that came


class NameList(ScrollView, can_focus=True):
    """Clusters with their names. It holds no truth: it shows what it is given, and says what the user wants."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="names.down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="names.up"),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False, id="names.page-down"),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False, id="names.page-up"),
        Binding("home", "edge(0)", "First", show=False, id="names.first"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="names.last"),
        Binding("space", "tick", "Tick", show=False, id="names.tick"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "name-list--cursor",
        "name-list--cursor-blurred",
        "name-list--mark",
        "name-list--ticked",
        "name-list--muted",
        "name-list--good",
        "name-list--poor",
        "name-list--user",
        "name-list--blank",
    }
    DEFAULT_CSS = """
    NameList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        & > .name-list--cursor { background: $block-cursor-blurred-background; }
        & > .name-list--cursor-blurred { background: $boost; }
        & > .name-list--mark { color: $accent; text-style: bold; }
        & > .name-list--ticked { color: $success; text-style: bold; }
        & > .name-list--muted { color: $text-muted; }
        & > .name-list--good { color: $success; }
        & > .name-list--poor { color: $warning; }
        & > .name-list--user { color: $success; }
        & > .name-list--blank { background: $boost; }
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

    class PreviewsReady(Message):
        """Some previews were made."""

    def __init__(self, terminal: Terminal, thumbnails: Callable[[bytes], bytes | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows: list[NameRow] = []
        self.ticks: set[int] = set()
        self._busy: frozenset[int] = frozenset()
        self._graphics = terminal.graphics
        self._layer = PictureLayer(self, terminal, self.pictures)
        self._previews = Previews(thumbnails, Encoder(terminal), self._tell)
        self._timer: Timer | None = None
        self._told_at = 0.0
        self._look: NameLook | None = None
        self._blank = Style()
        self.layout_now: NameLayout = layout_of(80, 20, Figures(), self._layer.cell)

    # What is shown

    def show(self, rows: Sequence[NameRow]) -> None:
        """Shows these rows. The cursor stays on its cluster, and that on its line of the screen."""
        before, kept = self.rows, self.row
        self.rows = list(rows)
        if self._figures(before) == self._figures(self.rows) and _numbers(before) == _numbers(self.rows):
            changed = [at for at, row in enumerate(self.rows) if row != before[at]]
            self._refresh_rows(changed, previews=[at for at in changed if before[at].previews != rows[at].previews])
            self._want_previews()
            return
        line = self.cursor * self.layout_now.stride - self.top
        self._lay_out()
        at = None if kept is None else self.line_of(kept.number)
        with self.prevent(self.Moved):
            self.cursor = max(0, min(self.cursor if at is None else at, len(self.rows) - 1))
        if at is not None:
            self.scroll_to(y=at * self.layout_now.stride - line, animate=False, force=True)
        self._show_cursor()
        self._redraw()
        self._want_previews()
        if self.row is None or kept is None or self.row.number != kept.number:
            self.post_message(self.Moved())

    def show_busy(self, numbers: frozenset[int]) -> None:
        """Marks the clusters that are being named."""
        if numbers != self._busy:
            changed = numbers ^ self._busy
            self._busy = numbers
            self._refresh_rows([at for at, row in enumerate(self.rows) if row.number in changed])

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
        if at is None or at not in self._seen:
            return None
        layout = self.layout_now
        return Region(layout.names_at, at * layout.stride - self.top, layout.name, 1)

    @property
    def top(self) -> int:
        """The first line that is seen."""
        return round(self.scroll_y)

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
            self._refresh_rows([self.cursor])
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
        self._refresh_rows([before, now])
        self._show_cursor()
        self.post_message(self.Moved())

    def _show_cursor(self) -> None:
        line, layout = self.cursor * self.layout_now.stride, self.layout_now
        if line < self.top:
            self.scroll_to(y=line, animate=False)
        elif line >= self.top + layout.down * layout.stride:
            self.scroll_to(y=line - (layout.down - 1) * layout.stride, animate=False)

    # Layout: the view moves by whole rows, so that a picture drawn over the text is never cut

    def on_mount(self) -> None:
        """Joins the frames of the app."""
        self._layer.join()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._redraw())

    def on_unmount(self) -> None:
        """Leaves nothing behind."""
        self._previews.close()
        self._layer.leave()

    def on_resize(self) -> None:
        """Lays the rows out anew; the row on top stays there, and the cursor in sight."""
        self._layer.measure_cell()
        first = self.top // self.layout_now.stride
        self._lay_out()
        self.scroll_to(y=first * self.layout_now.stride, animate=False)
        self._show_cursor()
        self._redraw()
        self._want_previews()

    def _lay_out(self) -> None:
        region = self.scrollable_content_region
        width, height = max(1, region.width), max(1, region.height)
        self.layout_now = layout_of(width, height, self._figures(self.rows), self._layer.cell)
        self.virtual_size = Size(width, self.layout_now.total(len(self.rows)))
        self._layer.keep_at_most(max(256, 3 * self.layout_now.previews * (self.layout_now.down + 1)))
        self.post_message(self.Shifted())

    @property
    def _has_pictures(self) -> bool:
        return self._graphics != "none"

    def _figures(self, rows: Sequence[NameRow]) -> Figures:
        if not rows:
            return Figures()
        number = max(len(str(row.number)) for row in rows)
        size = max(len(f"{row.cluster.size:,}") for row in rows)
        return Figures(number, size, max(len(row.previews) for row in rows) if self._has_pictures else 0)

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
            self._want_previews()
            self.post_message(self.Shifted())

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, rows: int) -> None:
        event.stop()
        event.prevent_default()
        self.scroll_to(y=self.top + rows * self.layout_now.stride, animate=False)

    @property
    def _seen(self) -> range:
        """The rows that are seen, the last perhaps in part."""
        layout = self.layout_now
        first = self.top // layout.stride
        return range(min(first, len(self.rows)), min(first - (-layout.height // layout.stride), len(self.rows)))

    # Previews

    def _want_previews(self) -> None:
        """Asks for those that are seen, then for a page after and a page before."""
        if not self._has_pictures or not self.is_mounted or not self.rows:
            return
        seen = self._seen
        around = (seen, range(seen.stop, seen.stop + len(seen)), range(max(0, seen.start - len(seen)), seen.start))
        rows = (self.rows[at] for places in around for at in places if at < len(self.rows))
        self._previews.want([self._key(content) for row in rows for content in self._previews_of(row)])

    def _previews_of(self, row: NameRow) -> Sequence[bytes]:
        return row.previews[: self.layout_now.previews]

    def _key(self, content: bytes) -> Key:
        return Key(content, self.layout_now.picture, self._layer.cell)

    def _tell(self) -> None:
        self.post_message(self.PreviewsReady())  # from any thread

    def on_name_list_previews_ready(self, message: PreviewsReady) -> None:
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
        regions = [region for key, region in self._places() if key in made]
        if regions:
            self.refresh(*regions)

    def _places(self) -> Iterator[tuple[Key, Region]]:
        """The previews that are seen, and where, from the widget's corner."""
        layout = self.layout_now
        for at in self._seen:
            y = at * layout.stride - self.top
            for place, content in enumerate(self._previews_of(self.rows[at])):
                yield self._key(content), Region(layout.left + place * (layout.picture[0] + 1), y, *layout.picture)

    def pictures(self) -> Iterator[tuple[Region, str]]:
        """The sixel pictures that are wholly seen."""
        if self._graphics != "sixel" or not self.is_mounted:
            return
        content = self.scrollable_content_region
        for key, place in self._places():
            preview = self._previews.get(key)
            if preview is not None:
                x, y = _middle(place, preview)
                region = Region(x, y, preview.columns, preview.rows).translate(content.offset)
                if content.contains_region(region) and region.bottom < self.screen.size.height:
                    yield region, preview.data

    # Drawing

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draws `regions` again. Without any, as Textual asks when the focus comes or goes, the row at the cursor."""
        if repaint and not (regions or layout or recompose):
            regions = tuple(self._words_of(self.cursor)) or (Region(0, 0, 1, 1),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _redraw(self) -> None:
        self.refresh(self.size.region)

    def _refresh_rows(self, places: Iterable[int], *, previews: Sequence[int] = ()) -> None:
        """Draws the words of some rows again, and the pictures of those whose `previews` are others."""
        regions = [region for at in places for region in self._words_of(at)]
        layout = self.layout_now
        regions += [Region(0, at * layout.stride - self.top, layout.width, layout.lines) for at in previews]
        if regions:
            self.refresh(*regions)

    def _words_of(self, at: int) -> Iterator[Region]:
        """Where the words of a row are, if it is seen: on both sides of its pictures."""
        if at in self._seen:
            layout = self.layout_now
            y = at * layout.stride - self.top
            yield Region(0, y, layout.left, layout.lines)
            yield Region(layout.names_at, y, layout.width - layout.names_at, layout.lines)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines that are dirty."""
        self._layer.prepare()
        cursor = self.get_component_rich_style(f"name-list--{'cursor' if self.has_focus else 'cursor-blurred'}")
        parts = ("mark", "ticked", "muted", "good", "poor", "user")
        styles = {name: ink(self, f"name-list--{name}") for name in parts}
        self._look = NameLook(plain=self.rich_style, cursor=self.rich_style + Style(bgcolor=cursor.bgcolor), **styles)
        self._blank = self.get_component_rich_style("name-list--blank")
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        layout, look = self.layout_now, self._look
        at, line = divmod(y + self.top, layout.stride)
        if look is None or at >= len(self.rows) or line >= layout.lines:
            return Strip.blank(layout.width, self.rich_style)
        row = self.rows[at]
        shown = Shown(row, at == self.cursor, row.number in self.ticks, row.number in self._busy)
        segments = [
            *before_previews(shown, line, layout, look),
            *self._previews_line(row, line, look.plain),
            *after_previews(shown, line, layout, look),
        ]
        return Strip(segments).adjust_cell_length(layout.width, look.plain)

    def _previews_line(self, row: NameRow, line: int, plain: Style) -> Iterator[Segment]:
        layout = self.layout_now
        if not layout.previews:
            return
        columns, lines = layout.picture
        contents = self._previews_of(row)
        for content in contents:
            key = self._key(content)
            preview = self._previews.get(key)
            if preview is None:
                yield Segment(" " * columns, self._blank)
            else:
                x, y = _middle(Region(0, 0, columns, lines), preview)
                yield Segment(" " * x, plain)
                if y <= line < y + preview.rows:
                    yield from self._layer.line(key, preview, line - y, plain)
                else:
                    yield Segment(" " * preview.columns, plain)
                yield Segment(" " * (columns - x - preview.columns), plain)
            yield Segment(" ", plain)
        missing = layout.previews - len(contents)
        yield Segment(" " * (missing * (columns + 1) + 1), plain)


def _numbers(rows: Sequence[NameRow]) -> list[int]:
    return [row.number for row in rows]


def _middle(place: Region, preview: Preview) -> tuple[int, int]:
    """Where a preview begins that stands in the middle of its place."""
    return place.x + (place.width - preview.columns) // 2, place.y + (place.height - preview.rows) // 2
