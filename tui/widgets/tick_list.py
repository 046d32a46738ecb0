"""A list to tick in, in the signs that the other lists have."""

from __future__ import annotations

from typing import TypeVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import SelectionList
from textual.widgets.option_list import OptionDoesNotExist

from tui.widgets.cluster_list import TICKED

Value = TypeVar("Value")
_BUTTON = 4
"""Cells of the button, with the space behind it."""


class TickList(SelectionList[Value]):
    """A tick before what is chosen, nothing before what is not: Textual tells the two by their colours alone."""

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        strip = super().render_line(y)
        try:
            option = self.get_option_at_index(self.scroll_offset.y + y)
        except OptionDoesNotExist:
            return strip
        behind = strip.crop(_BUTTON)
        style = next(iter(behind)).style if len(behind) else None
        sign = f"[{TICKED}] " if option.value in self.selected else "[ ] "
        return Strip([Segment(sign, style), *behind])
