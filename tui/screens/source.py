"""The Source screen: which pictures, by which encoder, into what kind of clusters."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from core.catalog import encoders
from core.errors import ShoeboxError
from core.project import open_project
from tui.facts import short_path
from tui.figures import count
from tui.previews import preview_of_file
from tui.recent import Recent, read_recent
from tui.screens.choose import ConfirmScreen
from tui.screens.source_options import options_words
from tui.screens.source_places import PlaceScreen, from_here
from tui.screens.source_wishes import WishList
from tui.sorting import Wishes
from tui.state import forget_project, recent_projects
from tui.widgets.folder_browser import FolderBrowser, FolderList, PathInput
from tui.widgets.vim_list import VimList


class RecentList(VimList):
    """Projects opened before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,delete", "screen.forget", "Forget", id="source.forget", tooltip="off this list; nothing is deleted"),
    ]


class SourceScreen(PlaceScreen):
    """Chooses a folder and how it is sorted; `e` begins."""

    STAGE = "source"
    CSS_PATH = "source.tcss"
    AUTO_FOCUS = "FolderList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "embed", "Sort it", id="source.embed", tooltip="embed and cluster the folder under the cursor"),
        Binding("slash", "path", "Type a path", key_display="/", id="source.path"),
        Binding("r", "recent", "Recent", id="source.recent", tooltip="to the recent projects"),
        Binding("s", "settings", "Settings", id="source.settings", tooltip="to encoder, device and clustering"),
        Binding("o", "options", "Options", id="source.options", tooltip="sample, limits, what else the source has"),
        Binding("b", "browse", "Folders", id="source.browse", tooltip="to the folders"),
        Binding("ctrl+r", "reload", "Look again", show=False, id="source.reload"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._recent: list[Recent] = []

    def compose_body(self) -> ComposeResult:
        """Recent projects and settings on the left, folders on the right."""
        from tui.widgets.picture_grid import PictureGrid

        self.grid = PictureGrid(self.shoebox.terminal, preview_of_file, columns=10, id="previews")
        self.grid.can_focus = False  # it shows; there is nothing to do in it
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield _titled(RecentList(id="recent", classes="panel"), "recent")
                yield _titled(WishList(id="wishes", classes="panel"), "how")
                yield Static(id="explained", classes="muted")
            with Vertical(id="right", classes="panel") as right:
                right.border_title = "pictures of"
                yield FolderBrowser(*self.beginning(), id="browser")
                yield Static(id="count", classes="muted")
                yield self.grid

    def on_mount(self) -> None:
        """Begins."""
        self.take_wishes()
        self._read_recent(recent_projects(self.shoebox.user))
        if self.shoebox.chosen is None:
            self.read_own_source()

    def on_resize(self) -> None:
        """Larger previews where there is room."""
        assert self.grid is not None
        self.grid.columns = 16 if self.size.width >= 140 and self.size.height >= 40 else 10

    # Recent projects

    @work(thread=True, exclusive=True, group="recent", exit_on_error=False)
    def _read_recent(self, directories: list[Path]) -> None:
        recent: list[Recent] = []
        for directory in directories:
            recent.append(read_recent(directory))
            if get_current_worker().is_cancelled:
                return
        self.app.call_from_thread(self._show_recent, recent)

    def _show_recent(self, recent: list[Recent]) -> None:
        self._recent = recent
        rows = self.query_one(RecentList)
        before = rows.highlighted
        rows.set_options([Option(_recent_row(r)) for r in recent] or [Option("none yet", disabled=True)])
        rows.highlighted = before if before is not None and before < len(recent) else (0 if recent else None)

    @on(OptionList.OptionHighlighted, "#recent")
    def _recent_moved(self, event: OptionList.OptionHighlighted) -> None:
        if self.query_one(RecentList).has_focus and event.option_index < len(self._recent):
            self.explain(recent_words(self._recent[event.option_index]))

    @on(OptionList.OptionSelected, "#recent")
    def _recent_chosen(self, event: OptionList.OptionSelected) -> None:
        self._open(self._recent[event.option_index].directory)

    @work(thread=True, exclusive=True, group="open", exit_on_error=False)
    def _open(self, directory: Path) -> None:
        try:
            project = open_project(None, directory)
        except ShoeboxError as error:
            self.app.call_from_thread(self.shoebox.report, error)
            return
        self.shoebox.call_from_thread(self.shoebox.open_project, project)

    # Actions

    @on(FolderBrowser.Chosen)
    def action_embed(self) -> None:
        """Begins: embeds and clusters the folder under the cursor."""
        place = self.named or os.fsdecode(self.query_one(FolderBrowser).place)
        words, download = self.weights
        if self.ahead is not None and self.ahead.wrong:
            self.notify(self.ahead.words, severity="warning", markup=False)
            return
        options = self.asked.get(place, {})
        if not download and not self.named:
            self._begin(place, options)
            return

        def begin(yes: bool | None) -> None:
            if yes:
                self._begin(place, options)

        question = f"Sort the pictures of {short_path(os.fsencode(place))}?\n{words}."
        if self.named:
            question = self._question() + ("" if not download else f"\n{words}.")
        self.app.push_screen(ConfirmScreen("before it starts", question), begin)

    def _question(self) -> str:
        """What is asked before a download."""
        ahead, name = self.ahead, short_path(os.fsencode(self.named))
        lines = [f"Download and sort {name}?"]
        if ahead is not None:
            lines.append(ahead.words if ahead.last else "how many pictures there are is not known yet")
            if options := options_words(ahead.kind, ahead.options):
                lines.append(f"options: {options}")
            lines.append(f"into {from_here(ahead.keeps)}")
        return "\n".join(lines)

    @work(thread=True, exclusive=True, group="open", exit_on_error=False)
    def _begin(self, place: str, options: Mapping[str, Any]) -> None:
        shoebox, wishes = self.shoebox, self.wishes
        try:
            project = open_project(place)
            with project.database() as db:
                last = encoders.last(db)
            given = dict(shoebox.given)
            if options.get("max_file_mb"):
                given["max_file_mb"] = options["max_file_mb"]
            kind, params = wishes.job(project.settings(shoebox.environment, given), last.spec if last else "")
            if asked := {name: value for name, value in options.items() if name != "max_file_mb"}:
                params["source"] = asked
        except ShoeboxError as error:
            self.app.call_from_thread(shoebox.report, error)
            return
        if project != shoebox.project:
            self.app.call_from_thread(shoebox.open_project, project, "embed")
        self.app.call_from_thread(self._submit, wishes, kind, params)

    def _submit(self, wishes: Wishes, kind: str, params: dict[str, Any]) -> None:
        self.shoebox.state["wishes"] = dataclasses.asdict(wishes)
        self.shoebox.submit(kind, params)
        self.shoebox.go("embed")

    def action_browse(self) -> None:
        """Goes to the folders."""
        self.query_one(FolderList).focus()

    def action_parent(self) -> None:
        """Goes to the parent folder."""
        self.query_one(FolderBrowser).go_up()

    def action_path(self) -> None:
        """Goes to the field."""
        self.query_one(PathInput).focus()

    def action_recent(self) -> None:
        """Goes to the recent projects."""
        self.query_one(RecentList).focus()

    def action_forget(self) -> None:
        """Takes the project under the cursor off the recent ones."""
        row = self.query_one(RecentList).highlighted
        if row is not None and row < len(self._recent):
            forget_project(self.shoebox.user, self._recent[row].directory)
            self._show_recent(self._recent[:row] + self._recent[row + 1 :])

    def action_settings(self) -> None:
        """Goes to encoder, device and clustering."""
        self.query_one(WishList).focus()

    def action_reload(self) -> None:
        """Looks at the folders and projects again."""
        self.query_one(FolderBrowser).go(self.query_one(FolderBrowser).folder)
        self._read_recent(recent_projects(self.shoebox.user))


def recent_words(recent: Recent) -> str:
    """A project in one line."""
    facts = recent.facts
    if facts is None:
        return f"{recent.directory}: {recent.trouble}"
    parts = [facts.place, count(facts.images, "picture"), f"{facts.embedded:,} embedded"]
    if facts.clusters:
        parts.append(count(facts.clusters, "cluster"))
    return " · ".join(parts)


def _recent_row(recent: Recent) -> Content:
    name = os.path.basename(recent.facts.place) if recent.facts else recent.directory.parent.name
    if recent.facts is None:
        return Content.assemble(name, (f"  {recent.trouble}", "dim"))
    clusters = f" · {count(recent.facts.clusters, 'cluster')}" if recent.facts.clusters else ""
    return Content.assemble(name, (f"  {recent.facts.images:,}{clusters}", "dim"))


def _titled(widget: VimList, title: str) -> VimList:
    widget.border_title = title
    return widget
