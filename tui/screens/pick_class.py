"""One of the classes, chosen by typing a part of its name; or none of them, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from tui.annotation import ClassRow
from tui.widgets.class_list import ClassList


@dataclass(frozen=True, slots=True)
class Picked:
    """A class by its id (None: none of them), or the name of a new one."""

    id: int | None = None
    new: str = ""


class PickClassScreen(ModalScreen[Picked | None]):
    """Gives what was picked, or None."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="pick-class.close"),
        Binding("down", "step(1)", "Down", show=False, id="pick-class.down"),
        Binding("up", "step(-1)", "Up", show=False, id="pick-class.up"),
        Binding("enter", "choose", "This one", id="pick-class.choose"),
        Binding("ctrl+n", "new", "New class", id="pick-class.new"),
    ]

    def __init__(self, title: str, rows: Sequence[ClassRow]) -> None:
        super().__init__()
        self._title = title
        self._rows = list(rows)

    def compose(self) -> ComposeResult:
        """The field, the list, and what enter will do."""
        with Vertical(classes="modal"):
            yield Label(self._title, classes="modal-title", markup=False)
            yield Input(placeholder="a part of its name, or a new name", compact=True)
            yield ClassList()
            yield Label("", id="outcome", markup=False)

    def on_mount(self) -> None:
        """Every class, to begin with."""
        self._narrow("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_choose()

    @on(ClassList.Moved)
    def _moved(self) -> None:
        self._say()

    @on(ClassList.Opened)
    def _opened(self) -> None:
        self.action_choose()

    def action_step(self, lines: int) -> None:
        """Moves in the list from the field."""
        self.query_one(ClassList).action_move(lines)

    def action_choose(self) -> None:
        """The class under the cursor; a new one where none has that name."""
        row = self.query_one(ClassList).row
        if row is not None:
            self.dismiss(Picked(row.id))
        else:
            self.action_new()

    def action_new(self) -> None:
        """A new class, whatever the list has."""
        if name := self._typed_name():
            self.dismiss(Picked(new=name))

    def _typed_name(self) -> str:
        return " ".join(self.query_one(Input).value.split())

    def _narrow(self, text: str) -> None:
        words = text.casefold().split()
        shown = self.query_one(ClassList)
        shown.show([row for row in self._rows if all(word in row.name.casefold() for word in words)])
        shown.action_edge(0)
        exact = next((at for at, row in enumerate(shown.rows) if row.name.casefold() == text.strip().casefold()), None)
        if exact is not None:
            shown.cursor = exact
        self._say()

    def _say(self) -> None:
        row, name = self.query_one(ClassList).row, self._typed_name()
        new = f"a new class “{name}”" if name else ""
        words = f"enter: {row.name}" if row is not None else f"enter: {new}" if new else "type a name"
        if row is not None and new:
            words += f"   ctrl+n: {new}"
        self.query_one("#outcome", Label).update(words)
