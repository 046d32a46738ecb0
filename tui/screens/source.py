"""The Source screen: which pictures, by which encoder, into what kind of clusters."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from core.catalog import encoders, sources
from core.errors import ShoeboxError
from core.project import FOLDER_NAME, open_project
from core.sources.places import REMOTE
from tui.facts import short_path
from tui.figures import count
from tui.foresight import Foresight, look_ahead
from tui.places import Count, count_pictures
from tui.previews import preview_of_file
from tui.recent import Recent, read_recent
from tui.screens.base import ShoeboxScreen
from tui.screens.choose import ChooseScreen, ConfirmScreen
from tui.screens.source_options import SourceOptionsScreen, options_words
from tui.sorting import NAMES, Wishes, explained, options_for, unless_chosen, weights_words
from tui.state import State, forget_project, recent_projects
from tui.widgets.folder_browser import FolderBrowser, FolderList, PathInput
from tui.widgets.vim_list import VimList

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


class RecentList(VimList):
    """Projects opened before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,delete", "screen.forget", "Forget", id="source.forget", tooltip="off this list; nothing is deleted"),
    ]


class WishList(VimList):
    """Encoder, device and clustering."""


class SourceScreen(ShoeboxScreen):
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
        self._wishes = Wishes()
        self._weights = ("", False)
        self._weights_file = ""
        self._counted = b""
        self._grid: PictureGrid | None = None
        self._settled: Any = None
        self._named = ""
        """What is downloaded and was typed, or found under the cursor; "" where a folder of pictures is."""
        self._stood = b""
        """The folder that was under the cursor when it was typed."""
        self._ahead: Foresight | None = None
        self._asked: dict[str, dict[str, Any]] = {}
        """Options by the source they were given for."""

    def compose_body(self) -> ComposeResult:
        """Recent projects and settings on the left, folders on the right."""
        from tui.widgets.picture_grid import PictureGrid

        self._grid = PictureGrid(self.shoebox.terminal, preview_of_file, columns=10, id="previews")
        self._grid.can_focus = False  # it shows; there is nothing to do in it
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield _titled(RecentList(id="recent", classes="panel"), "recent")
                yield _titled(WishList(id="wishes", classes="panel"), "how")
                yield Static(id="explained", classes="muted")
            with Vertical(id="right", classes="panel") as right:
                right.border_title = "pictures of"
                yield FolderBrowser(*self._beginning(), id="browser")
                yield Static(id="count", classes="muted")
                yield self._grid

    def on_mount(self) -> None:
        """Begins."""
        self._take_wishes()
        self._read_recent(recent_projects(self.shoebox.user))
        if self.shoebox.chosen is None:
            self._read_own_source()

    def refresh_from_catalog(self) -> None:
        """The project, or its last encoder, may be another: the wishes follow unless they were chosen."""
        self._take_wishes()

    def _beginning(self) -> tuple[bytes, bytes]:
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
    def _read_own_source(self) -> None:
        """The project that is open may be of a source that is downloaded: then that is what is chosen."""
        project = self.shoebox.project
        if project is None:
            return
        with project.database() as db:
            remote = [source for source in sources.all_sources(db) if source.kind in REMOTE]
        if remote:
            self.app.call_from_thread(self._take_source, os.fsdecode(remote[0].root))

    @on(FolderBrowser.Named)
    def _source_named(self, event: FolderBrowser.Named) -> None:
        self._take_source(event.place)

    def _take_source(self, text: str) -> None:
        """Says what will come of it, as soon as that is known."""
        self._named, self._counted, self._ahead = text, b"", None
        self._stood = self.query_one(FolderBrowser).place
        if self._settled is not None:
            self._settled.stop()
        self.query_one("#right").border_title = Content(f"pictures of {_from_here(text)}")
        self._show_previews(())
        self._look_ahead()
        self.set_timer(LONG_SECONDS, lambda: self._say_long(text))

    def _look_ahead(self) -> None:
        project = self.shoebox.project
        look_ahead(
            self._named,
            None if project is None else project.directory,
            self._asked.get(self._named, {}),
            self.shoebox.environment,
            lambda foresight: self.post_message(self.Foreseen(foresight)),
        )

    def on_source_screen_foreseen(self, message: Foreseen) -> None:
        """Shows it, if that is still the source."""
        ahead = message.foresight
        if ahead.text == self._named and self.is_attached:
            self._ahead = ahead
            options = options_words(ahead.kind, ahead.options) if ahead.kind else ""
            words = f"{ahead.words} · o: {options or 'options'}" if not ahead.wrong else ahead.words
            self._say_count(words)
            if ahead.keeps:
                self._explain(f"e downloads, embeds and sorts it, into {_from_here(ahead.keeps)}")
            if ahead.wrong:
                self.notify(ahead.words, severity="warning", markup=False)

    def _say_count(self, words: str) -> None:
        """An answer may come after the screen went."""
        for line in self.query("#count").results(Static):
            line.update(Content(words))

    def _say_long(self, text: str) -> None:
        if text == self._named and self._ahead is not None and not self._ahead.last:
            self._say_count("no answer yet: e begins all the same")

    def action_options(self) -> None:
        """Asks what to take of the source."""
        text, kind = self._named, "folder"
        values = self._asked.get(text or os.fsdecode(self._counted), {})
        if text:
            if self._ahead is None or not self._ahead.kind:
                return
            kind, values = self._ahead.kind, self._ahead.options | values

        def take(given: dict[str, Any] | None) -> None:
            if given is not None:
                self._asked[text or os.fsdecode(self._counted)] = given
                if text:
                    self._look_ahead()
                else:
                    self._explain(f"of {short_path(self._counted)}: {options_words(kind, given) or 'all pictures'}")

        self.app.push_screen(SourceOptionsScreen(kind, values), take)

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
            self._explain(recent_words(self._recent[event.option_index]))

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

    # How it is sorted

    def _take_wishes(self) -> None:
        kept = self.shoebox.state.get("wishes")
        wishes = Wishes.of(self.shoebox.settings, self.facts.encoder, kept if isinstance(kept, dict) else {})
        if wishes != self._wishes or not self._weights[0] or self._file_of(wishes.encoder) != self._weights_file:
            self._wishes = wishes
            self._show_wishes()

    def _show_wishes(self) -> None:
        self._weights_file = self._file_of(self._wishes.encoder)
        rows = self.query_one(WishList)
        before = rows.highlighted
        rows.set_options(
            [Option(Content.assemble((f"{title:<12}", "dim"), self._shown_wish(name))) for name, title in NAMES.items()]
        )
        rows.highlighted = before or 0
        self._look_for_weights(self._wishes.encoder, self._weights_file)

    def _file_of(self, spec: str) -> str:
        """The file that an encoder's weights are read from: by the settings, or as the project was embedded."""
        settings, facts = self.shoebox.settings, self.facts
        if settings.weights:
            return settings.weights if spec == unless_chosen(settings, facts.encoder) else ""
        return facts.weights if spec == facts.encoder and not settings.encoder else ""

    @work(thread=True, exclusive=True, group="weights", exit_on_error=False)
    def _look_for_weights(self, spec: str, file: str) -> None:
        words = weights_words(spec, file)
        self.app.call_from_thread(self._show_weights, spec, file, words)

    def _show_weights(self, spec: str, file: str, weights: tuple[str, bool]) -> None:
        if (spec, file) == (self._wishes.encoder, self._weights_file):  # and not what was asked before
            self._weights = weights
            self._explain_wish(self.query_one(WishList).highlighted or 0)

    @on(OptionList.OptionHighlighted, "#wishes")
    def _wish_moved(self, event: OptionList.OptionHighlighted) -> None:
        self._explain_wish(event.option_index)

    @on(OptionList.OptionSelected, "#wishes")
    def _wish_chosen(self, event: OptionList.OptionSelected) -> None:
        name = list(NAMES)[event.option_index]
        hint = "or type one: open_clip:MODEL/TAG, timm:MODEL.TAG" if name == "encoder" else "or type another"
        check = lambda value: self._wishes.with_value(name, value)  # noqa: E731
        self.app.push_screen(
            ChooseScreen(NAMES[name], options_for(name), getattr(self._wishes, name), check, hint),
            lambda value: self._wish(name, value),
        )

    def _wish(self, name: str, value: str | None) -> None:
        if value is not None:
            self._wishes = self._wishes.with_value(name, value)
            self.shoebox.state["wishes"] = dataclasses.asdict(self._wishes)
            self._show_wishes()

    def _explain_wish(self, row: int) -> None:
        name = list(NAMES)[row]
        own = name == "encoder" and bool(self._weights_file)
        words = "weights of your own, from this file" if own else explained(name, getattr(self._wishes, name))
        self._explain(f"{NAMES[name]} {self._shown_wish(name)}: {words}")

    def _shown_wish(self, name: str) -> str:
        """A wish as it is shown: weights from a file go by the file's name."""
        if name == "encoder" and self._weights_file:
            return short_path(os.fsencode(os.path.basename(self._weights_file)))
        return _short(getattr(self._wishes, name))

    def _explain(self, words: str) -> None:
        self.query_one("#explained", Static).update(
            Content.assemble((self._weights[0], "bold" if self._weights[1] else ""), "\n", words)
        )

    # Where the cursor stands

    @on(FolderBrowser.Moved)
    def _moved(self, event: FolderBrowser.Moved) -> None:
        if self._named and event.place == self._stood:
            return  # the folders around a source that was named are listed; nobody went to one
        if event.place != self._counted:
            self._named, self._counted, self._ahead = "", event.place, None
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
        if place != self._counted or self._named:
            return
        if last and found.complete and not found.pictures and not found.error and found.lists:
            self._take_source(os.fsdecode(place))
            self._counted = place
            return
        words = count_words(found, last)
        if known is not None and known.embedded:
            words += f" · {known.embedded:,} embedded"
        self._say_count(words)
        if last and self._grid is not None:
            self._show_previews(found.first)

    def _show_previews(self, paths: tuple[bytes, ...]) -> None:
        from tui.widgets.picture_grid import GridItem

        assert self._grid is not None
        names = [short_path(os.path.basename(path)) for path in paths]
        self._grid.set_items([GridItem(n, path, name) for n, (path, name) in enumerate(zip(paths, names, strict=True))])

    # Actions

    @on(FolderBrowser.Chosen)
    def action_embed(self) -> None:
        """Begins: embeds and clusters the folder under the cursor."""
        place = self._named or os.fsdecode(self.query_one(FolderBrowser).place)
        words, download = self._weights
        if self._ahead is not None and self._ahead.wrong:
            self.notify(self._ahead.words, severity="warning", markup=False)
            return
        options = self._asked.get(place, {})
        if not download and not self._named:
            self._begin(place, options)
            return

        def begin(yes: bool | None) -> None:
            if yes:
                self._begin(place, options)

        question = f"Sort the pictures of {short_path(os.fsencode(place))}?\n{words}."
        if self._named:
            question = self._question() + ("" if not download else f"\n{words}.")
        self.app.push_screen(ConfirmScreen("before it starts", question), begin)

    def _question(self) -> str:
        """What is asked before a download."""
        ahead, name = self._ahead, short_path(os.fsencode(self._named))
        lines = [f"Download and sort {name}?"]
        if ahead is not None:
            lines.append(ahead.words if ahead.last else "how many pictures there are is not known yet")
            if options := options_words(ahead.kind, ahead.options):
                lines.append(f"options: {options}")
            lines.append(f"into {_from_here(ahead.keeps)}")
        return "\n".join(lines)

    @work(thread=True, exclusive=True, group="open", exit_on_error=False)
    def _begin(self, place: str, options: Mapping[str, Any]) -> None:
        shoebox, wishes = self.shoebox, self._wishes
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


def _from_here(path: str) -> str:
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


def _short(spec: str) -> str:
    """An encoder's name without its library."""
    return spec.removeprefix("open_clip:").removeprefix("timm:")


def _titled(widget: VimList, title: str) -> VimList:
    widget.border_title = title
    return widget
