"""Saving clusters: what is asked before the export."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select

from core.export.settings import MODES
from tui.figures import count

UNCLUSTERED = (("are left out", False), ("get a folder, too", True))
ROOM = 26
"""Cells for a folder, beside what else the field says."""
WHAT = (("every picture", "all"), ("previews only", "previews"), ("lists only, no pictures", "none"))


class SaveScreen(ModalScreen[dict[str, Any] | None]):
    """Gives the fields of ExportSettings that the user decides, or None."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="save.close"),
        Binding("ctrl+s", "save", "Save", id="save.save"),
    ]

    def __init__(self, ticked: list[int], clusters: int, folder: str) -> None:
        super().__init__()
        self._ticked = ticked
        self._clusters = clusters
        self._folder = folder

    def compose(self) -> ComposeResult:
        """A form of one screen."""
        ticked = len(self._ticked)
        title = f"Save {count(ticked, 'ticked cluster')}" if ticked else f"Save all {count(self._clusters, 'cluster')}"
        with Vertical(classes="modal"):
            yield Label(title, classes="modal-title")
            with Horizontal(classes="field"):
                yield Label("pictures")
                yield Select(WHAT, value="all", allow_blank=False, compact=True, id="what")
            with Horizontal(classes="field"):
                yield Label("by")
                yield Select([(mode, mode) for mode in MODES], value="copy", allow_blank=False, compact=True, id="mode")
            with Horizontal(classes="field"):
                yield Label("into")
                yield Input(placeholder=f"a new folder in {end_of(self._folder)}", compact=True, id="output")
            with Horizontal(classes="field"):
                yield Label("the unclustered")
                yield Select(UNCLUSTERED, value=False, allow_blank=False, compact=True, id="unclustered")
            with Horizontal(classes="buttons"):
                yield Button("Save", variant="primary", compact=True, id="save")
                yield Button("Cancel", compact=True, id="cancel")

    def on_mount(self) -> None:
        """Enter alone saves: nothing has to be filled in."""
        self.query_one("#save").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """What was filled in."""
        output = self.query_one("#output", Input).value.strip()
        self.dismiss(
            {
                "clusters": self._ticked or None,
                "what": self.query_one("#what", Select).value,
                "mode": self.query_one("#mode", Select).value,
                "output": output or None,
                "unclustered": self.query_one("#unclustered", Select).value,
            }
        )

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


def end_of(path: str) -> str:
    """As much of a path as the field shows, its end rather than its beginning."""
    return path if len(path) <= ROOM else "…" + path[-(ROOM - 1) :]
