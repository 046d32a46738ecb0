"""What lists and grids share that are drawn line by line, with a cursor: little is drawn again when the focus moves."""

from __future__ import annotations

from typing import Self

from textual.geometry import Region
from textual.scroll_view import ScrollView


class CursorView(ScrollView, can_focus=True):
    """With the focus only the cursor takes another look, which subclasses draw by `has_focus`.

    Textual would style the widget anew, with all that is in it, and draw every line and every picture once more.
    """

    def cursor_regions(self) -> tuple[Region, ...]:
        """Where the cursor is drawn, from the first line that is seen; none where it is out of sight."""
        raise NotImplementedError

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draws `regions` again. Without any, as Textual asks when the focus comes or goes, the cursor.

        Out of sight it has no size to tell lines by: nothing that was drawn before is shown again.
        """
        if not self.size:
            return super().refresh(repaint=repaint, layout=layout, recompose=recompose)
        if repaint and not (regions or layout or recompose):
            regions = self.cursor_regions() or (Region(0, 0, 1, 1),)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def redraw(self) -> None:
        """Draws all that is seen again."""
        self.refresh(self.size.region)

    def on_mount(self) -> None:
        """Follows the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.redraw())

    def watch_has_focus(self, _has_focus: bool) -> None:
        """No style of these depends on it."""
