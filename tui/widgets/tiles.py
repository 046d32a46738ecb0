"""Where the tiles of a grid lie: arithmetic on cells, for any number of items."""

from __future__ import annotations

from dataclasses import dataclass

SIZES = (8, 12, 16, 20, 26, 34, 46, 62)
"""Columns a picture may take."""


@dataclass(frozen=True)
class Tiles:
    """Equal tiles in rows. A tile is the picture in a frame: a line above, a caption below, a column each side."""

    count: int
    width: int
    """Columns to see."""
    height: int
    """Lines to see."""
    picture: tuple[int, int]
    """Columns and lines of a picture. No lines: captions only, and no frame."""

    @property
    def tile_width(self) -> int:
        """Columns of a tile."""
        return self.picture[0] + 2

    @property
    def tile_height(self) -> int:
        """Lines of a tile."""
        return self.picture[1] + 2 if self.picture[1] else 1

    @property
    def across(self) -> int:
        """Tiles in a row."""
        return max(1, self.width // self.tile_width)

    @property
    def down(self) -> int:
        """Rows that are seen whole; one at the least."""
        return max(1, self.height // self.tile_height)

    @property
    def rows(self) -> int:
        """Rows in all."""
        return -(-self.count // self.across)

    @property
    def lines(self) -> int:
        """Lines in all, such that the last page begins with a row too."""
        return max(0, self.rows - self.down) * self.tile_height + self.height if self.count else 0

    def snapped(self, line: float) -> int:
        """The nearest line at which a row begins."""
        return max(0, min(round(line / self.tile_height), self.rows - self.down)) * self.tile_height

    def visible(self, line: int) -> range:
        """The positions that are seen from `line` on. A row that does not fit is not drawn."""
        first = line // self.tile_height
        return range(min(first * self.across, self.count), min((first + self.down) * self.across, self.count))

    def corner(self, position: int) -> tuple[int, int]:
        """Column and line where a tile begins, in all."""
        row, column = divmod(position, self.across)
        return column * self.tile_width, row * self.tile_height

    def at(self, x: int, y: int) -> int | None:
        """The position of the tile at a column and line, in all."""
        column, row = x // self.tile_width, y // self.tile_height
        position = row * self.across + column
        return position if 0 <= column < self.across and 0 <= position < self.count else None


def picture_size(columns: int, width: int, height: int, cell: tuple[int, int]) -> tuple[int, int]:
    """Columns and lines of the pictures: square in pixels, about `columns` wide, such that rows fill the height."""
    columns = max(4, min(columns, width - 2))
    rows = max(1, round(height / (columns * cell[0] / cell[1] + 2)))
    lines = max(1, height // rows - 2)
    fitting = round(lines * cell[1] / cell[0])
    if fitting > width - 2:
        return columns, max(1, min(lines, round(columns * cell[0] / cell[1])))
    return max(4, fitting), lines
