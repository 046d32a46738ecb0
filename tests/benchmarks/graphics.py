"""What pictures cost: `python -m tests.benchmarks.graphics [FOLDER]`.

For each protocol: milliseconds and bytes of a cold screenful of 24 previews of 20x10 cells, bytes of a cursor move,
against the budgets; then the first draw of a grid of 100,000 items, and the memory of the process. Pictures are taken
from FOLDER, or drawn: busy ones, as photographs are.
"""

from __future__ import annotations

import asyncio
import io
import resource
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image, ImageFilter
from rich.color import ColorSystem
from textual._compositor import CompositorUpdate
from textual.app import App, ComposeResult

from core.imaging.thumbnails import make_thumbnail
from tui.graphics.previews import Encoder, Key
from tui.graphics.terminal import Graphics, Terminal
from tui.widgets.picture_grid import GridItem, PictureGrid

BUDGETS: dict[Graphics, int] = {"halfcell": 200_000, "kitty": 550_000, "sixel": 500_000}
CURSOR_BUDGET = 4_000
CELL = (13, 26)
SHOWN, COLUMNS, ITEMS = 24, 20, 100_000
SIZE = (6 * (COLUMNS + 2) + 1, 4 * 12)


class Items:
    """Items made when they are looked at."""

    def __len__(self) -> int:
        return ITEMS

    def __getitem__(self, position: int) -> GridItem:
        return GridItem(position, str(position).encode(), f"0.{position}")


class Screenful(App[None]):
    """A grid that fills the screen, and what it writes."""

    def __init__(self, graphics: Graphics, previews: list[bytes]) -> None:
        super().__init__()
        self.console._color_system = ColorSystem.TRUECOLOR
        self.previews = previews
        self.terminal = Terminal(graphics, CELL, truecolor=True)
        self.written: list[str] = []
        self.first = 0.0

    def compose(self) -> ComposeResult:
        yield PictureGrid(self.terminal, self.preview, columns=COLUMNS)

    def preview(self, key: bytes) -> bytes:
        return self.previews[int(key) % len(self.previews)]

    def on_mount(self) -> None:
        self.query_one(PictureGrid).focus()

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate):
            self.written.append(renderable.render_segments(self.console))

    def written_bytes(self) -> int:
        """Bytes since it was last asked."""
        count = len("".join(self.written).encode())
        self.written.clear()
        return count


def pictures(folder: str | None) -> list[bytes]:
    """A screenful of stored previews."""
    if folder is None:
        noise = Image.effect_noise((512, 512), 120)
        tinted = Image.merge("RGB", [noise.rotate(90 * i) for i in range(3)]).filter(ImageFilter.GaussianBlur(6))
        return [make_thumbnail(tinted.rotate(15 * i).crop((64, 64, 448, 448 - 8 * i))) for i in range(SHOWN)]
    paths = sorted(Path(folder).rglob("*.jpg"))
    chosen = paths[:: max(1, len(paths) // SHOWN)][:SHOWN]
    return [make_thumbnail(Image.open(io.BytesIO(path.read_bytes())).convert("RGB")) for path in chosen]


async def measure(graphics: Graphics, previews: list[bytes]) -> None:
    """Prints the figures of one protocol."""
    encoder = Encoder(Terminal(graphics, CELL))
    encoder.preview(previews[0], Key(b"", (COLUMNS, 10), CELL))  # imports
    started = time.perf_counter()
    for data in previews:
        encoder.preview(data, Key(b"", (COLUMNS, 10), CELL))
    each = (time.perf_counter() - started) * 1000 / len(previews)
    app = Screenful(graphics, previews)
    async with app.run_test(size=SIZE) as pilot:
        grid = app.query_one(PictureGrid)
        await pilot.pause(0.3)
        app.written_bytes()
        started = time.perf_counter()
        grid.set_items(Items())
        while not app.written:
            await asyncio.sleep(0)
        first = (time.perf_counter() - started) * 1000
        while not all(grid._ready(grid._key(Items()[position])) for position in grid.visible_positions):
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - started
        while grid._previews.busy or grid._timer is not None:  # the page after it
            await asyncio.sleep(0.01)
        await pilot.pause(0.1)
        cold = app.written_bytes()
        seen, moves, times = len(grid.visible_positions), [], []
        for key in "lljhlj":
            started = time.perf_counter()
            await pilot.press(key)
            times.append((time.perf_counter() - started) * 1000)
            await pilot.pause(0.05)
            moves.append(app.written_bytes())
    budget = BUDGETS[graphics]
    print(f"{graphics:9} {each:5.1f} ms a preview   first draw of {ITEMS:,}: {first:.0f} ms")
    share = f"{cold / 1000:.0f} KB of {budget / 1000:.0f} ({cold / budget:.0%})"
    print(f"          cold, {seen} previews: {share}, {seconds:.2f} s")
    print(f"          cursor move: {max(moves)} bytes of {CURSOR_BUDGET} ({max(moves) / CURSOR_BUDGET:.0%})")


def main() -> None:
    """Prints all figures."""
    previews = pictures(sys.argv[1] if len(sys.argv) > 1 else None)
    for graphics in BUDGETS:
        asyncio.run(measure(graphics, previews))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "darwin" else 1024)
    print(f"memory at the peak, all three: {peak:.0f} MB of 250 ({peak / 250:.0%})")


if __name__ == "__main__":
    main()
