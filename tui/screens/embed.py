"""The Embed screen: an embedding as it goes, and the clusters that form meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets.option_list import Option

from core.errors import ShoeboxError
from tui.figures import count
from tui.live import Forming, Known, Live, last_embedding, read_failures, read_live
from tui.messages import JobChanged
from tui.screens.base import ShoeboxScreen
from tui.sorting import Wishes
from tui.widgets.bars import bar
from tui.widgets.embed_figures import EmbedFigures
from tui.widgets.vim_list import VimList

if TYPE_CHECKING:
    from core.catalog.jobs import Job
    from tui.widgets.picture_grid import GridItem, PictureGrid

SLOTS = 24
"""Pictures in the strip."""
FRESH = 8
"""Of those, how many change at once: more cannot be looked at, and a slow line could not carry them."""
LIVE_SECONDS = 1.0
KINDS = ("embed", "run", "download", "embed_annotate")


class FormingBars(Widget):
    """The forming clusters: number, size, and a bar; each keeps its line."""

    DEFAULT_CSS = """
    FormingBars { height: auto; max-height: 10; }
    FormingBars > .forming-bars--bar { color: $primary; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"forming-bars--bar"}

    def __init__(self) -> None:
        super().__init__()
        self._clusters: tuple[Forming, ...] = ()

    def show(self, clusters: tuple[Forming, ...]) -> None:
        """Draws these."""
        grown = len(clusters) != len(self._clusters)
        self._clusters = clusters
        self.refresh(layout=grown)

    def render(self) -> Text:
        """Draws it."""
        if not self._clusters:
            return Text("none yet", style="dim")
        largest = max(cluster.size for cluster in self._clusters)
        style = self.get_component_rich_style("forming-bars--bar", partial=True)
        room = max(self.size.width - 13, 4)
        lines = [
            Text.assemble(f"{c.number + 1:>3} {c.size:>8,} ", (bar(c.size / largest, room, empty=" "), style))
            for c in self._clusters
        ]
        return Text("\n").join(lines)


