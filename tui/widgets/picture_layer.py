"""What every widget that draws pictures has: its layer of the canvas, and what the terminal holds for it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.widget import Widget

from tui.graphics.canvas import canvas_of, live_cell
from tui.graphics.kitty import Uploads, placeholders
from tui.graphics.previews import Preview
from tui.graphics.terminal import Terminal


class PictureLayer:
    """The layer of one widget (see `tui.graphics.canvas`). `pictures` gives what it draws over the text, for sixel.

    The widget calls `join` when it is mounted, `leave` when it goes, `measure_cell` when its size changes, and
    `prepare` before it renders lines; these it draws with `line`.
    """

    def __init__(
        self,
        widget: Widget,
        terminal: Terminal,
        pictures: Callable[[], Iterator[tuple[Region, str]]],
        *,
        most_uploads: int = 256,
    ) -> None:
        self.widget = widget
        self.pictures = pictures
        self.cell = terminal.cell
        """Width and height of a cell in pixels, as it is now."""
        self._graphics = terminal.graphics
        self._cell_at_start: tuple[int, int] | None = None
        self._uploads = Uploads(most_uploads, tmux=terminal.multiplexer == "tmux")
        self._on_top = True

    def join(self) -> None:
        """Joins the frames of the app."""
        app = self.widget.app
        self._cell_at_start = live_cell(app)
        canvas_of(app).add(self)
        app.app_resume_signal.subscribe(self.widget, self._terminal_lost_pictures)

    def leave(self) -> None:
        """Draws no more, and frees what the terminal holds."""
        canvas_of(self.widget.app).remove(self)

    def keep_at_most(self, uploads: int) -> None:
        """How many pictures the terminal shall hold."""
        self._uploads.most = uploads

    def measure_cell(self) -> None:
        """Looks how large a cell is: it changes with the font."""
        live = live_cell(self.widget.app)
        if live is not None and live != self._cell_at_start:
            self.cell = self._cell_at_start = live

    def prepare(self) -> None:
        """Under a dialog pictures become text, which it can tint: what is kept of the lines is not valid then."""
        on_top = self.widget.app.screen is self.widget.screen
        if on_top != self._on_top:
            self._on_top = on_top
            self.widget._styles_cache.clear()

    def line(self, key: Hashable, preview: Preview, line: int, plain: Style) -> Iterable[Segment]:
        """A line of a picture as the protocol has it. `key` names the picture among the uploads of this layer."""
        if self._on_top and self._graphics == "kitty":
            number = self._uploads.number(key, preview.data, preview.columns, preview.rows)
            return (placeholders(number, line, preview.columns),)
        if self._on_top and self._graphics == "sixel":
            return (Segment(" " * preview.columns, plain),)
        return preview.text[line]

    def unsent(self) -> str:
        """The uploads that the next frame needs."""
        return self._uploads.take()

    def free(self) -> str:
        """Frees what the terminal holds."""
        return self._uploads.free_all()

    def _terminal_lost_pictures(self, _: object) -> None:
        self._uploads.forget()
        self.widget.refresh(self.widget.size.region)
