"""How a tile looks: its frame, its caption, and the place of its picture, line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style

from tui.widgets.cluster_list import middle_cut
from tui.widgets.grid_items import GridItem

STAR, MARK, DIM = "★", "●", "✗"


@dataclass(frozen=True, slots=True)
class Look:
    """The styles of a grid. They are asked for once a frame: each question walks up the whole tree of widgets."""

    plain: Style
    cursor: Style
    marked: Style
    caption: Style
    dimmed: Style
    blank: Style
    tinted: Style

    def frame(self, item: GridItem | None, *, at_cursor: bool) -> Style | None:
        """The style of a tile's frame; None where it has none."""
        if at_cursor:
            return self.cursor
        if item is None:
            return None
        return self.marked if item.marked else self.tinted if item.tinted else None

    def line_above(self, width: int, frame: Style | None) -> Segment:
        """The first line of a tile whose picture has `width` columns."""
        if frame is None:
            return Segment(" " * (width + 2), self.plain)
        return Segment("▄" * (width + 2), self.plain + Style(color=frame.bgcolor))

    def framed(self, inner: Iterable[Segment], frame: Style | None) -> Iterable[Segment]:
        """A line of a picture with the frame on both sides."""
        side = Segment(" ", frame or self.plain)  # filled cells: fonts leave gaps between the signs of a line
        return (side, *inner, side)

    def line_below(self, item: GridItem | None, width: int, frame: Style | None) -> Segment:
        """The last line of a tile: its caption, with signs for what the item is."""
        if item is None:
            return Segment(" " * (width + 2), self.plain)
        signs = (STAR if item.starred else "") + (MARK if item.marked else "") + (DIM if item.dimmed else "")
        text = f"{signs} {item.caption}" if signs else item.caption
        text = f" {set_cell_size(middle_cut(text, width), width)} "
        return Segment(text, frame or (self.dimmed if item.dimmed else self.caption))

    def without_preview(self, width: int, words: str) -> Segment:
        """A line of one flat colour where the picture is not there, or not yet."""
        return Segment(set_cell_size(words.center(width), width), self.blank)

    def margins(self, picture: Iterable[Segment], left: int, right: int) -> Iterable[Segment]:
        """A line of a picture in the middle of its tile."""
        return (Segment(" " * left, self.plain), *picture, Segment(" " * right, self.plain))
