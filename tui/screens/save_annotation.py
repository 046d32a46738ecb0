"""Exporting an annotation: what is asked before it is written."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Select

from core.errors import UsageError
from core.export.settings import MODES
from tui.figures import count
from tui.screens.save import end_of


class SaveAnnotationScreen(ModalScreen[dict[str, Any] | None]):
    """Gives the fields of AnnotationExport that the user decides, or None."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="save-annotation.close"),
        Binding("ctrl+s", "save", "Export", id="save-annotation.save"),
    ]

    def __init__(self, pictures: int, classes: int, folder: str) -> None:
        super().__init__()
        self._pictures, self._kinds, self._folder = pictures, classes, folder

    def compose(self) -> ComposeResult:
        """A form of one screen."""
        title = f"Export {count(self._pictures, 'picture')} in {count(self._kinds, 'class', 'classes')}"
        with Vertical(classes="modal"):
            yield Label(title, classes="modal-title")
            with Horizontal(classes="field tight"):
                yield Label("pictures by")
                yield Select([(mode, mode) for mode in MODES], value="copy", allow_blank=False, compact=True, id="mode")
            with Horizontal(classes="field tight"):
                yield Label("train/val/test")
                yield Input("70/15/15", placeholder="no splits", compact=True, id="splits")
            with Horizontal(classes="field tight"):
                yield Label("into")
                yield Input(placeholder=f"a new folder in {end_of(self._folder)}", compact=True, id="output")
            yield Label(
                "A folder for each class, splits/ to train on, metadata.json, report.txt, COCO, CSV and Parquet lists.",
                id="outcome",
            )
            yield Label("", classes="wrong", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Export", variant="primary", compact=True, id="save")
                yield Button("Cancel", compact=True, id="cancel")

    def on_mount(self) -> None:
        """Enter alone exports: nothing has to be filled in."""
        self.query_one("#save").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Closes with what was filled in, or says what is wrong with it."""
        try:
            splits = self._splits()
        except UsageError as error:
            self.query_one(".wrong", Label).update(str(error))
            return
        output = self.query_one("#output", Input).value.strip() or None
        self.dismiss({"mode": self.query_one("#mode", Select).value, "output": output, **splits})

    def _splits(self) -> dict[str, Any]:
        text = self.query_one("#splits", Input).value.strip()
        if not text or text == "none":
            return {"splits": False}
        try:
            ratios = [float(part) for part in text.replace(",", "/").split("/")]
        except ValueError:
            raise UsageError(f"{text} is no list of shares", "write it as 70/15/15, or leave it empty") from None
        if len(ratios) != 3 or ratios[0] <= 0 or min(ratios) < 0:
            raise UsageError(f"the split {text} is impossible", "give three shares, such as 70/15/15")
        return {"ratios": ratios}

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
