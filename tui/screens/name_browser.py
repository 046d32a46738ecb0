"""Looking at names: every cluster with its pictures, in an order that only the user changes.

What lands from a job changes the words of a row, never its place: not the cursor, the view, or an edit in progress.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from core.catalog import names
from core.errors import ShoeboxError
from tui.figures import count, dollars
from tui.naming import SORT_WORDS, SORTS, NameRow, NamesView, in_order, matching, names_view
from tui.screens.editing import EditingScreen
from tui.widgets.name_line import NameLine
from tui.widgets.name_list import NameList

STATE = "names"


class NameBrowser(EditingScreen):
    """Browses names. What changes any is in `NameEditor` and `NamesScreen`."""

    STAGE = "names"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", show=False, id="names.back", tooltip="out of the edit or the filter"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view: NamesView | None = None
        self.sort = SORTS[0]
        self._left = False
        self._order: list[int] = []
        """The clusters that are shown."""
        self._remembered: dict[str, Any] = {}

    def compose_body(self) -> ComposeResult:
        """The line on top, the list, and what lies over and under it."""
        yield Static("", id="summary", markup=False)
        with Vertical(id="body"):
            yield NameList(self.shoebox.terminal, self.shoebox.thumbnail, id="names")
            yield Input(placeholder="name, number, state, unnamed, twin, changed", compact=True, id="filter")
            yield Static("", id="hint", markup=False)
            yield NameLine(compact=True, id="typed")
            yield Static("", id="empty", markup=False)

    @property
    def name_list(self) -> NameList:
        """The list of names."""
        return self.query_one("#names", NameList)

    @property
    def row(self) -> NameRow | None:
        """The cluster under the cursor."""
        return self.name_list.row

    def on_mount(self) -> None:
        """As it was left."""
        left = self.shoebox.state.get(STATE)
        self._remembered = left if isinstance(left, dict) else {}
        self.sort = next((sort for sort in SORTS if sort == self._remembered.get("sort")), SORTS[0])
        self._filter.display = False
        self.name_list.focus()

    # Reading

    def refresh_from_catalog(self) -> None:
        """Reads the names."""
        self._read_names()

    @work(thread=True, exclusive=True, group="names", exit_on_error=False)
    def _read_names(self) -> None:
        project, worker = self.shoebox.project, get_current_worker()
        if project is None:
            return
        try:
            with project.database() as db:
                view = names_view(db)
        except ShoeboxError as error:
            self.app.call_from_thread(self.shoebox.report, error)
            return
        if not worker.is_cancelled and self.is_attached:
            self.app.call_from_thread(self.take_view, view)

    # Showing

    def take_view(self, view: NamesView | None) -> None:
        """Shows names that were read. Of the same run each cluster keeps its place."""
        before, self.view = self.view, view
        empty = view is None or not view.rows
        self.set_class(empty, "-empty")
        if view is None or empty:
            self._show_empty()
            return
        there = {row.number for row in view.rows}
        self.name_list.ticks &= there
        if before is None or before.clustering != view.clustering or {row.number for row in before.rows} != there:
            self._arrange()
        self._show_rows()
        if before is None:
            self._restore_cursor()
        self.refresh_bindings()

    def _arrange(self) -> None:
        """Puts the clusters in order as they are now."""
        if self.view is not None:
            self._order = [row.number for row in in_order(matching(self.view.rows, self._filter.value), self.sort)]

    def _show_rows(self) -> None:
        if self.view is not None:
            rows = {row.number: row for row in self.view.rows}
            self.name_list.show([rows[number] for number in self._order if number in rows])
            self.say_summary()
            self._say_hint()

    def on_screen_suspend(self) -> None:
        """A window over the list leaves the order as it is, another screen does not."""
        self._left = self.shoebox.stage != self.STAGE

    def on_screen_resume(self) -> None:
        """Coming back from another screen, the order is that of the names as they are now."""
        super().on_screen_resume()
        if self.view is not None and self._left:
            self._left = False
            self._arrange()
            self._show_rows()

    # What is said around the list

    def spent(self) -> str:
        """What language models were asked, and what that cost."""
        if self.view is None or not self.view.calls:
            return ""
        return f"{count(self.view.calls, 'call')} · {dollars(self.view.cost)}"

    def say_summary(self) -> None:
        """The line on top: who named, how many, what it took, how good it is."""
        if self.view is None:
            return
        whole = names.overall([row.cluster for row in self.view.rows])
        left = [self.view.namer or "nobody asked yet", f"{whole.named:,} of {whole.clusters:,} named", self.spent()]
        right = [SORT_WORDS[self.sort]]
        right += [f"⚠ {whole.twins:,} twins"] if whole.twins else []
        right += [f"{len(self.name_list.ticks):,} ticked"] if self.name_list.ticks else []
        right += [] if whole.quality is None else [f"mean quality {whole.quality:.2f}"]
        line = self.query_one("#summary", Static)
        text = Text(" · ".join(part for part in left if part), overflow="ellipsis", no_wrap=True)
        while len(right) > 1 and text.cell_len + len(" · ".join(right)) + 2 > line.size.width:
            right.pop(0)  # the least of them
        end = " · ".join(right)
        room = line.size.width - len(end) - 2
        text.truncate(max(room, 0), overflow="ellipsis", pad=True)
        line.update(text.append(f"  {end}"), layout=False)

    def _say_hint(self) -> None:
        hint = self.query_one("#hint", Static)
        words = "" if self.view is None or any(row.cluster.name for row in self.view.rows) else self.how_to_begin()
        words = words if self.name_list.rows else "nothing matches the filter: esc shows all"
        hint.display = bool(words)
        hint.update(Text(words))

    def how_to_begin(self) -> str:
        """What is said while nothing has a name."""
        return "enter types a name"

    def _show_empty(self) -> None:
        self.query_one("#empty", Static).update("There are no clusters to name yet.\n\ng 3, then c groups the pictures")

    def on_resize(self) -> None:
        """The line on top is as long as the screen."""
        self.say_summary()

    # What is remembered

    def remember(self, **more: Any) -> None:
        """Keeps what the next start of the app restores."""
        row = self.row
        if self.view is not None:
            self._remembered |= {"cluster": None if row is None else row.number, "sort": self.sort, **more}
            self.shoebox.state[STATE] = dict(self._remembered)

    def remembered(self, name: str, default: Any) -> Any:
        """What was kept, if it is of the same type as `default`."""
        value = self._remembered.get(name)
        return value if isinstance(value, type(default)) else default

    def _restore_cursor(self) -> None:
        at = self.name_list.line_of(self.remembered("cluster", 0))
        if at is not None:
            self.name_list.cursor = at

    # What the user does

    @on(NameList.Moved)
    def _moved(self) -> None:
        self.refresh_bindings()
        self.remember()

    @on(NameList.Ticked)
    def _ticked(self) -> None:
        self.say_summary()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._arrange()
        self._show_rows()

    @on(Input.Submitted, "#filter")
    def _filter_submitted(self) -> None:
        self._filter.display = bool(self._filter.value)
        self.name_list.focus()

    def action_filter(self) -> None:
        """A line to type in: the list narrows as one types."""
        self._filter.display = True
        self._filter.focus()

    def action_back(self) -> None:
        """Out of the filter."""
        self._filter.value = ""
        self._filter.display = False
        self.name_list.focus()

    def action_sort(self) -> None:
        """The next order."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self._arrange()
        self._show_rows()
        self.remember()

    @property
    def _filter(self) -> Input:
        return self.query_one("#filter", Input)
