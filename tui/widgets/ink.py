"""The colour of words that stand beside others on one line."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget


def ink(widget: Widget, component: str) -> Style:
    """A component's colour alone, on whatever lies below. Asked for in part, a colour that suits itself to its
    background (`$text-muted`) would be plain white, and what is meant to be quiet the loudest of all.
    """
    return Style(color=widget.get_component_rich_style(component).color)
