"""Where marked pictures go: into a cluster chosen by name, or into a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from tui.figures import count
from tui.reading import UNCLUSTERED, ClusterRow
from tui.widgets.cluster_list import ClusterList, arranged

Destination = int | str
"""The number of a cluster (UNCLUSTERED for none), or the name of a new one (which may be empty)."""


class MoveScreen(ModalScreen[Destination | None]):
    """Asks for a cluster: type to narrow the list, arrows to choose."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="move.close"),
        Binding("down", "step(1)", "Down", show=False, id="move.down"),
        Binding("up", "step(-1)", "Up", show=False, id="move.up"),
        Binding("enter", "choose", "Move here", id="move.choose"),
        Binding("ctrl+n", "new", "New cluster", id="move.new"),
    ]

    def __init__(self, pictures: int, rows: Sequence[ClusterRow]) -> None:
        super().__init__()
        self._pictures = pictures
        unclustered = next((row for row in rows if row.number == UNCLUSTERED), ClusterRow(UNCLUSTERED, None, 0))
        self._rows = [*(row for row in rows if row.is_cluster), unclustered]

    def compose(self) -> ComposeResult:
        """The field, the list, and what enter will do."""
        with Vertical(classes="modal"):
            yield Label(f"Move {count(self._pictures, 'picture')} to", classes="modal-title")
            yield Input(placeholder="name or number of a cluster, or of a new one", compact=True)
            yield ClusterList()
            yield Label("", id="outcome", markup=False)

    def on_mount(self) -> None:
        """Every cluster, to begin with."""
        self._narrow("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._narrow(event.value)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_choose()

    @on(ClusterList.Moved)
    def _moved(self) -> None:
        self._say()

    @on(ClusterList.Opened)
    def _opened(self, event: ClusterList.Opened) -> None:
        self.dismiss(event.row.number)

    def action_step(self, lines: int) -> None:
        """Moves in the list from the field."""
        self.query_one(ClusterList).action_move(lines)

    def action_choose(self) -> None:
        """Into the cluster under the cursor; into a new one where none has that name."""
        row = self.query_one(ClusterList).row
        self.dismiss(self._typed_name() if row is None else row.number)

    def action_new(self) -> None:
        """Into a new cluster, whatever the list has."""
        self.dismiss(self._typed_name())

    def _typed_name(self) -> str:
        return self.query_one(Input).value.strip()

    def _narrow(self, text: str) -> None:
        found = self.query_one(ClusterList)
        found.show(arranged(self._rows, "size", text))
        wanted = text.strip().casefold()
        exact = next((row for row in found.rows if wanted in (str(row.number), row.title.casefold())), None)
        found.action_edge(0)
        if wanted and exact is not None:
            found.go_to(exact.number)
        self._say()

    def _say(self) -> None:
        row = self.query_one(ClusterList).row
        name = self._typed_name()
        new = f"a new cluster “{name}”" if name else "a new cluster"
        there = "" if row is None else f"{row.number} {row.title}".rstrip() if row.is_cluster else row.title
        words = f"enter: {there}   ctrl+n: {new}" if there else f"enter: {new}"
        self.query_one("#outcome", Label).update(words)
