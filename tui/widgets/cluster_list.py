"""The list of clusters: any number of them, drawn line by line."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tui.reading import ClusterRow
from tui.widgets.ink import ink
from tui.widgets.line_list import LineList

CHANGED = "▲"
FROZEN = "◆"
TICKED = "✓"
CURSOR = "▸"
SORTS = ("size", "cohesion", "name")
JUMP_KEYS = "asdfghjklqwertyuiopzxcvbnm"


def arranged(rows: Iterable[ClusterRow], sort: str, text: str) -> list[ClusterRow]:
    """The rows whose name, tag or number holds `text`, in the order asked for; unclustered and trash last."""
    wanted = text.casefold().split()
    found = [row for row in rows if all(word in _searched(row) for word in wanted)]
    keys: dict[str, Callable[[ClusterRow], tuple[Any, ...]]] = {
        "size": lambda row: (-row.size, row.number),
        "cohesion": lambda row: (-(row.cohesion or 0.0), row.number),
        "name": lambda row: (not row.title, row.title.casefold(), row.number),
    }
    order = keys[sort]
    return sorted(found, key=lambda row: (not row.is_cluster, -row.number if not row.is_cluster else 0, order(row)))


def _searched(row: ClusterRow) -> str:
    return " ".join((row.title, *row.tags, str(row.number))).casefold()


class ClusterList(LineList[ClusterRow]):
    """Clusters one a line: tick, number, name, size, cohesion, flags. Ticks go by a cluster's number, as the cursor
    does, so that they stay with it whatever the rows become.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="list.down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="list.up"),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False, id="list.page-down"),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False, id="list.page-up"),
        Binding("home", "edge(0)", "First", show=False, id="list.first"),
        Binding("end,G", "edge(-1)", "Last", show=False, id="list.last"),
        Binding("space", "tick", "Tick", id="list.tick", tooltip="a cluster; pictures are marked (m)"),
        Binding("enter,l,right", "open", "Pictures", show=False, id="list.open"),
        Binding("f", "jump", "Jump", show=False, id="list.jump"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "cluster-list--cursor",
        "cluster-list--cursor-blurred",
        "cluster-list--ticked",
        "cluster-list--changed",
        "cluster-list--frozen",
        "cluster-list--muted",
        "cluster-list--jump",
    }
    DEFAULT_CSS = """
    ClusterList {
        & > .cluster-list--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
        }
        & > .cluster-list--cursor-blurred { background: $block-cursor-blurred-background; text-style: bold; }
        & > .cluster-list--ticked { color: $success; text-style: bold; }
        & > .cluster-list--changed { color: $warning; }
        & > .cluster-list--frozen { color: $primary; }
        & > .cluster-list--muted { color: $text-muted; }
        & > .cluster-list--jump { background: $warning; color: $block-cursor-foreground; text-style: bold; }
    }
    """

    class Ticked(Message):
        """The ticks have changed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ticks: set[int] = set()
        self._jumping = ""
        self._labels: dict[int, str] = {}
        self._widths = (1, 1)
        self._quiet_style = Style()

    # What is shown

    def show(self, rows: Sequence[ClusterRow]) -> None:
        """Shows these rows."""
        self._widths = (
            max((len(str(row.number)) for row in rows), default=1),
            max((len(f"{row.size:,}") for row in rows), default=1),
        )
        self._stop_jumping()
        self.put(rows)

    def key_of(self, row: ClusterRow) -> int:
        """The number of its cluster."""
        return row.number

    @property
    def name_column(self) -> int:
        """The column where names begin."""
        return self._widths[0] + 3

    def set_ticks(self, numbers: Iterable[int]) -> None:
        """Ticks these clusters and no others."""
        self.ticks = set(numbers)
        self.redraw()
        self.post_message(self.Ticked())

    # What the user does

    def action_tick(self) -> None:
        """Ticks the cluster under the cursor, or takes its tick away."""
        row = self.row
        if row is not None and row.is_cluster:
            self.ticks ^= {row.number}
            self.refresh_line(self.cursor)
            self.post_message(self.Ticked())

    def action_jump(self) -> None:
        """Puts a letter at every line in sight: the next key goes there."""
        first = self.scroll_offset.y
        lines = range(first, min(first + self.size.height, len(self.rows)))
        one_each = len(lines) <= len(JUMP_KEYS)
        self._labels = {
            at: JUMP_KEYS[n] if one_each else JUMP_KEYS[n // len(JUMP_KEYS)] + JUMP_KEYS[n % len(JUMP_KEYS)]
            for n, at in enumerate(lines)
        }
        self._jumping = ""
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        """While jumping, keys are letters of the labels; any other ends it."""
        if not self._labels:
            return
        event.stop()
        event.prevent_default()
        self._jumping += event.character or "\0"
        left = {at: label for at, label in self._labels.items() if label.startswith(self._jumping)}
        if not left or self._jumping in left.values():
            at = next(iter(left), None)
            self._stop_jumping()
            if at is not None:
                self.cursor = at

    def on_click(self, event: events.Click) -> None:
        """A click goes there, in the column of ticks it ticks, a second one opens."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        at = offset.y + self.scroll_offset.y
        if at >= len(self.rows):
            return
        self.cursor = at
        if offset.x < 2:
            self.action_tick()
        elif event.chain == 2:
            self.action_open()

    def on_blur(self) -> None:
        """Letters go elsewhere."""
        self._stop_jumping()

    def _stop_jumping(self) -> None:
        if self._labels:
            self._labels = {}
            self._jumping = ""
            self.redraw()

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines that are dirty. Styles are asked for once a frame: each question walks up the whole tree."""
        self._quiet_style = ink(self, "cluster-list--muted")
        return super().render_lines(crop)

    def segments(self, at: int, width: int) -> list[Segment]:
        """Tick, cursor or letter to jump by, number, name, size, cohesion where there is room, flags."""
        row = self.rows[at]
        base = self._base_style(at, row)

        def styled(name: str) -> Style:
            return base + self.get_component_rich_style(f"cluster-list--{name}", partial=True)

        quiet = base if at == self.cursor else base + self._quiet_style
        ticked = row.number in self.ticks
        left = [Segment(TICKED if ticked else " ", styled("ticked") if ticked else base)]
        label = self._labels.get(at, "")
        number = str(row.number) if row.is_cluster else ""
        if label:
            shown_label = label.ljust(self._widths[0] + 1)
            left.append(Segment(shown_label, styled("jump")))
        else:
            left.append(Segment(CURSOR if at == self.cursor else " ", base))
            left.append(Segment(number.rjust(self._widths[0]), quiet))
        left.append(Segment(" ", base))

        right = [Segment(" " + f"{row.size:,}".rjust(self._widths[1]), base)]
        if width >= 40:
            cohesion = "" if row.cohesion is None else f"{row.cohesion:.2f}"
            right.append(Segment(cohesion.rjust(5), quiet))
        right.append(Segment(" ", base))
        right.append(Segment(FROZEN if row.frozen else " ", styled("frozen") if row.frozen else base))
        right.append(Segment(CHANGED if row.changed else " ", styled("changed") if row.changed else base))

        room = width - sum(s.cell_length for s in left) - sum(s.cell_length for s in right)
        return [*left, Segment(fitted(row.title or "·", room), base if row.title else quiet), *right]

    def _base_style(self, at: int, row: ClusterRow) -> Style:
        style = self._plain_style
        if not row.is_cluster:
            style += self._quiet_style
        if at == self.cursor:
            name = "cursor" if self.has_focus else "cursor-blurred"
            style += self.get_component_rich_style(f"cluster-list--{name}", partial=True)
        return style


def plain(text: str) -> str:
    """Text from outside on one line of a screen: what does not print is left out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or unicodedata.category(c) == "Zs" else "�" for c in text)


def fitted(text: str, width: int) -> str:
    """Text in exactly so many cells; what is cut is marked by an ellipsis."""
    if width <= 0:
        return ""
    text = plain(text)
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)


def middle_cut(text: str, width: int) -> str:
    """Text in so many cells at most, cut in the middle: a file's name begins and ends tellingly."""
    text = plain(text)
    if cell_len(text) <= width:
        return text
    end = text[-((width - 1) // 2) :]
    return set_cell_size(text, max(width - 1 - cell_len(end), 0)) + "…" + end


def name_cut(name: str, width: int) -> str:
    """A file's name in so many cells at most: first its ending goes, then its middle, for names differ before that."""
    return name if cell_len(plain(name)) <= width else middle_cut(os.path.splitext(name)[0], width)
