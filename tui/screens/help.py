"""The keys that work on a screen, from its bindings themselves."""

from __future__ import annotations

import os
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from core.settings import user_file
from tui.facts import short_path

_EXAMPLE = "app.help"


class HelpScreen(ModalScreen[None]):
    """Lists keys, what they do, and the id by which the settings change them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close", id="help.close"),
        Binding("j,down", "scroll('down')", "Down", show=False, id="help.down"),
        Binding("k,up", "scroll('up')", "Up", show=False, id="help.up"),
    ]
    DEFAULT_CSS = """
    HelpScreen VerticalScroll { width: 90%; max-width: 100; height: auto; max-height: 90%; border: round $accent;
        background: $surface; padding: 0 1; }
    HelpScreen Static { height: auto; }
    """

    def __init__(self, screen: Screen[object]) -> None:
        super().__init__()
        self._sections = sections_of(screen)

    def compose(self) -> ComposeResult:
        """Its parts."""
        with VerticalScroll() as box:
            box.border_title = "keys"
            widest = max((len(name) for _, rows in self._sections for _, _, name in rows), default=0)
            box.border_subtitle = Content("esc closes · [keys] in settings.toml changes any by its id")
            for title, rows in self._sections:
                yield Static(_table(title, rows, widest))
            file = short_path(os.fsencode(user_file()))
            yield Static(Text(f'to change one: in {file}, under [keys], "{_EXAMPLE}" = "f1,ctrl+h"', style="dim"))

    def action_scroll(self, way: str) -> None:
        """A line up or down."""
        box = self.query_one(VerticalScroll)
        box.scroll_relative(y=1 if way == "down" else -1, animate=False)


Row = tuple[str, str, str]


def sections_of(screen: Screen[object]) -> list[tuple[str, list[Row]]]:
    """What works on a screen now: by where it is bound, each (keys, what, id)."""
    sections: dict[str, dict[tuple[str, str], list[str]]] = {}
    for node, binding, _, tooltip in screen.active_bindings.values():
        title = "everywhere" if node is screen.app else "this screen" if node is screen else "where the cursor is"
        words = binding.description or tooltip
        if not words or binding.id is None:  # the toolkit's own, which say nothing here
            continue
        if tooltip and tooltip != binding.description:
            words = f"{binding.description}: {tooltip}"
        keys = sections.setdefault(title, {}).setdefault((words, binding.id or ""), [])
        keys.append(screen.app.get_key_display(binding))
    order = ("where the cursor is", "this screen", "everywhere")
    return [
        (title, [(" ".join(keys), words, name) for (words, name), keys in sections[title].items()])
        for title in order
        if title in sections
    ]


def _table(title: str, rows: list[Row], ids: int) -> Table:
    table = Table(box=None, show_header=False, expand=True, title=title, title_justify="left", title_style="bold")
    table.add_column(no_wrap=True, style="bold", width=16)
    table.add_column(ratio=1)
    table.add_column(style="dim", no_wrap=True, width=ids)
    for keys, words, name in rows:
        table.add_row(Text(keys), Text(words), Text(name))
    return table
