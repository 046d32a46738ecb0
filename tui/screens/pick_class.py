"""One of the classes, or none of them, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.annotation import ClassRow
from tui.screens.pick import PickScreen
from tui.widgets.class_list import ClassList


@dataclass(frozen=True, slots=True)
class Picked:
    """A class by its id (None: none of them), or the name of a new one."""

    id: int | None = None
    new: str = ""


class PickClassScreen(PickScreen[ClassRow, Picked]):
    """Gives what was picked, or None."""

    def __init__(self, title: str, rows: Sequence[ClassRow]) -> None:
        super().__init__(title, "a part of its name, or a new name")
        self._rows = list(rows)

    def make_list(self) -> ClassList:
        """Classes."""
        return ClassList()

    def found(self, text: str) -> list[ClassRow]:
        """Those whose names have every word."""
        words = text.casefold().split()
        return [row for row in self._rows if all(word in row.name.casefold() for word in words)]

    def show(self, rows: Sequence[ClassRow]) -> None:
        """Puts classes into the list."""
        self.query_one(ClassList).show(rows)

    def is_named(self, row: ClassRow, text: str) -> bool:
        """By its name."""
        return row.name.casefold() == text

    def words_of(self, row: ClassRow) -> str:
        """Its name."""
        return row.name

    def new_words(self, name: str) -> str:
        """A class needs a name."""
        return f"a new class “{name}”" if name else ""

    def answer(self, row: ClassRow) -> Picked:
        """Its id."""
        return Picked(row.id)

    def new_answer(self, name: str) -> Picked | None:
        """A class needs a name."""
        return Picked(new=name) if name else None
