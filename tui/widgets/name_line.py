"""The line that a name is typed in."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class NameLine(Input):
    """Textual's own, whose keys are told to the user."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Keep it, type the next", id="names.keep"),
        Binding("escape", "screen.back", "Leave it as it was", id="names.leave"),
    ]
