"""Putting names right: typed in place, accepted, or taken from the alternatives. Each is an edit that can be undone."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import DescendantBlur
from textual.widgets import Input

from core.catalog import curation, names
from core.catalog.names import PROPOSED
from tui.figures import count
from tui.naming import NamesView
from tui.screens.ask import AskScreen
from tui.screens.name_browser import NameBrowser
from tui.widgets.name_list import NameList

GOOD_ENOUGH = 0.9
"""The quality above which all are accepted, unless another is given."""


class NameEditor(NameBrowser):
    """Browses names, and edits them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "edit_name", "Edit", id="names.edit", tooltip="type a name; enter again goes on to the next"),
        Binding("1", "take(1)", "Take", key_display="1-3", id="names.take-1", tooltip="the first alternative"),
        Binding("2", "take(2)", "Take the second", show=False, id="names.take-2"),
        Binding("3", "take(3)", "Take the third", show=False, id="names.take-3"),
        Binding("a", "accept", "Accept", id="names.accept", tooltip="the name, and go on to the next"),
        Binding("A", "accept_all", "Accept all", id="names.accept-all", tooltip="above a quality, twins left out"),
        Binding("u", "undo", "Undo", id="names.undo"),
        Binding("ctrl+r,U", "redo", "Redo", show=False, id="names.redo"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._typing: int | None = None
        """The cluster whose name is being typed."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What needs a cluster, a name or an alternative is off without it."""
        if action == "filter" and isinstance(self.focused, Input):
            return False  # a name may have a slash
        row = self.row if self.is_mounted and self.view is not None else None
        if action in ("edit_name", "accept", "take"):
            if row is None:
                return None
            if action == "take":
                return 0 < int(str(parameters[0])) <= len(row.alternatives) or None
            return action == "edit_name" or row.cluster.state == PROPOSED or None
        return self.view is not None or action not in ("accept_all", "sort", "filter") or None

    # Typing in place

    def action_edit_name(self) -> None:
        """Opens a line over the name."""
        if self.row is not None:
            self._typing = self.row.number
            line = self._line
            line.value = self.row.cluster.name or ""
            line.display = True
            self._place_line()
            line.focus()
            line.action_select_all()  # typing replaces it, a step to the side edits it

    @on(Input.Submitted, "#typed")
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        number, name = self._typing, names.tidy(event.value)
        if number is None or self.view is None:
            return
        cluster = next((row.cluster for row in self.view.rows if row.number == number), None)
        if cluster is not None and (name != (cluster.name or "") or cluster.state == PROPOSED):
            run = self.view.clustering
            self.edit(lambda db: curation.rename(db, run, number, name or None))
        self._go_on_from(number)

    def _go_on_from(self, number: int) -> None:
        """Types the next name; after the last one there is none."""
        at = self.name_list.line_of(number)
        if at is None or at + 1 >= len(self.name_list.rows):
            self._end_typing()
            return
        self.name_list.cursor = at + 1
        self.action_edit_name()

    @on(DescendantBlur)
    def _line_left(self, event: DescendantBlur) -> None:
        if event.widget is self._line and self.app.screen is self:
            self._end_typing()

    @on(NameList.Opened)
    def _opened(self) -> None:
        self.action_edit_name()

    @on(NameList.Shifted)
    def _shifted(self) -> None:
        self._place_line()

    def take_view(self, view: NamesView | None) -> None:
        """The line stays with its cluster, and what is typed in it stays."""
        super().take_view(view)
        self._place_line()

    def action_back(self) -> None:
        """Out of typing first."""
        if self._typing is not None:
            self._end_typing()
        else:
            super().action_back()

    def _end_typing(self) -> None:
        had_focus = self._line.has_focus
        self._typing, self._line.display = None, False
        if had_focus:
            self.name_list.focus()

    def _place_line(self) -> None:
        if self._typing is None:
            return
        line, place = self._line, self.name_list.name_region(self._typing)
        line.display = place is not None or line.has_focus
        if place is not None:
            line.styles.offset = (place.x, place.y)
            line.styles.width = place.width

    @property
    def _line(self) -> Input:
        return self.query_one("#typed", Input)

    # Accepting

    def action_accept(self) -> None:
        """Accepts the name, and goes on to the next cluster."""
        if self.row is not None and self.view is not None:
            run, number = self.view.clustering, self.row.number
            self.edit(lambda db: names.accept(db, run, number))
            self.name_list.cursor += 1

    def action_take(self, place: int) -> None:
        """Takes the alternative of this number."""
        if self.row is not None and self.view is not None and place <= len(self.row.alternatives):
            run, number, name = self.view.clustering, self.row.number, self.row.alternatives[place - 1].name
            self.edit(lambda db: names.take(db, run, number, name))

    def action_accept_all(self) -> None:
        """Asks above which quality."""
        title = "Accept all proposed names of this quality and more (0 to 1)"
        self.app.push_screen(AskScreen(title, f"{GOOD_ENOUGH:g}", "twins are left out"), self._accept_above)

    def _accept_above(self, text: str | None) -> None:
        if text is None or self.view is None:
            return
        try:
            above = float(text)
        except ValueError:
            above = -1.0
        if not 0 <= above <= 1:
            self.shoebox.report(f"{text or 'nothing'} is no quality: give a number from 0 to 1, such as 0.9")
            return
        run = self.view.clustering
        self.edit(
            lambda db: names.accept_all(db, run, above),
            lambda done: self.notify(f"accepted {count(done, 'name')} of quality {above:g} and more", timeout=4),
        )
