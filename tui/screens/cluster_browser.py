"""Looking at clusters: the list on the left, the pictures of the one under the cursor on the right.

What is read anew never moves what the user looks at: cursor, scroll, ticks and marks go by cluster and by picture.
"""

from __future__ import annotations

from array import array
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import DescendantFocus
from textual.timer import Timer
from textual.widgets import Input, Static

from tui import reading
from tui.figures import count
from tui.pictures import Pictures, described
from tui.reading import ClusterRow, Overview, Picture
from tui.screens.cluster_reader import ClusterReader
from tui.widgets.cluster_list import CHANGED, FROZEN, SORTS, ClusterList, arranged, name_cut, plain
from tui.widgets.panel import Panel
from tui.widgets.picture_grid import PictureGrid

SETTLE_SECONDS = 0.08
"""How long the cursor stays before the pictures are read: it is painted first, and what it passes costs nothing."""
STATE = "clusters"


class ClusterBrowser(ClusterReader):
    """Browses. What changes anything is in `ClusterEditor` and `ClustersScreen`."""

    STAGE = "clusters"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,shift+tab", "swap", "Pane", id="clusters.pane"),
        Binding("z", "zoom", "Zoom", id="clusters.zoom"),
        Binding("slash", "filter", "Filter", id="clusters.filter", tooltip="by name, tag or number"),
        Binding("o", "sort", "Order", show=False, id="clusters.sort", tooltip="by size, cohesion, name"),
        Binding("right_square_bracket", "cluster(1)", "Next cluster", show=False, id="clusters.next"),
        Binding("left_square_bracket", "cluster(-1)", "Cluster before", show=False, id="clusters.before"),
        Binding("escape", "back", "Back", show=False, id="clusters.back", tooltip="out of the filter or the pictures"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view: Overview | None = None
        self.marks: set[int] = set()
        self.sort = SORTS[0]
        self.shown: int | None = None
        """The cluster whose pictures are in the grid."""
        self._settling: Timer | None = None
        self._remembered: dict[str, Any] = {}

    # The widgets

    def compose_body(self) -> ComposeResult:
        """The line on top, the list, the pictures."""
        yield Static("reading the clusters …", id="summary", markup=False)
        with Horizontal(id="body"):
            with Panel(id="side", classes="panel") as side:
                side.border_subtitle = "pictures · cohesion"
                yield ClusterList(id="list")
                yield Input(placeholder="name, tag or number", compact=True, id="filter")
                yield Input(compact=True, id="rename")
            with Panel(id="main", classes="panel"):
                yield Static("", id="heading", markup=False)
                yield PictureGrid(self.shoebox.terminal, self.shoebox.thumbnail, id="grid")
                yield Static("", id="facts", markup=False)
            yield Static("", id="empty", markup=False)

    @property
    def cluster_list(self) -> ClusterList:
        """The list of clusters."""
        return self.query_one("#list", ClusterList)

    @property
    def grid(self) -> PictureGrid:
        """The pictures."""
        return self.query_one("#grid", PictureGrid)

    @property
    def row(self) -> ClusterRow | None:
        """The cluster under the cursor."""
        return self.cluster_list.row

    def on_mount(self) -> None:
        """As it was left."""
        left = self.shoebox.state.get(STATE)
        self._remembered = left if isinstance(left, dict) else {}
        self.sort = next((sort for sort in SORTS if sort == self._remembered.get("sort")), SORTS[0])
        text = self._remembered.get("filter")
        self._filter.value = text if isinstance(text, str) else ""
        self._show_filter()
        self.cluster_list.focus()

    # Reading

    def refresh_from_catalog(self) -> None:
        """Reads the clusters, and the pictures of the one that is shown."""
        self._read_overview()

    # Showing

    def _take_overview(self, view: Overview | None) -> None:
        first = self.view is None
        if view == self.view and not first:
            self._want_pictures()  # the same clusters; a picture may have taken another's place
            self.say_summary()  # there may be new ones
            return
        self.view = view
        self.set_class(view is None, "-empty")
        if view is None:
            self._show_empty()
            return
        known = {row.number for row in view.rows if row.is_cluster}
        if first:
            self._restore(known)
        elif not self.cluster_list.ticks <= known:
            self.cluster_list.set_ticks(self.cluster_list.ticks & known)
        self.show_clusters()
        if first:
            self._restore_cursor()
            self._say_facts()
        self._want_pictures()
        self.refresh_bindings()

    def show_clusters(self) -> None:
        """Shows the clusters that the filter lets through, in the order chosen."""
        if self.view is not None:
            self.cluster_list.show(arranged(self.view.rows, self.sort, self._filter.value))
            self._say_order()
            self.say_summary()
            self._say_heading()

    def _want_pictures(self) -> None:
        row = self.row
        if row is None or self.view is None:
            self.shown = self.pictures = None
            self.grid.set_items([])
            self._say_facts()
        else:
            self._read_pictures(self.view.clustering.id, row.number, self._kept(row.number))

    def _kept(self, number: int) -> tuple[int, int]:
        """The picture under the cursor, if it is of this cluster, and its place; 0 for no picture."""
        if self.pictures is None or self.shown != number:
            first = self.pictures is None and self._remembered.get("cluster") == number
            at = self._remembered.get("picture") if first else 0
            return 0, max(0, at) if isinstance(at, int) else 0
        at = self.grid.cursor
        return (self.pictures.ids[at] if at < len(self.pictures) else 0), at

    def _take_pictures(
        self, clustering: int, number: int, ids: array[int], at: int, pages: dict[int, dict[int, Picture]]
    ) -> None:
        row = self.row
        if row is None or row.number != number or self.view is None or self.view.clustering.id != clustering:
            return  # the cursor is elsewhere by now
        same_cluster = self.shown == number
        if same_cluster and self.pictures is not None and self.pictures.like(ids, row.representative):
            return
        pictures = Pictures(
            ids,
            wanted=lambda page: self._read_page(pictures, page, clustering),
            marked=self.marks,
            representative=row.representative,
            dimmed=number == reading.TRASH,
        )
        for page, found in pages.items():
            pictures.put(page, found)
        self.pictures, self.shown = pictures, number
        self.grid.set_items(pictures, keep_cursor=same_cluster)
        self.grid.cursor = at
        self._say_facts()

    def _take_page(self, pictures: Pictures, page: int, found: dict[int, Picture]) -> None:
        filled = pictures.put(page, found)
        if pictures is self.pictures:
            self.grid.refresh_items(filled)
            if self.grid.cursor in filled:
                self._say_facts()

    # What is said around them

    def say_summary(self) -> None:
        """The line on top: how it was clustered, how good that is, what is ticked and marked."""
        if self.view is None:
            return
        run = self.view.clustering
        clusters = sum(row.is_cluster for row in self.view.rows)
        left = [run.method, f"k {clusters}", f"uniqueness {run.settings.get('uniqueness', 0.15):g}"]
        right = [f"{new:,} new: c groups them"] if (new := self._new_pictures()) else []
        right += [] if run.silhouette is None else [f"silhouette {run.silhouette:z.2f}"]
        if self.cluster_list.ticks:
            right.append(f"{len(self.cluster_list.ticks):,} ticked")
        if self.marks:
            right.append(f"{len(self.marks):,} marked")
        line = self.query_one("#summary", Static)
        text = Text.assemble((" · ".join(left), ""), overflow="ellipsis", no_wrap=True)
        end = " · ".join(right)
        text.pad_right(max(2, line.size.width - text.cell_len - len(end)))
        line.update(text.append(end), layout=False)

    def _new_pictures(self) -> int:
        """How many are embedded and not in the clusters: they came after these were made."""
        assert self.view is not None
        # With the trash on both sides: facts and clusters are not read at the same moment.
        return max(0, self.facts.embedded + self.facts.trashed - sum(row.size for row in self.view.rows))

    def _say_order(self) -> None:
        side, title = self.query_one("#side"), f"by {self.sort}"
        if side.border_title != title:  # setting it draws all of the side again
            side.border_title = title

    def _say_heading(self) -> None:
        row, heading = self.row, self.query_one("#heading", Static)
        if row is None:
            heading.update("no cluster has that name" if self._filter.value else "", layout=False)
            return
        parts = [count(row.size, "picture")]
        if row.cohesion is not None:
            parts.append(f"cohesion {row.cohesion:.2f}")
        parts += [f"changed {CHANGED}"] if row.changed else []
        parts += [f"frozen {FROZEN}"] if row.frozen else []
        parts += [f"#{plain(tag)}" for tag in row.tags]
        parts += ["x restores"] if row.number == reading.TRASH else []
        title = f"{row.number}  {plain(row.title)}".rstrip() if row.is_cluster else row.title
        heading.update(Text.assemble((title, "bold"), "   ", (" · ".join(parts), "dim")), layout=False)

    def _say_facts(self) -> None:
        line = self.query_one("#facts", Static)
        at, pictures = self.grid.cursor, self.pictures
        if pictures is None or not 0 <= at < len(pictures):
            waiting = pictures is None and self.row is not None
            line.update("reading the pictures …" if waiting else "", layout=False)
            return
        picture = pictures.picture(at)
        text = Text(f"{at + 1:,}/{len(pictures):,}  ", style="dim", overflow="ellipsis", no_wrap=True)
        if picture is not None:
            score = "" if picture.score is None else f" · similarity {picture.score:z.2f}"
            facts = f" · {described(picture)}{score}"
            room = max(16, line.size.width - text.cell_len - len(facts))
            text.append(name_cut(picture.name, room), style="not dim").append(facts)
        line.update(text, layout=False)

    def _show_empty(self) -> None:
        embedded = self.facts.embedded
        if any(job.kind in ("run", "cluster") for job in self.shoebox.unfinished):
            words = "They come at the end of what runs now: g 2 shows it."
        elif embedded:
            words = f"{count(embedded, 'picture')} embedded: c groups them"
        else:
            words = "nothing is embedded: g 1, g 2"
        self.query_one("#summary", Static).update("", layout=False)
        self.query_one("#empty", Static).update(f"There are no clusters yet.\n\n{words}")

    # What is remembered

    def remember(self) -> None:
        """Keeps what the next start of the app restores."""
        row = self.row
        if self.view is not None:
            self.shoebox.state[STATE] = {
                "cluster": None if row is None else row.number,
                "line": 0 if row is None else self.cluster_list.cursor - self.cluster_list.scroll_offset.y,
                "picture": self.grid.cursor,
                "filter": self._filter.value,
                "sort": self.sort,
                "ticks": sorted(self.cluster_list.ticks),
            }

    def _restore(self, known: set[int]) -> None:
        ticks = self._remembered.get("ticks")
        self.cluster_list.set_ticks(known.intersection(ticks) if isinstance(ticks, list) else ())

    def _restore_cursor(self) -> None:
        number, line = self._remembered.get("cluster"), self._remembered.get("line")
        if isinstance(number, int) and self.cluster_list.go_to(number) and isinstance(line, int):
            self.cluster_list.scroll_to(y=max(0, self.cluster_list.cursor - line), animate=False, force=True)

    # What the user does

    @on(ClusterList.Moved)
    def _cluster_moved(self) -> None:
        self._say_heading()
        self.remember()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE_SECONDS, self._want_pictures)

    @on(ClusterList.Ticked)
    def _ticked(self) -> None:
        self.say_summary()
        self.remember()

    @on(ClusterList.Opened)
    def _list_opened(self) -> None:
        self.grid.focus()

    @on(PictureGrid.CursorMoved)
    def _picture_moved(self) -> None:
        self._say_facts()
        self.remember()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self.show_clusters()
        self.remember()

    @on(Input.Submitted, "#filter")
    def _filter_submitted(self) -> None:
        self._show_filter()
        self.cluster_list.focus()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """The list may give way to the pictures."""
        self._make_room()

    def on_resize(self) -> None:
        """The line on top is as long as the screen, and where there is room the list has a column more."""
        self.query_one("#side").border_subtitle = "pictures · cohesion" if self.size.width >= 100 else "pictures"
        self._make_room()
        self.say_summary()

    def _make_room(self) -> None:
        """Where there is no room for both, the list gives way to the pictures while these are walked through.

        Only there: a class of the screen's styles all of it again, and paints it.
        """
        self.set_class(self.has_class("-narrow") and self.grid.has_focus, "-in-pictures")

    def action_swap(self) -> None:
        """From the list to the pictures, and back."""
        (self.cluster_list if self.grid.has_focus else self.grid).focus()

    def action_cluster(self, by: int) -> None:
        """Another cluster, from wherever the focus is."""
        self.cluster_list.action_move(by)

    def action_back(self) -> None:
        """Out of the pictures; else out of the filter."""
        if not self.grid.has_focus and self._filter.value:
            self._filter.value = ""
        self._show_filter()
        self.cluster_list.focus()

    def action_filter(self) -> None:
        """A line to type in: the list narrows as one types."""
        self._filter.display = True
        self._filter.focus()

    def action_sort(self) -> None:
        """The next order."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self.show_clusters()
        self.remember()

    def redraw_marks(self) -> None:
        """Draws the pictures again as they are marked now."""
        if self.pictures:
            self.grid.refresh_items(self.grid.visible_positions)
        self.say_summary()
        self.refresh_bindings()  # there may be something now that they are about

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter", Input)

    def _show_filter(self) -> None:
        self._filter.display = bool(self._filter.value)
