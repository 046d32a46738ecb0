"""Which pictures: a folder under the cursor, or what was typed; counted, or foreseen, before anything begins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import get_current_worker

from core.catalog import sources
from core.catalog.paths import shown
from core.project import FOLDER_NAME
from core.sources.places import REMOTE
from tui.facts import short_path
from tui.figures import count
from tui.foresight import Foresight, look_ahead
from tui.places import Count, count_pictures
from tui.recent import read_recent
from tui.screens.source_options import SourceOptionsScreen, options_words
from tui.screens.source_wishes import WishScreen
from tui.state import State
from tui.widgets.folder_browser import FolderBrowser

if TYPE_CHECKING:
    from tui.facts import Facts
    from tui.widgets.picture_grid import PictureGrid

SETTLED_SECONDS = 0.2
"""The cursor stands still for so long before the folder under it is counted."""
LONG_SECONDS = 8.0
"""After this it is said that a source does not answer yet."""
PREVIEWS = 12
FOLDER = "folder"
"""Where the folder that is listed and the one under the cursor are kept in the state."""


class PlaceScreen(WishScreen):
    """Has a browser of folders, a line that says how many pictures there are, and a few of them."""

    def __init__(self) -> None:
        super().__init__()
        self.grid: PictureGrid | None = None
        self.named = ""
        """What is downloaded and was typed, or found under the cursor; "" where a folder of pictures is."""
        self.ahead: Foresight | None = None
        self.asked: dict[str, dict[str, Any]] = {}
        """Options by the source they were given for."""
        self._counted = b""
        self._settled: Any = None
        self._stood = b""
        """The folder that was under the cursor when it was typed."""

    def beginning(self) -> tuple[bytes, bytes]:
        """Which folder is listed first, and the one in it under the cursor: as they were left.

        Else the folder of the project, or where the user stands.
        """
        project = self.shoebox.project
        if self.shoebox.chosen is not None:
            return os.fsencode(self.shoebox.chosen.absolute()), b""
        match self._memory.get(FOLDER):
            case [str(folder), str(cursor)] if os.path.isdir(folder):
                return os.fsencode(folder), os.fsencode(cursor)
        return (os.getcwdb() if project is None else os.fsencode(project.directory.parent)), b""

    @property
    def _memory(self) -> State:
        """What remembers where the user stood: that of the project, if there is one."""
        return self.shoebox.user if self.shoebox.project is None else self.shoebox.state

    # What is downloaded

    class Foreseen(Message, bubble=False):
        """A look at a source that is downloaded came to something."""

        def __init__(self, foresight: Foresight) -> None:
            super().__init__()
            self.foresight = foresight

    @work(thread=True, exclusive=True, group="own", exit_on_error=False)
    def read_own_source(self) -> None:
        """The project that is open may be of a source that is downloaded: then that is what is chosen."""
        project = self.shoebox.project
        if project is None:
            return
        with project.database() as db:
            remote = [source for source in sources.all_sources(db) if source.kind in REMOTE]
        if remote:
            self.app.call_from_thread(self._take_source, os.fsdecode(remote[0].root))

    def on_screen_resume(self) -> None:
        """More of a source may be here by now."""
        changed = self._stale
        super().on_screen_resume()
        if changed and self.named:
            self._look_ahead()

    @on(FolderBrowser.Named)
    def _source_named(self, event: FolderBrowser.Named) -> None:
        self._take_source(event.place)

    def _take_source(self, text: str) -> None:
        """Says what will come of it, as soon as that is known."""
        self.named, self._counted, self.ahead = text, b"", None
        self._stood = self.query_one(FolderBrowser).place
        if self._settled is not None:
            self._settled.stop()
        self.query_one("#right").border_title = Content(f"pictures of {from_here(text)}")
        self._show_previews(())
        self._look_ahead()
        self.set_timer(LONG_SECONDS, lambda: self._say_long(text))

    def _look_ahead(self) -> None:
        project = self.shoebox.project
        look_ahead(
            self.named,
            None if project is None else project.directory,
            self.asked.get(self.named, {}),
            self.shoebox.environment,
            lambda foresight: self.post_message(self.Foreseen(foresight)),
        )

    def on_place_screen_foreseen(self, message: Foreseen) -> None:
        """Shows it, if that is still the source."""
        ahead = message.foresight
        if ahead.text == self.named and self.is_attached:
            self.ahead = ahead
            options = options_words(ahead.kind, ahead.options) if ahead.kind else ""
            words = f"{ahead.words} · o: {options or 'options'}" if not ahead.wrong else ahead.words
            self._say_count(words)
            if ahead.keeps:
                self.explain(f"e downloads, embeds and sorts it, into {from_here(ahead.keeps)}")
            if ahead.wrong:
                self.notify(ahead.words, severity="warning", markup=False)

    def _say_count(self, words: str) -> None:
        """An answer may come after the screen went."""
        for line in self.query("#count").results(Static):
            line.update(Content(words))

    def _say_long(self, text: str) -> None:
        if text == self.named and self.ahead is not None and not self.ahead.last:
            self._say_count("no answer yet: e begins all the same")

    def action_options(self) -> None:
        """Asks what to take of the source."""
        text, kind = self.named, "folder"
        values = self.asked.get(text or os.fsdecode(self._counted), {})
        if text:
            if self.ahead is None or not self.ahead.kind:
                return
            kind, values = self.ahead.kind, self.ahead.options | values

        def take(given: dict[str, Any] | None) -> None:
            if given is not None:
                self.asked[text or os.fsdecode(self._counted)] = given
                if text:
                    self._look_ahead()
                else:
                    self.explain(f"of {short_path(self._counted)}: {options_words(kind, given) or 'all pictures'}")

        self.app.push_screen(SourceOptionsScreen(kind, values), take)

    # Where the cursor stands

    @on(FolderBrowser.Moved)
    def _moved(self, event: FolderBrowser.Moved) -> None:
        if self.named and event.place == self._stood:
            return  # the folders around a source that was named are listed; nobody went to one
        if event.place != self._counted:
            self.named, self._counted, self.ahead = "", event.place, None
            folder = self.query_one(FolderBrowser).folder
            inside = os.path.basename(event.place) if os.path.dirname(event.place) == folder != event.place else b""
            self._memory[FOLDER] = [os.fsdecode(folder), os.fsdecode(inside)]
            self.query_one("#right").border_title = Content(f"pictures of {short_path(event.place)}")
            if self._settled is not None:
                self._settled.stop()
            self._settled = self.set_timer(SETTLED_SECONDS, lambda: self._count(event.place))

    @on(FolderBrowser.Later)
    def _later(self, event: FolderBrowser.Later) -> None:
        self.notify(event.words, severity="warning", markup=False)

    @work(thread=True, exclusive=True, group="count", exit_on_error=False)
    def _count(self, place: bytes) -> None:
        worker = get_current_worker()
        tell = lambda found: self.app.call_from_thread(self._show_count, place, found, False)  # noqa: E731
        found = count_pictures(place, stop=lambda: worker.is_cancelled, tell=tell, shown_first=PREVIEWS)
        if worker.is_cancelled:
            return
        directory = Path(os.fsdecode(place)) / FOLDER_NAME
        known = read_recent(directory).facts if directory.is_dir() else None
        self.app.call_from_thread(self._show_count, place, found, True, known)

    def _show_count(self, place: bytes, found: Count, last: bool, known: Facts | None = None) -> None:
        """`known`: what the project of this folder holds already: that is not embedded again."""
        if place != self._counted or self.named:
            return
        if last and found.complete and not found.pictures and not found.error and found.lists:
            self._take_source(os.fsdecode(place))
            self._counted = place
            return
        words = count_words(found, last)
        if known is not None and known.embedded:
            words += f" · {known.embedded:,} embedded"
        self._say_count(words)
        if last and self.grid is not None:
            self._show_previews(found.first)

    def _show_previews(self, paths: tuple[bytes, ...]) -> None:
        from tui.widgets.picture_grid import GridItem

        assert self.grid is not None
        names = [shown(os.path.splitext(os.path.basename(path))[0]) for path in paths]  # as other grids call them
        self.grid.set_items([GridItem(n, path, name) for n, (path, name) in enumerate(zip(paths, names, strict=True))])


def from_here(path: str) -> str:
    """A path as it is seen from where the user stands."""
    folder, name = os.path.split(path)
    return f"./{name}" if folder == os.getcwd() else short_path(os.fsencode(path))


def count_words(found: Count, last: bool) -> str:
    """What lies below a folder, in words."""
    if found.error:
        return found.error
    number = count(found.pictures, "picture")
    if found.complete:
        return f"{number}, {found.size / 1e6:,.0f} MB" if found.pictures else "no pictures here or below"
    return f"{number} and more" if last else f"{number} …"
