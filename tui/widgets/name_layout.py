"""Where the parts of a line of names lie: arithmetic on cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tui.naming import MOST_PREVIEWS

WIDE = 100
"""Columns from which alternatives stand beside every name."""
_BAR, _BAR_NARROW = 10, 6
_FIGURE = 5
_STATE = 9
_ALTERNATIVE, _ALTERNATIVE_MOST = 24, 34
_NAME, _NAME_MOST = 22, 44
_GAP = 2
_FEW_PREVIEWS = 2


class Figures(NamedTuple):
    """What the rows have at the most."""

    number: int = 1
    """Digits of the number."""
    size: int = 1
    """Digits of the size, with commas."""
    previews: int = 0


@dataclass(frozen=True, slots=True)
class NameLayout:
    """The columns of the list, for a size of the widget."""

    width: int
    height: int
    picture: tuple[int, int]
    """Columns and lines of a preview; (0, 0) without graphics."""
    previews: int
    """How many there is room for."""
    number: int
    size: int
    """Widths of the two figures."""
    name: int
    bar: int
    alternatives: int
    """Columns of the alternatives; 0: they fold under the name of the row at the cursor."""

    @property
    def stride(self) -> int:
        """Lines of a row: its previews, and a line between where there is room for one."""
        return max(self.picture[1], 3) + (1 if self.alternatives else 0)

    @property
    def lines(self) -> int:
        """Lines of a row that say something."""
        return max(self.picture[1], 3)

    @property
    def left(self) -> int:
        """Columns before the previews: the mark of the cursor, the tick, the figures."""
        return 2 + self.number + 1 + self.size + _GAP

    @property
    def names_at(self) -> int:
        """The column where names begin."""
        return self.left + self.previews * (self.picture[0] + 1) + (1 if self.previews else 0)

    @property
    def quality(self) -> int:
        """Columns of the bar and its figure."""
        return self.bar + _FIGURE

    @property
    def down(self) -> int:
        """Rows that are seen whole, one at the least."""
        return max(1, self.height // self.stride)

    def total(self, rows: int) -> int:
        """Lines in all, such that the last page begins with a row too."""
        return max(0, rows - self.down) * self.stride + self.height if rows else 0

    def snapped(self, line: float, rows: int) -> int:
        """The nearest line at which a row begins."""
        return max(0, min(round(line / self.stride), rows - self.down)) * self.stride


def layout_of(width: int, height: int, figures: Figures, cell: tuple[int, int]) -> NameLayout:
    """What suits a widget of so many columns and lines, whose cells have so many pixels."""
    number, size, most = figures
    wide = width >= WIDE - 2
    lines = 3 if not wide or height < 32 else 4 if height < 48 else 5
    picture = (max(4, round(lines * cell[1] / cell[0])), lines) if most else (0, 0)
    bar = _BAR if wide else _BAR_NARROW
    room = width - (2 + number + 1 + size + _GAP + _GAP + bar + _FIGURE + _GAP + _STATE)
    name, alternatives = _NAME, 0
    if wide:
        room -= _GAP
        name = min(_NAME_MOST, max(_NAME, room * 27 // 100))
        alternatives = min(_ALTERNATIVE_MOST, max(_ALTERNATIVE, room * 22 // 100))
    fitting = max(0, room - name - alternatives - 1) // (picture[0] + 1)
    previews = min(fitting, most, MOST_PREVIEWS if wide else _FEW_PREVIEWS)
    name = room - alternatives - (previews * (picture[0] + 1) + 1 if previews else 0)
    return NameLayout(width, height, picture, previews, number, size, max(8, name), bar, alternatives)
