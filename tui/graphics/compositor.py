"""A compositor that makes of a partial frame only what is seen of it.

Textual renders every widget that lies within the bounds of all changes, and cuts every line of each into pieces,
those that nobody sees too: a pane's frame is as large as the pane, so its change cost as much as everything in it.
"""

from __future__ import annotations

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class SparingCompositor(Compositor):
    """Textual's, but for partial frames."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """What has changed since the last frame; None where nothing has."""
        regions, self._dirty_regions = self._dirty_regions, set()
        if not regions:
            return None
        spans = list(self._regions_to_spans(regions))
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(line[:-1]) for line in cuts]
        chop_ends = [line[1:] for line in cuts]
        unpainted: dict[int, dict[int, int]] = {}
        for y, start, stop in spans:
            if 0 <= y < len(cuts):
                pieces = zip(cuts[y], chop_ends[y], strict=False)
                unpainted.setdefault(y, {}).update((x, end) for x, end in pieces if x < stop and end > start)
        for widget, (region, clip) in self.visible_widgets.items():  # the foremost first: what is behind it is not seen
            seen = region.intersection(clip)
            lines = [y for y in seen.line_range if any(seen.x <= x < seen.right for x in unpainted.get(y, ()))]
            if not lines:
                continue
            first, last = lines[0], lines[-1]
            strips = widget.render_lines(Region(seen.x - region.x, first - region.y, seen.width, last - first + 1))
            for y in lines:
                strip = strips[y - first]
                for x, end in list(unpainted[y].items()):
                    if seen.x <= x and end <= seen.right and end - seen.x <= strip.cell_length:
                        chops[y][x] = strip.crop(x - seen.x, end - seen.x)
                        del unpainted[y][x]
        return ChopsUpdate(chops, spans, chop_ends)
