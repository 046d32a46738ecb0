"""One picture, as large as the room allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rich.segment import Segment
from textual import events, work
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from core.errors import ShoeboxError
from tui.graphics.kitty import MOST_CELLS
from tui.graphics.previews import Encoder, Preview
from tui.graphics.terminal import Terminal
from tui.widgets.picture_layer import PictureLayer

_Source = tuple[bytes | None, bytes | None]
"""The path of a file, and the hash of its preview."""

_MAX_BYTES = 500_000_000
_MAX_PIXELS = 200_000_000
_BUDGET = 1_500_000  # bytes one large picture may take


class PictureZoom(Widget):
    """One picture. Without graphics, nothing but what is said of it in `message`."""

    DEFAULT_CSS = """
    PictureZoom { background: $surface; color: $foreground-muted; }
    """

    message: reactive[str] = reactive("")
    """What stands in place of the picture until it is there, or why it is not."""

    def __init__(
        self, terminal: Terminal, thumbnails: Callable[[bytes], bytes | None] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.terminal = terminal
        self._thumbnails = thumbnails
        self._encoder = Encoder(terminal, colours=256, budget=_BUDGET)
        self._layer = PictureLayer(self, terminal, self.pictures, most_uploads=2)
        self._source: _Source | None = None
        self._preview: Preview | None = None
        self._made = 0  # pictures made so far: the key of an upload

    def show(self, file: bytes | None, preview: bytes | None = None) -> None:
        """Shows a picture file, by its path. Where it cannot be read, the stored preview of the hash `preview`."""
        self._source = (file, preview)
        self._preview = None
        self.message = "opening…"
        self.refresh()
        self._start()

    def on_mount(self) -> None:
        """Joins the frames of the app."""
        self._thumbnails = self._thumbnails or getattr(self.app, "thumbnail", None)
        self._layer.join()

    def on_unmount(self) -> None:
        """Leaves nothing behind."""
        self._layer.leave()

    def on_resize(self, event: events.Resize) -> None:
        """The picture is made again for the room there is."""
        self._layer.measure_cell()
        self._start()

    def _start(self) -> None:
        if self._source is None or not self.size or not self.is_mounted:
            return
        if self.terminal.graphics == "none":
            self.message = "no graphics in this terminal"
            return
        box = (min(self.size.width, MOST_CELLS), min(self.size.height, MOST_CELLS))
        self._make(self._source, box)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _make(self, source: _Source, box: tuple[int, int]) -> None:
        from textual.worker import get_current_worker

        worker = get_current_worker()
        preview, message = None, ""
        try:
            preview = self._encode(source, box)
        except ShoeboxError as error:
            message = str(error)
        except Exception as error:
            message = f"cannot show it ({type(error).__name__})"
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take, preview, message)

    def _encode(self, source: _Source, box: tuple[int, int]) -> Preview:
        from core.imaging.decode import decode
        from core.imaging.read import read_picture_file

        file, preview = source
        needed = max(box[0] * self._layer.cell[0], box[1] * self._layer.cell[1])
        try:
            data = read_picture_file(file or b"", _MAX_BYTES)
            image = decode(data, min_side=needed, max_pixels=_MAX_PIXELS).image
        except ShoeboxError:
            stored = self._thumbnails(preview) if preview is not None and self._thumbnails is not None else None
            if stored is None:
                raise
            image = decode(stored, min_side=None, max_pixels=_MAX_PIXELS).image
        return self._encoder.encode(image, box, self._layer.cell)

    def _take(self, preview: Preview | None, message: str) -> None:
        self._preview, self.message = preview, message
        self._made += 1
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines that are dirty."""
        self._layer.prepare()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the picture, in the middle of the room."""
        width, height = self.size
        preview, plain = self._preview, self.rich_style
        if preview is None:
            text = self.message.center(width) if y == height // 2 else ""
            return Strip([Segment(text, plain)]).adjust_cell_length(width, plain)
        left, top = (width - preview.columns) // 2, (height - preview.rows) // 2
        if not top <= y < top + preview.rows:
            return Strip.blank(width, plain)
        line = self._layer.line(self._made, preview, y - top, plain)
        return Strip([Segment(" " * left, plain), *line]).adjust_cell_length(width, plain)

    def pictures(self) -> Iterator[tuple[Region, str]]:
        """The sixel picture."""
        preview = self._preview
        if self.terminal.graphics != "sixel" or preview is None:
            return
        width, height = self.size
        offset = ((width - preview.columns) // 2, (height - preview.rows) // 2)
        region = Region(*offset, preview.columns, preview.rows).translate(self.content_region.offset)
        if region.bottom < self.screen.size.height:
            yield region, preview.data
