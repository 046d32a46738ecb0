"""The list of names: any number of clusters with their previews, one widget, drawn line by line.

What is shown anew moves neither the cursor nor the view, and draws the rows that changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from tui.graphics.previews import Encoder, Key, Preview, Previews
from tui.graphics.terminal import Terminal
from tui.naming import NameRow
from tui.widgets.ink import ink
from tui.widgets.name_drawing import NameLook, Shown, after_previews, before_previews
from tui.widgets.name_layout import Figures
from tui.widgets.name_rows import NameRows
from tui.widgets.picture_layer import PictureLayer

_PACE = 0.1  # seconds between two updates of previews that came


class NameList(NameRows):
    """Clusters with their names. It holds no truth: it shows what it is given, and says what the user wants."""

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

    class PreviewsReady(Message):
        """Some previews were made."""

    def __init__(self, terminal: Terminal, thumbnails: Callable[[bytes], bytes | None], **kwargs: Any) -> None:
        super().__init__(terminal.cell, **kwargs)
        self._busy: frozenset[int] = frozenset()
        self._graphics = terminal.graphics
        self._layer = PictureLayer(self, terminal, self.pictures)
        self._previews = Previews(thumbnails, Encoder(terminal), self._tell)
        self._timer: Timer | None = None
        self._told_at = 0.0
        self._look: NameLook | None = None
        self._blank = Style()

    def on_mount(self) -> None:
        """Joins the frames of the app."""
        self._layer.join()

    def on_unmount(self) -> None:
        """Leaves nothing behind."""
        self._previews.close()
        self._layer.leave()

    # What is shown

    def show(self, rows: Sequence[NameRow]) -> None:
        """Shows these rows. The cursor stays on its cluster, and that on its line of the screen."""
        before, kept = self.rows, self.row
        self.rows = list(rows)
        if self._figures(before) == self._figures(self.rows) and _numbers(before) == _numbers(self.rows):
            changed = [at for at, row in enumerate(self.rows) if row != before[at]]
            self.refresh_rows(changed, previews=[at for at in changed if before[at].previews != rows[at].previews])
            self.view_changed()
            return
        line = self.cursor * self.layout_now.stride - self.top
        self.lay_out()
        at = None if kept is None else self.line_of(kept.number)
        with self.prevent(self.Moved):
            self.cursor = max(0, min(self.cursor if at is None else at, len(self.rows) - 1))
        if at is not None:
            self.scroll_to(y=at * self.layout_now.stride - line, animate=False, force=True)
        self.show_cursor()
        self.redraw()
        self.view_changed()
        if self.row is None or kept is None or self.row.number != kept.number:
            self.post_message(self.Moved())

    def show_busy(self, numbers: frozenset[int]) -> None:
        """Marks the clusters that are being named."""
        if numbers != self._busy:
            changed = numbers ^ self._busy
            self._busy = numbers
            self.refresh_rows([at for at, row in enumerate(self.rows) if row.number in changed])

    def lay_out(self) -> None:
        """Makes the layout anew, by the cells as they are now."""
        self._layer.measure_cell()
        self.lay_out_in(self._figures(self.rows), self._layer.cell)
        self._layer.keep_at_most(max(256, 3 * self.layout_now.previews * (self.layout_now.down + 1)))

    @property
    def _has_pictures(self) -> bool:
        return self._graphics != "none"

    def _figures(self, rows: Sequence[NameRow]) -> Figures:
        if not rows:
            return Figures()
        number = max(len(str(row.number)) for row in rows)
        size = max(len(f"{row.cluster.size:,}") for row in rows)
        return Figures(number, size, max(len(row.previews) for row in rows) if self._has_pictures else 0)

    # Previews

    def view_changed(self) -> None:
        """Asks for the previews that are seen, then for a page after and a page before."""
        if not self._has_pictures or not self.is_mounted or not self.rows:
            return
        seen = self.seen
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
        for at in self.seen:
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
