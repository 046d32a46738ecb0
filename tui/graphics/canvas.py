"""Draws pictures along with Textual's frames: what must be sent before the text, and what lies over it.

textual-image gives each picture a widget that writes when it likes: text beside it vanishes, and pictures
under dialogs are lost. Here everything is part of the frame: one write, inside synchronized output, after which
Textual puts the cursor back. A picture over text is drawn again exactly when text was painted where it stands.
For that the frame's damage must be exact: Textual paints from the left edge of a widget to the right end of what
changed, which would send all pictures left of a change again. In regions of ours we begin where the change begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region

from tui.graphics.terminal import Size, cell_by_system

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from textual.app import App
    from textual.driver import Driver
    from textual.screen import Screen
    from textual.widget import Widget

_ATTRIBUTE = "_shoebox_canvas"

Span = tuple[int, int, int]
"""A line, the first column and the one after the last."""


class Layer(Protocol):
    """A widget that draws pictures."""

    def unsent(self) -> str:
        """What the terminal must be told before the next frame."""

    def pictures(self) -> Iterable[tuple[Region, str]]:
        """The pictures that lie over text: where on the screen, and the sequence that draws each there."""

    def free(self) -> str:
        """What frees everything that the terminal holds."""

    @property
    def widget(self) -> Widget:
        """Where it draws."""


class Canvas:
    """What an app's frames pass through. There is one an app: `canvas_of`."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._layers: list[Layer] = []
        self._driver: Driver | None = None
        self._display_text = app._display
        app._display = self._display  # type: ignore[method-assign]

    def add(self, layer: Layer) -> None:
        """Draws a layer's pictures from now on."""
        if layer not in self._layers:
            self._layers.append(layer)
        self._release_before_leaving()

    def remove(self, layer: Layer) -> None:
        """Draws them no longer, and frees what the terminal holds of them."""
        if layer in self._layers:
            self._layers.remove(layer)
        self.write(layer.free())

    def release(self) -> None:
        """Frees everything that the terminal holds."""
        self.write("".join(layer.free() for layer in self._layers))

    def _release_before_leaving(self) -> None:
        """Kitty keeps pictures a screen: they must be freed before the driver leaves the alternate one."""
        driver = self._app._driver
        if driver is None or driver is self._driver:
            return
        self._driver = driver
        leave = driver.stop_application_mode

        def release_and_leave() -> None:
            self.release()
            leave()

        driver.stop_application_mode = release_and_leave  # type: ignore[method-assign]

    def write(self, sequences: str) -> None:
        """Writes what changes nothing on the screen."""
        driver = self._app._driver
        if sequences and driver is not None and not self._app.is_headless:
            driver.write(sequences)
            driver.flush()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, LayoutUpdate | ChopsUpdate):
            layers = [layer for layer in self._layers if layer.widget.screen is screen]
            everywhere = list(self._layers)
            frame: Any = Frame(renderable, screen, layers, everywhere)
            self._display_text(screen, frame)
        else:
            self._display_text(screen, renderable)


class Frame(CompositorUpdate):
    """A frame of Textual's with the pictures of the layers on its screen."""

    def __init__(
        self, text: LayoutUpdate | ChopsUpdate, screen: Screen[Any], layers: list[Layer], senders: list[Layer]
    ) -> None:
        self._text = text
        self._screen = screen
        self._layers = layers
        self._senders = senders

    def render_segments(self, console: Console) -> str:
        """The whole frame: what pictures need, the text, the pictures."""
        unsent = "".join(layer.unsent() for layer in self._senders)
        if isinstance(self._text, LayoutUpdate):
            region = self._text.region
            painted = [(y, region.x, region.right) for y in region.line_range]
            text = self._text.render_segments(console)
        else:
            regions = [layer.widget.region for layer in self._layers]
            text, painted = _paint(self._text, regions, console)
        return unsent + text + "".join(self._pictures(painted))

    def _pictures(self, painted: list[Span]) -> Iterable[str]:
        lines: dict[int, list[Span]] = {}
        for span in painted:
            lines.setdefault(span[0], []).append(span)
        for layer in self._layers:
            above = _above(self._screen, layer.widget)
            for region, sequence in layer.pictures():
                if _touches(lines, region) and not any(region.overlaps(other) for other in above):
                    yield f"\x1b[{region.y + 1};{region.x + 1}H{sequence}"


def canvas_of(app: App[Any]) -> Canvas:
    """The canvas of an app, put in place when it is first asked for."""
    canvas: Canvas | None = getattr(app, _ATTRIBUTE, None)
    if canvas is None:
        canvas = Canvas(app)
        setattr(app, _ATTRIBUTE, canvas)
    return canvas


def live_cell(app: App[Any]) -> Size | None:
    """A cell's size in pixels now, if the system knows: it changes with the font."""
    return None if app.is_headless else cell_by_system(2)


def _paint(update: ChopsUpdate, regions: list[Region], console: Console) -> tuple[str, list[Span]]:
    """A partial frame as text, and what it paints over: each change as Textual does it, or exactly in `regions`."""
    parts: list[str] = []
    painted: list[Span] = []
    for y, start, stop in update.spans:
        for right, (left, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or left > stop or right <= start:
                continue
            exact = any(region.contains(left, y) for region in regions)
            first, last = (max(left, start) if exact else left), min(right, stop)
            if first >= last:
                continue
            if (first, last) != (left, right):
                strip = strip.crop(first - left, last - left)  # noqa: PLW2901
            parts.append(Control.move_to(first, y).segment.text)
            parts.append(strip.render(console))
            painted.append((y, first, last))
    return "".join(parts), painted


def _touches(lines: dict[int, list[Span]], region: Region) -> bool:
    return any(
        start < region.right and stop > region.x for y in region.line_range for _, start, stop in lines.get(y, ())
    )


def _above(screen: Screen[Any], widget: Widget) -> list[Region]:
    """Where widgets lie over this one: Textual lists the visible ones from the front to the back."""
    regions: list[Region] = []
    for other, (region, clip) in screen._compositor.visible_widgets.items():
        if other is widget:
            break
        regions.append(region.intersection(clip))
    return regions