class EmbedScreen(ShoeboxScreen):
    """Watches the embedding of the project; it goes on whether watched or not."""

    STAGE = "embed"
    CSS_PATH = "embed.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", id="embed.pause", tooltip="hold it, or let it go on"),
        Binding("c", "cancel", "Cancel", id="embed.cancel", tooltip="stop after what is in hand; it can go on later"),
        Binding(
            "e", "embed", "Embed", id="embed.embed", tooltip="look for new and changed pictures; go on after a cancel"
        ),
        Binding("f", "failures", "Failures", id="embed.failures", tooltip="what could not be read, and why"),
        Binding("r", "retry", "Try failed again", id="embed.retry", tooltip="the downloads that failed"),
        Binding("right,l", "clusters", "Clusters", key_display="→", id="embed.clusters"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._job: Job | None = None
        self._slots: list[Known] = []
        self._next_slot = 0
        self._looked = 0.0

    def compose_body(self) -> ComposeResult:
        """Figures on top, pictures below."""
        from tui.widgets.picture_grid import PictureGrid

        app = self.shoebox
        with Vertical(id="body"):
            with Vertical(id="top", classes="panel") as top:
                top.border_title = "embedding"
                yield EmbedFigures(id="figures")
            with Horizontal(id="below"):
                with Vertical(id="left"):
                    with Vertical(id="strip-panel", classes="panel") as strip:
                        strip.border_title = "just in"
                        yield _shown_only(PictureGrid(app.terminal, app.thumbnail, columns=10, id="strip"))
                    failures = VimList(id="failures", classes="panel")
                    failures.border_title = "failures"
                    yield failures
                with Vertical(id="right", classes="panel") as right:
                    right.border_title = "forming"
                    yield FormingBars()
                    yield _shown_only(PictureGrid(app.terminal, app.thumbnail, columns=10, id="forming"))

    @property
    def _strip(self) -> PictureGrid:
        return self.query_one("#strip")  # type: ignore[return-value]

    @property
    def _forming(self) -> PictureGrid:
        return self.query_one("#forming")  # type: ignore[return-value]

    def on_resize(self) -> None:
        """Larger previews where there is room."""
        self._strip.columns = self._forming.columns = 16 if self.size.width >= 140 and self.size.height >= 40 else 10

    def on_mount(self) -> None:
        """Begins."""
        self.query_one("#failures").display = False
        self._find_job()

    # What it shows

    def refresh_from_catalog(self) -> None:
        """Looks for the job, if none is watched."""
        if self._job is None or self._job.ended:
            self._find_job()

    def job_changed(self, job: JobChanged) -> None:
        """Shows it, if it embeds."""
        if job.job.kind not in KINDS or (self._job is not None and job.job.id < self._job.id):
            return
        self._show_job(job.job)

    @work(thread=True, exclusive=True, group="job", exit_on_error=False)
    def _find_job(self) -> None:
        """The embedding that runs, or was the last, for who comes later."""
        project = self.shoebox.project
        if project is None:
            return
        with project.database() as db:
            job = last_embedding(db)
        if job is not None:
            self.app.call_from_thread(self._show_job, job)

    def _show_job(self, job: Job) -> None:
        if self._job is not None and job.id != self._job.id:
            self._slots, self._next_slot = [], 0
        changed = self._job is None or _switches(job) != _switches(self._job)
        self._job = job
        self.query_one(EmbedFigures).show(job)
        self.query_one("#top").border_title = Content(f"{job.kind} · {state_words(job)}")
        if changed:
            self.refresh_bindings()
        if self.is_active and (job.ended or time.monotonic() - self._looked >= LIVE_SECONDS):
            self._looked = time.monotonic()
            self._look(job)

    @work(thread=True, exclusive=True, group="live", exit_on_error=False)
    def _look(self, job: Job) -> None:
        project = self.shoebox.project
        if project is None:
            return
        with project.database() as db:
            live = read_live(db, job.progress, previews=3, recent_at_least=0 if self._slots else SLOTS)
        self.app.call_from_thread(self._show_live, live)

    def _show_live(self, live: Live) -> None:
        self._take_in([picture for picture in live.recent if picture.hash])
        self.query_one("#right").display = bool(live.forming) or self._job is None or not self._job.ended
        self.query_one(FormingBars).show(live.forming)
        pictures = [(cluster, picture) for cluster in live.forming for picture in cluster.pictures if picture.hash]
        self._forming.set_items(
            [_item(picture, str(cluster.number + 1)) for cluster, picture in pictures], keep_cursor=True
        )
        if live.failures:
            failures = self.query_one("#failures", VimList)
            failures.display = True
            before = failures.highlighted
            failures.set_options([Option(_failure(path, reason)) for path, reason in live.failures])
            failures.highlighted = before

    def _take_in(self, recent: list[Known]) -> None:
        """Puts fresh pictures where the oldest are: the others stay where they are."""
        there = {picture.image for picture in self._slots}
        fresh = [picture for picture in recent if picture.image not in there]
        if len(self._slots) < SLOTS:
            self._slots += reversed(fresh[: SLOTS - len(self._slots)])
            self._strip.set_items([_item(picture) for picture in self._slots], keep_cursor=True)
            return
        changed: dict[int, GridItem] = {}
        for picture in fresh[:FRESH]:
            self._slots[self._next_slot] = picture
            changed[self._next_slot] = _item(picture)
            self._next_slot = (self._next_slot + 1) % SLOTS
        self._strip.update_items(changed)

    # What it does

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What runs can be held and stopped; what does not can begin."""
        running = self._job is not None and not self._job.ended
        if action == "retry":
            return bool(not running and self._job is not None and self._missed()) or None
        if action in ("pause", "cancel"):
            return True if running and self._job is not None and not self._job.cancel else None
        return None if action == "embed" and running else True

    def action_pause(self) -> None:
        """Holds the job, or lets it go on."""
        assert self._job is not None
        self._set_paused(self._job.id, paused=not self._job.paused)

    def action_cancel(self) -> None:
        """Stops the job; what was done is kept."""
        assert self._job is not None
        self.shoebox.cancel(self._job)

    @work(thread=True, group="ask", exit_on_error=False)
    def _set_paused(self, job_id: int, *, paused: bool) -> None:
        try:
            with self.shoebox.client() as client:
                client.set_paused(job_id, paused=paused)
                job = client.job(job_id)
        except ShoeboxError as error:
            self.app.call_from_thread(self.shoebox.report, error)
            return
        self.app.call_from_thread(self._show_job, job)

    def action_embed(self) -> None:
        """Goes on, or looks for what is new: the last job once more."""
        app = self.shoebox
        if self._job is not None:
            app.submit(self._job.kind, self._job.params)
        else:
            kept = app.state.get("wishes")
            wishes = Wishes.of(app.settings, self.facts.encoder, kept if isinstance(kept, dict) else {})
            app.submit(*wishes.job(app.settings, self.facts.encoder))

    def _missed(self) -> int:
        """How many URLs did not come, as the last job has it."""
        told = self._job.result.get("downloads", {}).get("in_all", {}) if self._job is not None else {}
        return int(told.get("failed", 0)) + int(told.get("refused", 0))

    def action_retry(self) -> None:
        """The last job once more, with the downloads that failed."""
        if self._job is not None:
            asked = self._job.params.get("source", {}) | {"retry_failed": True}
            self.shoebox.submit(self._job.kind, self._job.params | {"source": asked})

    def action_clusters(self) -> None:
        """Goes to the clusters."""
        self.shoebox.go("clusters")

    def action_failures(self) -> None:
        """Shows everything that could not be read."""
        self._read_failures()

    @work(thread=True, exclusive=True, group="failures", exit_on_error=False)
    def _read_failures(self) -> None:
        project = self.shoebox.project
        if project is None:
            return
        with project.database() as db:
            failures = read_failures(db)
        self.app.call_from_thread(self.app.push_screen, FailuresScreen(failures))


class FailuresScreen(ModalScreen[None]):
    """What could not be read, and why."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,f", "dismiss", "Close", id="failures.close")]
    DEFAULT_CSS = """
    FailuresScreen VimList { width: 90%; max-height: 90%; height: auto; border: round $accent; background: $surface;
        text-wrap: wrap; }
    """

    def __init__(self, failures: list[tuple[str, str]]) -> None:
        super().__init__()
        self._failures = failures

    def compose(self) -> ComposeResult:
        """Its parts."""
        rows = [Option(_failure(path, reason)) for path, reason in self._failures]
        box = VimList(*(rows or [Option("nothing failed")]))
        box.border_title = f"{count(len(self._failures), 'failure')}"
        box.border_subtitle = "esc closes"
        yield box


def state_words(job: Job) -> str:
    """A job's state in a word."""
    if job.ended:
        return job.state
    if job.cancel:
        return "cancelling"
    return "paused" if job.paused else {"queued": "waiting"}.get(job.state, job.state)


def _switches(job: Job) -> tuple[object, ...]:
    """What decides which keys work."""
    return job.paused, job.cancel, job.state


def _item(picture: Known, caption: str = "") -> GridItem:
    from tui.widgets.picture_grid import GridItem

    return GridItem(picture.image, picture.hash or b"", caption)


def _shown_only(grid: PictureGrid) -> PictureGrid:
    grid.can_focus = False
    return grid


def _failure(path: str, reason: str) -> Content:
    return Content.assemble(path, (f"   {reason}", "dim"))
