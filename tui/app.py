"""The Textual app: its screens, what they share, and what it remembers. Starts nothing heavy."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import App
from textual.binding import BindingType
from textual.css.query import NoMatches
from textual.events import Event, InputEvent
from textual.filter import LineFilter, Monochrome, NoColor
from textual.reactive import var
from textual.screen import ModalScreen

from core.errors import ShoeboxError
from core.jobs.client import Client
from core.settings import environment_of, load, named_in, user_table
from tui import keys, themes
from tui.commands import ActionsProvider
from tui.facts import Facts
from tui.garbage import Collector
from tui.graphics.hangup import leave_on_hangup
from tui.graphics.typed import replay_keys
from tui.messages import FactsChanged, JobChanged, News, Trouble
from tui.screens import SCREENS
from tui.screens.base import ShoeboxScreen
from tui.state import State, first_stage, give_way, remember_project, state_of, user_state
from tui.stylesheet import ParsedOnce
from tui.thumbnails import Thumbnails
from tui.watcher import Watcher
from tui.widgets.toast import use_lasting_toasts

if TYPE_CHECKING:
    from textual.timer import Timer

    from core.catalog.jobs import Job
    from core.project import Project
    from tui.graphics.terminal import Terminal

LEADER_SECONDS = 5.0
"""How long `g` waits for its digit."""
STAGES_OF = {
    "embed": ("embed",),
    "run": ("embed",),
    "cluster": ("clusters",),
    "label": ("names",),
    "name": ("names",),
    "measure": ("names",),
    "annotate": ("annotate",),
    "embed_annotate": ("embed", "annotate"),
    "review": ("annotate",),
    "save_head": ("annotate",),
    "export_annotation": ("annotate",),
    "download": ("embed",),
    "twins": ("search",),
}
"""Which stage a kind of job belongs to."""


class ShoeboxApp(App[object]):
    """shoebox on a terminal. `project` may be None: then the Source screen chooses one."""

    TITLE = "shoebox"
    MODES = SCREENS
    BINDINGS: ClassVar[list[BindingType]] = list(keys.APP_BINDINGS)
    COMMANDS: ClassVar[set[Any]] = {ActionsProvider}
    CSS_PATH = "app.tcss"
    leader: var[bool] = var(False, bindings=True)
    """Whether `g` was pressed and its digit is awaited."""

    def __init__(
        self,
        project: Project | None,
        terminal: Terminal,
        environment: Mapping[str, str] = os.environ,
        *,
        start: tuple[str, dict[str, Any]] | None = None,
        chosen: Path | None = None,
        given: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """`start`: a job to add at once, as (kind, params). `chosen`: a folder for the Source screen to stand on.
        `given`: settings of the command line.
        """
        self.project = project
        self.terminal = terminal
        self.given_environment = dict(environment)
        self.given = dict(given)
        self.user = user_state()
        self.facts = Facts()
        self.job: Job | None = None
        """The job that runs or waits; else the one that ended last while the app was open."""
        self.chosen = chosen
        self.names_handed_on = False
        """Whether the Annotate screen shall take the names of the clusters."""
        self.handed: int | None = None
        """A picture that another screen hands to the Search screen, to search by it."""
        self._start = start
        self._unfinished: dict[int, Job] = {}
        self._cancelling: set[int] = set()
        """Jobs that the user has asked to stop."""
        self._watcher: Watcher | None = None
        self._awaiting: Timer | None = None
        self._garbage = Collector()
        self._adopt(project)
        self.DEFAULT_MODE = "embed" if start else first_stage(self.project, self.state)  # type: ignore[misc]
        super().__init__()
        use_lasting_toasts()
        self._problems = self._dress()

    # What the screens use

    @property
    def stage(self) -> str:
        """The name of the screen that is shown."""
        return self.current_mode

    @property
    def running_stages(self) -> set[str]:
        """The stages that a job is at."""
        return {stage for job in self._unfinished.values() for stage in STAGES_OF.get(job.kind, ())}

    @property
    def unfinished(self) -> list[Job]:
        """The jobs that run or wait."""
        return list(self._unfinished.values())

    def client(self) -> Client:
        """A client of the project's worker, for the calling thread; close it (`with app.client() as client`)."""
        if self.project is None:
            raise ShoeboxError("no project is open", "choose a folder on the Source screen")
        return Client(self.project, self.environment)

    def thumbnail(self, content: bytes) -> bytes | None:
        """The preview of a content as JPEG, None where there is none. From any thread; each has its own store."""
        return self._thumbnails.get(content) if self._thumbnails is not None else None

    def go(self, stage: str) -> None:
        """Shows a screen."""
        if stage in self.MODES and (self.project is not None or stage == "source"):
            self.state["screen"] = stage
            self.action_stay()
            for screen in self.screen_stack[:1]:
                if isinstance(screen, ShoeboxScreen):
                    screen.leaving()
            self.switch_mode(stage)
        elif self.project is None:
            self.notify("choose a folder of pictures first", severity="warning")

    def search_like(self, image: int) -> None:
        """Searches by a picture, on the Search screen."""
        self.handed = image
        self.go("search")

    @work(thread=True, group="submit", exit_on_error=False)
    def submit(self, kind: str, params: dict[str, Any], added: Callable[[int], None] | None = None) -> None:
        """Has the worker do a job; `added` is called in the loop with its id. What goes wrong is shown."""
        try:
            with self.client() as client:
                job_id = client.submit(kind, params)
        except (ShoeboxError, OSError) as error:
            self.call_from_thread(self.report, error)
            return
        if self._watcher is not None:
            self._watcher.look()
        if added is not None:
            self.call_from_thread(lambda: added(job_id))  # Textual counts parameters, which builtins do not tell

    def report(self, error: Exception | str) -> None:
        """Shows what went wrong; the screen goes on."""
        self.notify(str(error), severity="error", timeout=10, markup=False)

    def open_project(self, project: Project, stage: str | None = None) -> None:
        """Leaves the present project and shows another, at `stage` or where it was left."""
        self.state.save()
        for mode in self.MODES:
            if mode != self.current_mode:  # made anew: they show the old project
                self.remove_mode(mode)
                self.add_mode(mode, self.MODES[mode])
        self._adopt(project)
        self._watch()
        self.go(stage or first_stage(self.project, self.state))

    # What it does by itself

    def on_mount(self) -> None:
        """Begins to watch, and says what is amiss."""
        for problem in self._problems:
            self.notify(problem, severity="warning", timeout=15, markup=False)
        for notice in self.project.notices if self.project else ():
            self.notify(notice, timeout=15, markup=False)
        self._watch()
        self.set_interval(5, self._save)
        if not self.is_headless:
            leave_on_hangup(self)
        if self._start is not None:
            self.submit(*self._start)

    def on_ready(self) -> None:
        """Takes the keys that came while the terminal was asked."""
        replay_keys(self, self.terminal)
        if not gc.isenabled():  # `open_app` held it back until the first frame
            self._garbage.begin()
            self.set_interval(1, self._garbage.look)
        if self._keymap:
            self.set_timer(1, self._check_keymap)  # after the screens are there, whose bindings it may name

    async def on_event(self, event: Event) -> None:
        """Textual's; notes that the user is at it."""
        if isinstance(event, InputEvent):
            self._garbage.press()
        await super().on_event(event)

    def _handle_exception(self, error: Exception) -> None:
        """Leaves out a screen that was still coming up when the user left: it is taken apart while it begins."""
        if not (self._exit and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def on_unmount(self) -> None:
        """Saves what is remembered, and lets the worker be."""
        self._save()
        if self._watcher is not None:
            self._watcher.leave()

    def on_job_changed(self, message: JobChanged) -> None:
        """Tells the screens of a job."""
        job = message.job
        if job.id in self._cancelling:
            job = dataclasses.replace(job, cancel=True)  # as the user saw it last
        before = self._unfinished.get(job.id)
        (self._unfinished.pop(job.id, None) if job.ended else self._unfinished.__setitem__(job.id, job))
        if before is None or before.cancel != job.cancel or job.ended:
            self.refresh_bindings()  # there is something to cancel, or no longer
        if not (job.ended and self._unfinished):
            self.job = job
        if job.state == "failed" and job.error:
            self.report(job.error)
        self._tell_screens(lambda: JobChanged(job))

    def on_facts_changed(self, message: FactsChanged) -> None:
        """Tells the screens of the project."""
        self.facts = message.facts
        self._tell_screens(lambda: FactsChanged(message.facts))

    def on_trouble(self, message: Trouble) -> None:
        """Shows it."""
        self.notify(message.text, severity="warning", timeout=10, markup=False)

    def _tell_screens(self, message: Callable[[], JobChanged | FactsChanged]) -> None:
        """Every screen that is alive hears of it; what is not shown only remembers that it is behind."""
        for stack in self._screen_stacks.values():
            for screen in stack:
                if isinstance(screen, ShoeboxScreen):
                    screen.post_message(message())

    def _adopt(self, project: Project | None) -> None:
        self.project = project
        folder = None if project is None else project.directory.parent
        self.environment = self.given_environment if folder is None else environment_of(folder, self.given_environment)
        self.settings = load(None if project is None else project.directory, self.environment, self.given)
        self.state: State = state_of(project)
        if isinstance(kept := self.state.get("wishes"), dict):
            self.state["wishes"] = give_way(kept, {*self.given, *named_in(self.environment)})
        self._thumbnails = None if project is None else Thumbnails(project, self.settings)
        self.facts, self.job, self._unfinished = Facts(), None, {}
        self._cancelling.clear()
        if project is not None:
            remember_project(self.user, project.directory)

    def _watch(self) -> None:
        if self._watcher is not None:
            self._watcher.leave()
        self._watcher = None
        if self.project is not None:
            watcher = Watcher(self.project, self.environment, lambda message: self._heard(watcher, message))
            self._watcher = watcher
            watcher.start()

    def _heard(self, watcher: Watcher, message: News) -> None:
        if watcher is self._watcher:  # and not one of the project before
            self.post_message(message)

    def _dress(self) -> list[str]:
        """Themes and keys as the user has them; gives what is wrong with either."""
        self.themes, wrong = themes.load_themes((themes.OURS, themes.user_folder()))
        for theme in self.themes.values():
            self.register_theme(theme)
        wanted = self.user.get("theme")
        fits = themes.fitting(self.environment, truecolor=self.terminal.truecolor)
        self.theme = wanted if wanted in self.themes else fits
        self.stylesheet = ParsedOnce(variables=self.get_css_variables())
        try:
            keymap, amiss = keys.keymap_of(user_table("keys"))
        except ShoeboxError as error:
            return [*wrong, str(error)]
        self.set_keymap(keymap)
        return wrong + amiss

    def _check_keymap(self) -> None:
        from tui.screens import annotate, clusters, embed, names, search, source, twins  # noqa: F401 - their bindings

        for words in keys.unknown_ids(self._keymap) + keys.taken_keys(self._keymap):
            self.notify(words, severity="warning", timeout=15, markup=False)

    def _save(self) -> None:
        self.state.save()
        self.user.save()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's. With NO_COLOR it makes greys of colours; of the terminal's own it would make black on black."""
        filters = super().get_line_filters()
        if self.no_color and self.native_ansi_color:
            return [NoColor() if isinstance(each, Monochrome) else each for each in filters]
        return filters

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Digits are the app's only after `g`, and `g` only where nobody writes."""
        if action == "leader":
            types = self.focused is not None and self.focused.check_consume_key("g", "g")
            return not types and not isinstance(self.screen, ModalScreen)
        if action == "cancel_job":
            return self._to_cancel() is not None
        return self.leader if action in ("go_number", "stay") else True

    def action_leader(self) -> None:
        """Awaits the digit of a screen."""
        self.action_stay()  # the time of an earlier `g` shall not end this one
        self.leader = True
        self._awaiting = self.set_timer(LEADER_SECONDS, self.action_stay)

    def action_stay(self) -> None:
        """Awaits no digit any more."""
        self.leader = False
        if self._awaiting is not None:
            self._awaiting.stop()
            self._awaiting = None

    def watch_leader(self) -> None:
        """Shows that a digit is awaited, or no longer."""
        for widget in self.screen.query("StageBar, StatusLine") if self.is_running else ():
            widget.refresh()

    def action_go_number(self, number: int) -> None:
        """Goes to the screen of this number."""
        self.go(keys.STAGES[number - 1])

    def action_go(self, stage: str) -> None:
        """Goes to the screen of this name."""
        self.go(stage)

    def _to_cancel(self) -> Job | None:
        """The job that the user waits for most likely: the one asked for last. The Embed screen cancels its own."""
        jobs = [job for job in self._unfinished.values() if not job.cancel]
        if self.stage == "embed":
            jobs = [job for job in jobs if "embed" not in STAGES_OF.get(job.kind, ())]
        return max(jobs, key=lambda job: job.id, default=None)

    def action_cancel_job(self) -> None:
        """Has the job that was asked for last stop."""
        if (job := self._to_cancel()) is not None:
            self.cancel(job)

    def cancel(self, job: Job) -> None:
        """Has a job stop. The screens say so at once, however long what it has in hand takes."""
        if job.id in self._unfinished:
            self._cancelling.add(job.id)
            self.on_job_changed(JobChanged(job))
        self._ask_to_cancel(job.id)

    @work(thread=True, group="cancel", exit_on_error=False)
    def _ask_to_cancel(self, job_id: int) -> None:
        try:
            with self.client() as client:
                client.cancel(job_id)
        except (ShoeboxError, OSError) as error:
            self._cancelling.discard(job_id)
            self.call_from_thread(self.report, error)
        if self._watcher is not None:
            self._watcher.look()

    def action_help(self) -> None:
        """Lists the keys that work here."""
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def action_theme(self, name: str) -> None:
        """Puts on a theme, and keeps it."""
        self.theme = self.user["theme"] = name

    def action_next_theme(self) -> None:
        """Puts on the next theme."""
        names = sorted(self.themes)
        self.action_theme(names[(names.index(self.theme) + 1) % len(names)] if self.theme in names else names[0])
        self.notify(f"theme: {self.theme}", timeout=2)
