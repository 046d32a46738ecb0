"""Previews made ready to draw, in threads, and kept while there is room."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tui.graphics.terminal import Size, Terminal

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.segment import Segment

THREADS = 2
_ASKED_AGAIN = 3.0  # seconds after which a picture without preview may have one
_BYTES_A_SEGMENT = 400
_FEWEST_COLOURS = 16
_PIXELS_A_BYTE = 2
_BYTES_A_PREVIEW = 19_500  # 24 of them, with the text around, are within the budget of a screenful
_BYTES_A_SIXEL_PREVIEW = 16_500  # likewise, and all come near it: they have as many colours as that allows


class Key(NamedTuple):
    """A picture at a size."""

    hash: bytes
    box: Size
    """The most columns and rows it may take."""
    cell: Size
    """Pixels of a cell."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture ready to draw."""

    columns: int
    rows: int
    text: tuple[tuple[Segment, ...], ...]
    """It in text, a tuple of segments a row: half cells, or a mosaic for where the protocol's picture is not."""
    data: str = ""
    """The sixel sequence, or the PNG for kitty in base64."""

    @property
    def cost(self) -> int:
        """About the bytes it takes."""
        return len(self.data) + _BYTES_A_SEGMENT * sum(map(len, self.text))


class Encoder:
    """Turns pictures into what a protocol draws."""

    def __init__(self, terminal: Terminal, *, colours: int = 64, budget: float = 0) -> None:
        """`budget`: bytes of a preview, about; without it, what makes a screenful bearable over a line."""
        self._graphics = terminal.graphics
        self._colours = max(2, min(colours, terminal.registers))
        self._in_tmux = terminal.multiplexer == "tmux"
        self._budget = budget or (_BYTES_A_SIXEL_PREVIEW if terminal.graphics == "sixel" else _BYTES_A_PREVIEW)

    def preview(self, data: bytes, key: Key) -> Preview:
        """A stored preview ready to draw. Raises what Pillow raises for bytes that are no picture."""
        from tui.graphics.fit import open_picture

        wanted = (key.box[0] * key.cell[0], key.box[1] * key.cell[1])
        return self.encode(open_picture(data, wanted), key.box, key.cell)

    def encode(self, image: Image, box: Size, cell: Size) -> Preview:
        """An RGB picture ready to draw in at most `box` cells."""
        from tui.graphics import fit, halfcell

        columns, rows = cells = fit.cells_for(image.size, box, cell)
        if self._graphics == "sixel":
            pixels = fit.cropped_to(image, cells, cell)
            return Preview(columns, rows, halfcell.mosaic(pixels, columns, rows), self._sixel(pixels))
        if self._graphics == "kitty":
            pixels = fit.cropped_to(image, cells, cell, most=image.size)
            return Preview(columns, rows, halfcell.mosaic(pixels, columns, rows), self._png(pixels))
        pixels = fit.cropped_to(image, cells, (1, 2))
        return Preview(columns, rows, halfcell.half_cells(pixels, columns, rows))

    def _sixel(self, image: Image) -> str:
        from tui.graphics.sixel import BAND, sixel_of

        if self._in_tmux and image.height > BAND:  # it fills the last band, and would cover the caption
            image = image.crop((0, 0, image.width, image.height // BAND * BAND))
        return sixel_of(image, self._colours, self._budget)

    def _png(self, image: Image) -> str:
        """As many colours as the bytes allow: a smooth picture gets all, a busy one fewer."""
        from tui.graphics.kitty import png_of

        colours = self._colours
        if image.width * image.height > self._budget * _PIXELS_A_BYTE and colours > _FEWEST_COLOURS:
            colours //= 2  # most pictures of this size would not fit with more: do not try
        encoded = png_of(image, colours)
        while len(encoded) > self._budget and colours > _FEWEST_COLOURS:
            colours //= 2
            encoded = png_of(image, colours)
        return encoded


class Previews:
    """The previews of one widget. `ready` is called in a thread when the first of some has been made."""

    def __init__(
        self,
        load: Callable[[bytes], bytes | None],
        encoder: Encoder,
        ready: Callable[[], None],
        *,
        max_bytes: int = 24_000_000,
    ) -> None:
        self._load = load
        self._encoder = encoder
        self._ready = ready
        self._max_bytes = max_bytes
        self._lock = threading.Condition()
        self._wanted: list[Key] = []
        self._making: set[Key] = set()
        self._kept: OrderedDict[Key, Preview] = OrderedDict()
        self._bytes = 0
        self._without: dict[Key, float] = {}
        self._made: list[Key] = []
        self._threads: list[threading.Thread] = []
        self._closed = False

    def get(self, key: Key) -> Preview | None:
        """The preview, if it is ready."""
        with self._lock:
            preview = self._kept.get(key)
            if preview is not None:
                self._kept.move_to_end(key)
            return preview

    def keys(self) -> set[Key]:
        """Those that are ready."""
        with self._lock:
            return set(self._kept)

    def is_missing(self, key: Key) -> bool:
        """Whether there is none to be had, as far as known."""
        return key in self._without

    def want(self, keys: Sequence[Key]) -> None:
        """Asks for these, the most wanted first, and for nothing that was asked before."""
        now = time.monotonic()
        with self._lock:
            if self._closed:
                return
            self._wanted = [
                key
                for key in dict.fromkeys(keys)
                if key not in self._kept
                and key not in self._making
                and now - self._without.get(key, -_ASKED_AGAIN) >= _ASKED_AGAIN
            ]
            self._wanted.reverse()  # taken from the end
            if self._wanted and not self._threads:
                self._threads = [
                    threading.Thread(target=self._work, name=f"previews-{i}", daemon=True) for i in range(THREADS)
                ]
                for thread in self._threads:
                    thread.start()
            self._lock.notify_all()

    @property
    def busy(self) -> bool:
        """Whether some are still to come."""
        with self._lock:
            return bool(self._wanted or self._making or self._made)

    def take(self) -> list[Key]:
        """Those that were made, or found missing, since it was last asked."""
        with self._lock:
            made, self._made = self._made, []
            return made

    def close(self) -> None:
        """Ends the threads, once each has finished what it is at."""
        with self._lock:
            self._closed = True
            self._wanted.clear()
            self._kept.clear()
            self._lock.notify_all()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._wanted and not self._closed:
                    self._lock.wait()
                if self._closed:
                    return
                key = self._wanted.pop()
                self._making.add(key)
            preview = self._make(key)
            with self._lock:
                self._making.discard(key)
                self._keep(key, preview)
                self._made.append(key)
                first = len(self._made) == 1
            if first:
                self._ready()

    def _make(self, key: Key) -> Preview | None:
        try:
            data = self._load(key.hash)
            return self._encoder.preview(data, key) if data else None
        except Exception:  # a damaged preview or store: the grid shows that there is none
            return None

    def _keep(self, key: Key, preview: Preview | None) -> None:
        if preview is None:
            self._without[key] = time.monotonic()
            return
        self._without.pop(key, None)
        self._kept[key] = preview
        self._bytes += preview.cost
        while self._bytes > self._max_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.cost
