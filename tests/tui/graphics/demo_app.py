"""The demonstration's app; see demo.py."""

from __future__ import annotations

import io
from pathlib import Path
from typing import ClassVar

from PIL import Image
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Header, OptionList, Static

from core.imaging.thumbnails import make_thumbnail
from tui.graphics.terminal import Terminal
from tui.widgets.picture_grid import GridItem, PictureGrid
from tui.widgets.picture_zoom import PictureZoom


class Dialog(ModalScreen[None]):
    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog Static { width: 40; height: 9; border: round $accent; background: $surface; }
    """
    BINDINGS: ClassVar = [Binding("escape,o", "dismiss", "Close")]

    def compose(self) -> ComposeResult:
        yield Static("A dialog. escape closes it.")


class Zoom(ModalScreen[None]):
    DEFAULT_CSS = "Zoom { align: center middle; } Zoom PictureZoom { width: 80%; height: 80%; border: round $accent; }"
    BINDINGS: ClassVar = [Binding("escape,z", "dismiss", "Close")]

    def __init__(self, terminal: Terminal, path: Path) -> None:
        super().__init__()
        self.terminal, self.path = terminal, path

    def compose(self) -> ComposeResult:
        yield PictureZoom(self.terminal)

    def on_mount(self) -> None:
        self.query_one(PictureZoom).show(str(self.path).encode())


class Other(Screen[None]):
    BINDINGS: ClassVar = [Binding("n,escape", "app.pop_screen", "Back")]

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static("Another screen: no picture may be seen here.")
        yield Footer()


class Demo(App[None]):
    BINDINGS: ClassVar = [
        Binding("o", "dialog", "Dialog"),
        Binding("n", "other", "Other screen"),
        Binding("t", "toast", "Toast"),
        Binding("z", "zoom", "Zoom"),
        Binding("r", "terminal_size", "Resize"),
        Binding("q", "quit", "Quit"),
    ]
    CSS = "OptionList { width: 24; } PictureGrid { width: 1fr; }"

    def __init__(self, terminal: Terminal, paths: list[Path]) -> None:
        super().__init__()
        self.terminal = terminal
        self.paths = {str(path).encode(): path for path in paths}

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal():
            yield OptionList(*[f"cluster {i}" for i in range(30)])
            yield PictureGrid(self.terminal, self.thumbnail)
        yield Footer()

    def on_mount(self) -> None:
        self.title = f"{self.terminal.graphics} {self.terminal.cell} {self.terminal.name}"
        items = [
            GridItem(i, key, path.name if self.terminal.graphics == "none" else f"0.{99 - i % 90}", starred=i == 0)
            for i, (key, path) in enumerate(self.paths.items())
        ]
        grid = self.query_one(PictureGrid)
        grid.set_items(items)
        grid.focus()

    def thumbnail(self, key: bytes) -> bytes | None:
        return make_thumbnail(Image.open(io.BytesIO(self.paths[key].read_bytes())).convert("RGB"))

    def on_picture_grid_mark_toggled(self, event: PictureGrid.MarkToggled) -> None:
        if (item := event.item) is not None:
            changed = GridItem(item.image, item.hash, item.caption, item.starred, not item.marked)
            event.grid.update_items({event.position: changed})

    def action_dialog(self) -> None:
        self.push_screen(Dialog())

    def action_other(self) -> None:
        self.push_screen(Other())

    def action_zoom(self) -> None:
        if (item := self.query_one(PictureGrid).selected_item()) is not None:
            self.push_screen(Zoom(self.terminal, self.paths[item.hash]))

    def action_terminal_size(self) -> None:
        assert self._driver is not None
        self._driver.write("\x1b[8;30;90t")

    def action_toast(self) -> None:
        self.notify("A toast over the pictures", timeout=2)
