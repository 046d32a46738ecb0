"""Putting clusters right by hand: marks, moves, names, trash, undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.events import DescendantBlur
from textual.timer import Timer
from textual.widgets import Input

from core.catalog import curation
from core.catalog.paths import shown
from core.errors import UsageError
from core.jobs.picked import pack, unpack
from tui import reading
from tui.figures import count
from tui.reading import ClusterRow
from tui.screens.cluster_browser import ClusterBrowser
from tui.screens.editing import EditingScreen
from tui.widgets.picture_grid import PictureGrid

if TYPE_CHECKING:
    from core.catalog.database import Database
    from tui.screens.move import Destination


MARKS = "marks"
"""Where they are kept in the state."""
KEEP_SECONDS = 1.0


class ClusterEditor(ClusterBrowser, EditingScreen):
    """Browses clusters, and edits them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Mark", id="clusters.mark", tooltip="a picture; clusters are ticked (space)"),
        Binding("asterisk", "mark_all", "Mark all", show=False, id="clusters.mark-all", tooltip="all of the cluster"),
        Binding("M", "move", "Move to", id="clusters.move", tooltip="the marked pictures, or the one under the cursor"),
        Binding("x", "trash", "Trash", id="clusters.trash", tooltip="in the trash: restore"),
        Binding("T", "show_trash", "Go to the trash", show=False, id="clusters.show-trash"),
        Binding("e", "rename", "Rename", id="clusters.rename"),
        Binding("u", "undo", "Undo", id="clusters.undo"),
        Binding("ctrl+r,U", "redo", "Redo", show=False, id="clusters.redo"),
        Binding("J", "merge", "Merge", show=False, id="clusters.merge", tooltip="the ticked ones into this one"),
        Binding("F", "freeze", "Freeze", show=False, id="clusters.freeze", tooltip="a new run leaves it as it is"),
        Binding("t", "tags", "Tags", show=False, id="clusters.tags"),
        Binding("v", "seen", "Seen", show=False, id="clusters.seen", tooltip="takes the flag of a change away"),
        Binding("y", "copy", "Copy path", show=False, id="clusters.copy"),
        Binding("L", "like", "More like it", show=False, id="clusters.like", tooltip="search by this picture"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._state = self.shoebox.state  # of this project: the app may have turned to another when this one leaves
        self._keeping: Timer | None = None
        self._renaming: int | None = None

    def on_mount(self) -> None:
        """With the marks that were left."""
        left = self._state.get(MARKS)
        if isinstance(left, str):
            self._read_marks(left)

    def on_unmount(self) -> None:
        """Marks that are not kept yet are kept."""
        if self._keeping is not None:
            self._keep_marks()
            self._state.save()

    def cluster_row(self) -> ClusterRow | None:
        """The cluster under the cursor, unless that is the unclustered or the trash."""
        return self.row if self.row is not None and self.row.is_cluster else None

    # Marks

    def chosen(self) -> list[int]:
        """The pictures that an action is about: the marked ones, or the one under the cursor of the grid."""
        if self.marks:
            return sorted(self.marks)
        if self.grid.has_focus and self.pictures and 0 <= self.grid.cursor < len(self.pictures):
            return [self.pictures.ids[self.grid.cursor]]
        self.notify("mark pictures first: tab to them, then m", severity="warning", timeout=4)
        return []

    def action_mark(self) -> None:
        """Marks the picture under the cursor, or takes its mark away."""
        if self.pictures and 0 <= self.grid.cursor < len(self.pictures):
            self._toggle_mark(self.grid.cursor)

    @on(PictureGrid.MarkToggled)
    def _mark_toggled(self, event: PictureGrid.MarkToggled) -> None:
        self._toggle_mark(event.position)

    def _toggle_mark(self, position: int) -> None:
        if self.pictures:
            self.marks ^= {self.pictures.ids[position]}
            self.grid.refresh_items([position])
            self.say_summary()
            self._keep_marks_soon()

    def redraw_marks(self) -> None:
        """Draws them, and keeps them for the next start."""
        super().redraw_marks()
        self._keep_marks_soon()

    def _keep_marks_soon(self) -> None:
        """They may be very many: they are packed when the user has stopped marking."""
        if self._keeping is not None:
            self._keeping.stop()
        self._keeping = self.set_timer(KEEP_SECONDS, self._keep_marks)

    def _keep_marks(self) -> None:
        self._keeping = None
        self._state[MARKS] = pack(self.marks) if self.marks else None

    @work(thread=True, group="marks", exit_on_error=False)
    def _read_marks(self, left: str) -> None:
        def ask(db: Database) -> set[int]:
            try:
                return set(unpack(left)).intersection(row[0] for row in db.execute("SELECT id FROM images"))
            except UsageError:  # the file was damaged: nothing in it is precious
                return set()

        self.read(ask, self._take_marks)

    def _take_marks(self, marks: set[int]) -> None:
        self.marks |= marks
        super().redraw_marks()

    def action_mark_all(self) -> None:
        """Marks every picture of the cluster; if they all are, takes the marks away."""
        if self.pictures:
            everyone = set(self.pictures.ids)
            if everyone <= self.marks:
                self.marks -= everyone
            else:
                self.marks |= everyone
            self.redraw_marks()

    # Edits

    def _edit_pictures(self, do: Callable[[Database], Any], said: str) -> None:
        self.edit(do, lambda _: self._all_done(said))

    def _all_done(self, said: str) -> None:
        """What was marked is dealt with."""
        self.marks.clear()
        self.redraw_marks()
        self.notify(said, timeout=3, markup=False)

    def action_move(self) -> None:
        """Asks where to, and moves."""
        if images := self.chosen():
            self._ask_where(images, self._all_done)

    def _ask_where(self, images: Sequence[int], then: Callable[[str], None]) -> None:
        from tui.screens.move import MoveScreen

        if self.view is not None and self.pictures is not None and self.row is not None:
            here = self.row.number if set(images) <= set(self.pictures.ids) else None
            screen = MoveScreen(len(images), self.view.rows, here=here)
            self.app.push_screen(screen, lambda to: self._move(images, to, then))

    def _move(self, images: Sequence[int], to: Destination | None, then: Callable[[str], None]) -> None:
        if to is None or self.view is None:
            return
        run, pictures = self.view.clustering.id, count(len(images), "picture")
        if isinstance(to, int):
            said = f"moved {pictures} to {f'cluster {to}' if to else 'the unclustered'}"
            self.edit(lambda db: curation.move(db, run, images, to or None), lambda _: then(said))
        else:
            said = f"made a new cluster of {pictures}"
            self.edit(lambda db: curation.new_cluster(db, run, images, to or None), lambda _: then(said))

    def action_trash(self) -> None:
        """Trashes; in the trash, restores."""
        images = self.chosen()
        if not images:
            return
        pictures = count(len(images), "picture")
        if self.row is not None and self.row.number == reading.TRASH:
            self._edit_pictures(lambda db: curation.restore(db, images), f"restored {pictures}")
        else:
            self._edit_pictures(lambda db: curation.trash(db, images), f"{pictures} in the trash (T), u brings back")

    def action_show_trash(self) -> None:
        """Goes to the trash, which is the last row of the list."""
        if not self.cluster_list.go_to(reading.TRASH):
            self.notify("the trash is empty", timeout=3)

    def action_merge(self) -> None:
        """Merges the ticked clusters into the one under the cursor."""
        into = self.cluster_row()
        numbers = self.cluster_list.ticks - {into.number} if into else set()
        if into is None or self.view is None:
            return
        if not numbers:
            self.notify("tick clusters first (space): they are merged into this one", severity="warning", timeout=4)
            return
        run, target = self.view.clustering.id, into.number
        self.edit(
            lambda db: curation.merge(db, run, sorted(numbers), target),
            lambda _: self.notify(f"merged {count(len(numbers), 'cluster')} into {target}", timeout=3),
        )

    def action_freeze(self) -> None:
        """Freezes the cluster, or lets it go."""
        if (row := self.cluster_row()) and self.view is not None:
            run = self.view.clustering.id
            self.edit(lambda db: curation.freeze(db, run, row.number, not row.frozen))

    def action_seen(self) -> None:
        """The change was looked at."""
        if (row := self.cluster_row()) and row.changed and self.view is not None:
            run = self.view.clustering.id
            self.edit(lambda db: curation.unmark_changed(db, run, row.number))

    def action_tags(self) -> None:
        """Asks for the tags."""
        from tui.screens.ask import AskScreen

        if (row := self.cluster_row()) and self.view is not None:
            run = self.view.clustering.id

            def take(text: str | None) -> None:
                if text is not None:
                    self.edit(lambda db: curation.tag(db, run, row.number, text.split(",")))

            title = f"Tags of {row.number} {row.title}".rstrip()
            self.app.push_screen(AskScreen(title, ", ".join(row.tags), "separated by commas"), take)

    # Renaming in place

    def action_rename(self) -> None:
        """Opens a line over the cluster's name."""
        if row := self.cluster_row():
            self._renaming = row.number
            line = self._rename_line
            line.value = row.title
            line.display = True
            self._place_rename()
            line.focus()

    @on(Input.Submitted, "#rename")
    def _renamed(self, event: Input.Submitted) -> None:
        number, name = self._renaming, event.value.strip()
        self._end_renaming()
        if number is not None and self.view is not None:
            run = self.view.clustering.id
            self.edit(lambda db: curation.rename(db, run, number, name or None))

    @on(DescendantBlur)
    def _left(self, event: DescendantBlur) -> None:
        if event.widget is self._rename_line and self.app.screen is self:
            self._end_renaming()

    def action_back(self) -> None:
        """Out of renaming first."""
        if self._renaming is not None:
            self._end_renaming()
        else:
            super().action_back()

    def show_clusters(self) -> None:
        """The line for a name stays with its cluster, whatever the list becomes."""
        super().show_clusters()
        self._place_rename()

    def _end_renaming(self) -> None:
        had_focus = self._rename_line.has_focus
        self._renaming, self._rename_line.display = None, False
        if had_focus:
            self.cluster_list.focus()

    def _place_rename(self) -> None:
        at = None if self._renaming is None else self.cluster_list.line_of(self._renaming)
        if at is not None:
            indent = self.cluster_list.name_column
            line = self._rename_line
            line.styles.offset = (indent, at - self.cluster_list.scroll_offset.y)
            line.styles.width = max(8, self.cluster_list.size.width - indent)

    @property
    def _rename_line(self) -> Input:
        return self.query_one("#rename", Input)

    def action_like(self) -> None:
        """Searches by the picture under the cursor."""
        if self.pictures and 0 <= self.grid.cursor < len(self.pictures):
            self.shoebox.search_like(self.pictures.ids[self.grid.cursor])

    def action_copy(self) -> None:
        """Has the terminal copy the path of the picture under the cursor."""
        project = self.shoebox.project
        if project is None or not self.pictures or not 0 <= self.grid.cursor < len(self.pictures):
            return
        image = self.pictures.ids[self.grid.cursor]

        def take(path: bytes) -> None:
            self.app.copy_to_clipboard(shown(path))
            self.notify(f"copied {shown(path)}", timeout=3, markup=False)

        self.edit(lambda db: reading.file_of(project, db, image), take)

    # One picture, large

    @on(PictureGrid.Opened)
    def action_zoom(self) -> None:
        """One picture, large."""
        from tui.screens.zoom import ZoomScreen

        if self.pictures and self.view is not None:
            at = max(0, min(self.grid.cursor, len(self.pictures) - 1))
            screen = ZoomScreen(self, self.pictures, at, self.view.clustering, self.marks, move=self._ask_where)
            self.app.push_screen(screen, self._zoomed)

    def _zoomed(self, image: int | None) -> None:
        if self.pictures and image is not None and image in self.pictures.ids:
            self.grid.cursor = self.pictures.ids.index(image)
        self.redraw_marks()
