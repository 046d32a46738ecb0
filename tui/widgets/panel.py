"""A frame around widgets that fill it."""

from __future__ import annotations

from typing import Self

from textual.containers import Vertical
from textual.geometry import Region


class Panel(Vertical):
    """When its frame takes another colour, or another title, only the frame is drawn again.

    A plain container would draw all that is inside: each tab from pane to pane would send every picture once more.
    """

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draws `regions` again; without any, the frame."""
        if repaint and not (regions or layout or recompose):
            regions = self._frame()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _frame(self) -> tuple[Region, ...]:
        """Border and padding, from where the content begins."""
        top, right, bottom, left = self.gutter
        width, height = self.outer_size
        whole = Region(-left, -top, width, height)
        return (
            Region(whole.x, whole.y, width, top),
            Region(whole.x, whole.bottom - bottom, width, bottom),
            Region(whole.x, whole.y, left, height),
            Region(whole.right - right, whole.y, right, height),
        )
