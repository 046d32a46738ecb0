"""One of many, chosen by typing a part of its name; or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from tui.widgets.line_list import LineList

Answer = TypeVar("Answer")
Row = TypeVar("Row")


class PickScreen(ModalScreen[Answer | None], Generic[Row, Answer]):
    """Type to narrow the list, arrows to choose. Subclasses say what the rows are, and what comes of one."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="pick.close"),
        Binding("down", "step(1)", "Down", show=False, id="pick.down"),
        Binding("up", "step(-1)", "Up", show=False, id="pick.up"),
        Binding("enter", "choose", "This one", id="pick.choose"),
        Binding("ctrl+n", "new", "New one", id="pick.new"),
    ]

    def __init__(self, title: str, hint: str) -> None:
        super().__init__()
        self._title, self._hint = title, hint

    # For subclasses

    def make_list(self) -> LineList[Row]:
        """The list, empty."""
        raise NotImplementedError

    def found(self, text: str) -> Sequence[Row]:
        """The rows that a text narrows the list to."""
        raise NotImplementedError

    def show(self, rows: Sequence[Row]) -> None:
        """Puts rows into the list."""
        raise NotImplementedError

    def is_named(self, row: Row, text: str) -> bool:
        """Whether a text, in lower case, is the whole name of a row."""
        raise NotImplementedError

    def words_of(self, row: Row) -> str:
        """What a row is called."""
        raise NotImplementedError

    def new_words(self, name: str) -> str:
        """What a new one would be called; empty where a name is missing."""
        raise NotImplementedError

    def answer(self, row: Row) -> Answer:
        """What is given for a row."""
        raise NotImplementedError

    def new_answer(self, name: str) -> Answer | None:
        """What is given for a new one; None where that cannot be."""
        raise NotImplementedError

    # The screen

    def compose(self) -> ComposeResult:
        """The field, the list, and what enter will do."""
        with Vertical(classes="modal"):
            yield Label(self._title, classes="modal-title", markup=False)
            yield Input(placeholder=self._hint, compact=True)
            yield self.make_list()
            yield Label("", id="outcome", markup=False)

    def on_mount(self) -> None:
        """Every row, to begin with."""
        self._narrow("")

    @property
    def _list(self) -> LineList[Row]:
        found: LineList[Any] = self.query_one(LineList)
        return found

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    @on(LineList.Moved)
    def _moved(self) -> None:
        self._say()

    @on(Input.Submitted)
    @on(LineList.Opened)
    def action_choose(self) -> None:
        """The row under the cursor; a new one where none has that name."""
        row = self._list.row
        if row is not None:
            self.dismiss(self.answer(row))
        else:
            self.action_new()

    def action_step(self, lines: int) -> None:
        """Moves in the list from the field."""
        self._list.action_move(lines)

    def action_new(self) -> None:
        """A new one, whatever the list has."""
        answer = self.new_answer(self._typed_name)
        if answer is not None:
            self.dismiss(answer)

    @property
    def _typed_name(self) -> str:
        return " ".join(self.query_one(Input).value.split())

    def _narrow(self, text: str) -> None:
        rows = self.found(text)
        self.show(rows)
        wanted = text.strip().casefold()
        exact = (at for at, row in enumerate(self._list.rows) if wanted and self.is_named(row, wanted))
        self._list.cursor = next(exact, 0)
        self._say()

    def _say(self) -> None:
        row, new = self._list.row, self.new_words(self._typed_name)
        words = f"enter: {self.words_of(row)}" if row is not None else f"enter: {new}" if new else "type a name"
        if row is not None and new:
            words += f"   ctrl+n: {new}"
        self.query_one("#outcome", Label).update(words)
