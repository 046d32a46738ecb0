"""A list of lines that vim's keys walk."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList


class VimList(OptionList):
    """OptionList with j, k, and the rest."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Choose", show=False, id="list.choose"),
        Binding("j,down", "cursor_down", "Down", show=False, id="list.down"),
        Binding("k,up", "cursor_up", "Up", show=False, id="list.up"),
        Binding("home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
        Binding("ctrl+f,pagedown", "page_down", "Page down", show=False, id="list.page-down"),
        Binding("ctrl+b,pageup", "page_up", "Page up", show=False, id="list.page-up"),
    ]
    DEFAULT_CSS = """
    VimList { background: $background; scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    VimList:focus { background-tint: transparent; }
    """
