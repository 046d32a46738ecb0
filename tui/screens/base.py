"""What every screen of the app has: the stages on top, its own body, and two lines below."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import Reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import get_current_worker

from core.errors import ShoeboxError
from tui.graphics.compositor import SparingCompositor
from tui.messages import FactsChanged, JobChanged
from tui.widgets.key_line import KeyLine
from tui.widgets.stage_bar import StageBar
from tui.widgets.status_line import StatusLine

if TYPE_CHECKING:
    from core.catalog.database import Database
    from tui.app import ShoeboxApp
    from tui.facts import Facts

__all__ = ["JobChanged", "ShoeboxScreen"]

Answer = TypeVar("Answer")


class ShoeboxScreen(Screen[None]):
    """One stage of the work. Subclasses give `compose_body`, and `CSS_PATH` beside their own file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", "Next part", show=False, id="screen.next"),
        Binding("shift+tab", "app.focus_previous", "Part before", show=False, id="screen.before"),
    ]
    STAGE: ClassVar[str] = ""
    """The name that `app.go` knows it by."""
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual has it so
        (0, "-narrow"),
        (100, "-wide"),
    ]
    DEFAULT_CSS = """
    ShoeboxScreen { layout: vertical; layers: base; overflow: hidden; }
    ShoeboxScreen > #body { height: 1fr; }
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)  # Textual's own paints the whole screen
    _stale = True

    def __init__(self) -> None:
        super().__init__()
        self._compositor = SparingCompositor()

    @property
    def shoebox(self) -> ShoeboxApp:
        """The app, by its own type."""
        return self.app  # type: ignore[return-value]

    @property
    def facts(self) -> Facts:
        """What the project holds, as read last."""
        return self.shoebox.facts

    def compose(self) -> ComposeResult:
        """Its parts."""
        yield StageBar()
        yield from self.compose_body()
        yield StatusLine()
        yield KeyLine()

    def compose_body(self) -> ComposeResult:
        """The screen's own part: one widget of height 1fr, or several."""
        yield from ()

    def _update_focus_styles(self, focused: Widget | None = None, blurred: Widget | None = None) -> None:
        """The frames of panes follow the focus. Textual would style all that is in them anew, too."""
        parts = [part for part in (focused, blurred) if part is not None]
        frames = {node for part in parts for node in part.ancestors_with_self if node._has_focus_within}
        self.app.stylesheet.update_nodes(frames, animate=True)

    def _compositor_refresh(self) -> None:
        """Beneath a dialog what changed is drawn once, and under a whole screen not at all: it comes up anew after.

        Textual has both screens paint everything again, which makes each of them begin again: without end.
        """
        above = self.app.screen
        if above is self:
            super()._compositor_refresh()
            return
        changed = set(self._compositor._dirty_regions)
        self._compositor._dirty_regions.clear()
        self._dirty_widgets.clear()
        if changed and above.styles.background.a < 1:
            above.refresh(*changed)

    def read(self, ask: Callable[[Database], Answer], take: Callable[[Answer], None]) -> None:
        """Asks the catalog in a worker's thread, and hands the answer to the loop unless nobody waits for it."""
        project, worker = self.shoebox.project, get_current_worker()
        if project is None:
            return
        try:
            with project.database() as db:
                answer = ask(db)
        except ShoeboxError as error:
            self.app.call_from_thread(self.shoebox.report, error)
            return
        if not worker.is_cancelled and self.is_attached:
            self.app.call_from_thread(take, answer)

    def refresh_from_catalog(self) -> None:
        """Called in the loop when the catalog changed, at most about once a second, while the screen is shown.

        What takes over a few milliseconds is read by a thread.
        """

    def leaving(self) -> None:
        """Called before another stage is shown. Where there is something to see, no field is left to type in."""

    def job_changed(self, job: JobChanged) -> None:
        """Called in the loop when a job changed, a few times a second while it runs."""

    def on_job_changed(self, message: JobChanged) -> None:
        """Shows a job."""
        self.query_one(StageBar).catch_up()
        self.query_one(StatusLine).catch_up()
        self.job_changed(message)

    def on_facts_changed(self, message: FactsChanged) -> None:
        """Shows what the project holds now."""
        self.query_one(StageBar).catch_up()
        self.query_one(StatusLine).catch_up()
        if self.is_active:
            self.refresh_from_catalog()
        else:
            self._stale = True

    def on_screen_resume(self) -> None:
        """Comes up to what happened while another screen was shown."""
        self.query_one(StageBar).refresh()
        if self._stale:
            self._stale = False
            self.call_after_refresh(self.refresh_from_catalog)
