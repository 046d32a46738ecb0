"""A grid of pictures that something found: looked at, marked, and made into a cluster, a folder, or trash."""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from core.catalog import curation, encoders
from core.catalog.paths import shown
from tui import reading
from tui.figures import count, taken_words
from tui.pictures import Pictures, described, page_of
from tui.screens.editing import EditingScreen
from tui.widgets.cluster_list import name_cut
from tui.widgets.panel import Panel
from tui.widgets.picture_grid import PictureGrid

if TYPE_CHECKING:
    from core.catalog.database import Database
    from core.catalog.jobs import Job
    from tui.messages import JobChanged
    from tui.reading import Picture


@dataclass(frozen=True, slots=True)
class Everywhere:
    """In place of a clustering: what is looked at comes from all of the project."""

    encoder: int
    id: int = 0


class ResultsScreen(EditingScreen):
    """Shows what was found. Subclasses find it, and call `show_found`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Mark", id="results.mark"),
        Binding("asterisk", "mark_all", "Mark all", show=False, id="results.mark-all"),
        Binding("x", "trash", "Trash", id="results.trash", tooltip="the marked, or the one under the cursor"),
        Binding("n", "cluster", "New cluster", id="results.cluster", tooltip="of the marked, or of all"),
        Binding("s", "save", "Save", id="results.save", tooltip="the marked, or all, as a folder"),
        Binding("z", "zoom", "Zoom", id="results.zoom"),
        Binding("u", "undo", "Undo", id="results.undo"),
        Binding("ctrl+r,U", "redo", "Redo", show=False, id="results.redo"),
        Binding("y", "copy", "Copy path", show=False, id="results.copy"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.pictures: Pictures | None = None
        self.marks: set[int] = set()
        self.scores: Mapping[int, float] = {}
        self._jobs: set[int] = set()

    def compose_grid(self) -> ComposeResult:
        """The pictures, and a line on the one under the cursor."""
        with Panel(id="main", classes="panel"):
            yield PictureGrid(self.shoebox.terminal, self.shoebox.thumbnail, id="grid")
            yield Static("", id="facts", markup=False)

    @property
    def grid(self) -> PictureGrid:
        """The pictures."""
        return self.query_one("#grid", PictureGrid)

    # Showing

    def show_found(
        self,
        images: Sequence[int],
        scores: Mapping[int, float],
        *,
        starred: Container[int] = (),
        groups: Mapping[int, int] | None = None,
        keep_cursor: bool = False,
    ) -> None:
        """Shows these pictures, each with its score; `groups` as Pictures takes them."""
        ids = array("q", images)
        self.scores = scores
        pictures = Pictures(
            ids,
            wanted=lambda page: self._read_page(pictures, page),
            marked=self.marks,
            starred=starred,
            groups=groups,
        )
        self.pictures = pictures
        self.grid.set_items(pictures, keep_cursor=keep_cursor)
        self.say_facts()
        self.refresh_bindings()

    @work(thread=True, group="pages", exit_on_error=False)
    def _read_page(self, pictures: Pictures, page: int) -> None:
        project, scores = self.shoebox.project, self.scores
        if project is None or pictures is not self.pictures:
            return
        with project.database() as db:
            found = reading.pictures(db, 0, page_of(pictures.ids, page))
        scored = {image: replace(picture, score=scores.get(image)) for image, picture in found.items()}
        self.app.call_from_thread(self._take_page, pictures, page, scored)

    def _take_page(self, pictures: Pictures, page: int, found: Mapping[int, Picture]) -> None:
        filled = pictures.put(page, found)
        if pictures is self.pictures and self.is_attached:
            self.grid.refresh_items(filled)
            if self.grid.cursor in filled:
                self.say_facts()

    def at_cursor(self) -> int | None:
        """The picture under the cursor."""
        at = self.grid.cursor
        return self.pictures.ids[at] if self.pictures and 0 <= at < len(self.pictures) else None

    def said_of(self, image: int) -> str:
        """What else is said of the picture under the cursor."""
        score = self.scores.get(image)
        return "" if score is None else f"score {score:.3f}"

    def say_facts(self) -> None:
        """The line below the pictures."""
        line, at, pictures = self.query_one("#facts", Static), self.grid.cursor, self.pictures
        if not pictures or not 0 <= at < len(pictures):
            line.update("", layout=False)
            return
        text = Text(f"{at + 1:,}/{len(pictures):,}  ", style="dim", overflow="ellipsis", no_wrap=True)
        text.append(self._marked_words(), style="not dim")
        if (picture := pictures.picture(at)) is not None:
            facts = " · ".join(part for part in (described(picture), self.said_of(picture.image)) if part)
            room = max(16, line.size.width - text.cell_len - len(facts) - 3)
            text.append(name_cut(picture.name, room), style="not dim").append(f" · {facts}")
        line.update(text, layout=False)

    def _marked_words(self) -> str:
        """How many are marked. Marks stay when something else is searched for."""
        if not self.marks:
            return ""
        hidden = len(self.marks.difference(self.pictures.ids)) if self.pictures else 0
        return f"{len(self.marks):,} marked{f', {hidden:,} not shown' if hidden else ''} · "

    @on(PictureGrid.CursorMoved)
    def _moved(self) -> None:
        self.say_facts()

    @on(PictureGrid.Opened)
    def _opened(self) -> None:
        self.action_zoom()

    # Marks

    @on(PictureGrid.MarkToggled)
    def _mark_toggled(self, event: PictureGrid.MarkToggled) -> None:
        self._toggle_mark(event.position)  # of when it was pressed: the cursor may have moved on

    def action_mark(self) -> None:
        """Marks the picture under the cursor, or takes its mark away."""
        self._toggle_mark(self.grid.cursor)

    def _toggle_mark(self, position: int) -> None:
        if self.pictures and 0 <= position < len(self.pictures):
            self.marks ^= {self.pictures.ids[position]}
            self.grid.refresh_items([position])
            self.say_facts()

    def action_mark_all(self) -> None:
        """Marks all that was found; if they all are marked, takes the marks away."""
        if self.pictures:
            everyone = set(self.pictures.ids)
            if everyone <= self.marks:
                self.marks -= everyone
            else:
                self.marks |= everyone
            self._redraw_marks()

    def _redraw_marks(self) -> None:
        if self.pictures:
            self.grid.refresh_items(self.grid.visible_positions)
        self.say_facts()

    def chosen(self, *, otherwise_all: bool) -> list[int]:
        """The marked pictures in the order they are found; without marks all, or the one under the cursor."""
        if not self.pictures:
            return []
        if self.marks:
            return [*(i for i in self.pictures.ids if i in self.marks), *sorted(self.marks - set(self.pictures.ids))]
        if otherwise_all:
            return list(self.pictures.ids)
        return [image] if (image := self.at_cursor()) is not None else []

    def with_copies(self, images: Sequence[int]) -> list[int]:
        """These and what has the very same content, where that is known."""
        return list(images)

    # Edits

    def edit_pictures(self, do: Callable[[Database], Any], said: str = "") -> None:
        """An edit after which nothing is marked. Without `said` it gives itself what is said of it."""

        def then(done: Any) -> None:
            self.marks.clear()
            self._redraw_marks()
            self.notify(said or str(done), timeout=4 if said else 8, markup=False)

        self.edit(do, then)

    def action_trash(self) -> None:
        """Into the trash; copies go, too."""
        if images := self.with_copies(self.chosen(otherwise_all=False)):
            said = f"{count(len(images), 'picture')} in the trash, u brings back"
            self.edit_pictures(lambda db: curation.trash(db, images), said)

    def action_cluster(self) -> None:
        """Asks for a name, and makes a cluster."""
        from tui.screens.ask import AskScreen

        images, run = self.with_copies(self.chosen(otherwise_all=True)), self.facts.clustering
        if not images:
            return
        if run is None:
            self.notify("there are no clusters yet to add one to: g 3 makes some", severity="warning", timeout=5)
            return

        def take(name: str | None) -> None:
            if name is not None:
                self.edit_pictures(lambda db: _make_cluster(db, run, images, name.strip() or None))

        title = f"A new cluster of {count(len(images), 'picture')}"
        self.app.push_screen(AskScreen(title, self.suggested_name(), "its name; may be empty"), take)

    def suggested_name(self) -> str:
        """What a cluster or a folder of these would be called."""
        return ""

    def action_save(self) -> None:
        """Asks where to, and has the worker copy the pictures."""
        from tui.screens.ask import AskScreen

        images = self.chosen(otherwise_all=True)
        if not images:
            return
        title = f"Save copies of {count(len(images), 'picture')} in a new folder"
        hint = f"a new folder in {shown(os.fsencode(os.getcwd()))}"
        self.app.push_screen(AskScreen(title, "", hint), lambda output: self._save(images, output))

    def _save(self, images: list[int], output: str | None) -> None:
        if output is None:
            return
        target = str(Path(output.strip()).expanduser().absolute()) if output.strip() else None
        name = self.suggested_name() or self.STAGE
        export = {"output": target, "working_directory": os.getcwd(), "mode": "copy", "name": name}
        self.shoebox.submit("export_pictures", {"images": images, "export": export}, self.own_job)

    def own_job(self, job_id: int) -> None:
        """A job whose end this screen tells of."""
        self._jobs.add(job_id)

    def job_changed(self, job: JobChanged) -> None:
        """Says what came of the jobs of this screen. What failed the app says."""
        ended = job.job
        if ended.ended and ended.id in self._jobs:
            self._jobs.discard(ended.id)
            if ended.state == "done":
                self.say_done(ended)

    def say_done(self, job: Job) -> None:
        """What a job came to."""
        if job.kind == "export_pictures":
            left = f", {len(job.result['skipped'])} left out" if job.result["skipped"] else ""
            said = f"saved {count(job.result['files'], 'picture')}{left} to {job.result['output']}"
            self.notify(said, title="saved", timeout=20, markup=False)

    # One picture

    def action_zoom(self) -> None:
        """One picture, large."""
        if self.pictures:
            self._open_zoom(self.pictures, max(0, min(self.grid.cursor, len(self.pictures) - 1)))

    @work(thread=True, exclusive=True, group="zoom", exit_on_error=False)
    def _open_zoom(self, pictures: Pictures, at: int) -> None:
        project = self.shoebox.project
        if project is None:
            return
        with project.database() as db:
            record = encoders.last(db)
        if record is not None:
            within = Everywhere(record.id, self.facts.clustering or 0)
            self.app.call_from_thread(self._show_zoom, pictures, at, within)

    def _show_zoom(self, pictures: Pictures, at: int, within: Everywhere) -> None:
        from tui.screens.zoom import ZoomScreen

        if pictures is self.pictures:
            self.app.push_screen(ZoomScreen(self, pictures, at, within, self.marks), self._zoomed)

    def _zoomed(self, image: int | None) -> None:
        if self.pictures and image is not None and image in self.pictures.ids:
            self.grid.cursor = self.pictures.ids.index(image)
        self._redraw_marks()

    def action_copy(self) -> None:
        """Has the terminal copy the path of the picture under the cursor."""
        project, image = self.shoebox.project, self.at_cursor()
        if project is None or image is None:
            return

        def take(path: bytes) -> None:
            self.app.copy_to_clipboard(shown(path))
            self.notify(f"copied {shown(path)}", timeout=3, markup=False)

        self.edit(lambda db: reading.file_of(project, db, image), take)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is about pictures needs some."""
        about_pictures = action in ("mark", "mark_all", "trash", "cluster", "save", "zoom", "copy")
        return (bool(self.pictures) or None) if about_pictures else True


def _make_cluster(db: Database, run: int, images: Sequence[int], name: str | None) -> str:
    """Makes a cluster of these pictures, and says where it took them from."""
    taken = taken_words(curation.taken_from(db, run, images))
    curation.new_cluster(db, run, images, name)
    said = f"made a new cluster of {count(len(images), 'picture')} (g 3)"
    return f"{said}: {taken}; u takes it back" if taken else said
