"""Names from a language model: which, where, how far to go; what it will take, and what leaves the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Button, Input, Label, Select
from textual.worker import get_current_worker

from core.catalog import clusterings
from core.errors import ShoeboxError, UsageError
from core.naming.language import consent
from core.naming.language.server import DEFAULT_MODEL, DEFAULT_URL, KEY, URL, Server, address_of, server_of
from tui.screens.vocabulary import Whom, whom_of, whom_select

if TYPE_CHECKING:
    from core.naming.language.estimate import Estimate
    from core.project import Project
    from core.settings import Settings
    from tui.app import ShoeboxApp

FIELDS = (
    ("model", "model", DEFAULT_MODEL),
    ("base_url", "base URL", DEFAULT_URL),
    ("per_cluster", "labels a cluster", "25"),
    ("context", "about them all", "a sentence: what these pictures are"),
)
"""A field of Settings, what it is called, and what stands there where it is empty."""
BOUNDS = (("max_cost", "US dollars: no bound"), ("max_calls", "calls: no bound"))
SETTLE_SECONDS = 0.3
"""After the last key the estimate is made anew."""
HOW_TO_ADD_A_KEY = (
    f"{KEY} is not set. Put it into the environment, or into a .env beside the pictures, and press o again; or name a"
    " server that needs none by its base URL. Until then v names by a vocabulary."
)


@dataclass(frozen=True, slots=True)
class ByLanguageModel:
    """What was asked, and agreed to."""

    settings: Settings
    clusters: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class _Prospect:
    """What is known before anything is asked."""

    expected: Estimate
    server: Server
    agreed: bool
    foreign: bool
    """Whether only files of the folder name the server."""


class LanguageModelScreen(ModalScreen[ByLanguageModel | None]):
    """Gives what was asked, or None. To press Ask is to agree to what is said to leave the machine."""

    CSS_PATH = "modals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close", id="language-model.close"),
        Binding("ctrl+s", "ask", "Ask", id="language-model.ask"),
    ]

    def __init__(
        self,
        project: Project,
        settings: Settings,
        environment: Mapping[str, str],
        whom: list[Whom],
        *,
        again: bool = False,
        hints: Mapping[int, str] | None = None,
    ) -> None:
        super().__init__()
        self._project = project
        self._settings = settings
        self._environment = environment
        self._whom = whom
        self._again = again
        self._hints = hints
        self._prospect: _Prospect | None = None
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        """A form of one screen."""
        with Vertical(classes="modal"):
            yield Label("Names from a language model", classes="modal-title")
            with VerticalScroll(id="form"):
                for name, title, empty in FIELDS:
                    with Horizontal(classes="field tight"):
                        yield Label(title)
                        yield Input(self._present(name), placeholder=empty, compact=True, id=name)
                with Horizontal(classes="field tight"):
                    yield Label("at most")
                    for name, empty in BOUNDS:
                        yield Input(self._present(name), placeholder=empty, compact=True, id=name)
                with Horizontal(classes="field tight"):
                    yield Label("clusters")
                    yield whom_select(self._whom)
                yield Label("", id="estimate", markup=False)
                yield Label("", id="outcome", markup=False)
                yield Label("", classes="wrong", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Ask", variant="primary", compact=True, id="ask", disabled=True)
                yield Button("Cancel", compact=True, id="cancel")

    def _present(self, name: str) -> str:
        value = getattr(self._settings, name)
        if name == "base_url" and not value:
            return self._environment.get(URL, "")
        if not value and name != "per_cluster":
            return ""
        return f"{value:g}" if isinstance(value, float) else str(value)

    def on_mount(self) -> None:
        """Begins."""
        self.query_one("#model").focus()
        self._look_ahead()

    @on(Input.Changed)
    @on(Select.Changed)
    def _changed(self) -> None:
        self._prospect = None
        self.query_one("#ask", Button).disabled = True
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE_SECONDS, self._look_ahead)

    def _look_ahead(self) -> None:
        try:
            self._find_out(self._asked())
        except UsageError as error:
            self._say_wrong(error)

    def _asked(self) -> ByLanguageModel:
        names = [*(name for name, _, _ in FIELDS), *(name for name, _ in BOUNDS)]
        given = {name: self.query_one(f"#{name}", Input).value.strip() for name in names}
        empty = {"per_cluster": "25", "max_cost": "0", "max_calls": "0"}
        values = {name: text or empty.get(name, "") for name, text in given.items()}
        settings = self._settings.with_values(values, "what you typed")
        return ByLanguageModel(settings, whom_of(self, self._whom))

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _find_out(self, asked: ByLanguageModel) -> None:
        """Makes the estimate; it asks no server."""
        from core.naming.language.estimate import estimate

        worker = get_current_worker()
        try:
            server = server_of(asked.settings, self._environment)
            with self._project.database() as db:
                run = clusterings.latest(db)
                if run is None:
                    raise ShoeboxError("nothing is clustered yet", "g 3 goes to the clusters")
                agreed = consent.is_given(db, server)
            own = cast("ShoeboxApp", self.app).given_environment
            typed = server.url != address_of(self._settings, self._environment)
            foreign = not typed and not consent.is_users_choice(server, {}, own)
            numbers = None if asked.clusters is None else list(asked.clusters)
            expected = estimate(
                self._project,
                run,
                asked.settings,
                self._environment,
                stage="name",
                numbers=numbers,
                again=self._again,
                hints=self._hints,
            )
            if asked.settings.max_cost and expected.cost is None:
                raise UsageError(
                    f"the price of {server.model} is not known, so it cannot be bounded",
                    "say it in the settings (price_in, price_out), or bound the calls",
                )
        except ShoeboxError as error:
            if not worker.is_cancelled and self.is_attached:
                self.app.call_from_thread(self._say_wrong, error)
            return
        if not worker.is_cancelled and self.is_attached:
            self.app.call_from_thread(self._say, _Prospect(expected, server, agreed, foreign))

    def _say(self, prospect: _Prospect) -> None:
        self._prospect = prospect
        self.query_one("#estimate", Label).update(prospect.expected.said())
        unasked = prospect.foreign and not prospect.agreed
        mind = f"Mind: {consent.not_users_choice(prospect.server)}. " if unasked else ""
        self.query_one("#outcome", Label).update(mind + consent.what_leaves(prospect.server))
        self._say_only(wrong="")
        button = self.query_one("#ask", Button)
        button.label = "Ask" if prospect.agreed else "Agree and ask"
        button.disabled = False

    def _say_wrong(self, error: ShoeboxError) -> None:
        self._prospect = None
        missing = KEY in str(error) and "not set" in str(error)
        self.query_one("#ask", Button).disabled = True
        self._say_only(wrong=HOW_TO_ADD_A_KEY if missing else str(error))

    def _say_only(self, *, wrong: str) -> None:
        """What is expected and leaves, or what is wrong: there is room for one of them."""
        self.query_one(".wrong", Label).update(wrong)
        self.query_one(".wrong").display = bool(wrong)
        self.query_one("#estimate").display = self.query_one("#outcome").display = not wrong

    @on(Input.Submitted)
    @on(Button.Pressed, "#ask")
    def action_ask(self) -> None:
        """Closes with what was asked, once it is known what that takes."""
        if self._prospect is not None:
            self._agree(self._asked(), self._prospect.server)

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _agree(self, asked: ByLanguageModel, server: Server) -> None:
        try:
            with self._project.database() as db:
                consent.give(db, server)
        except ShoeboxError as error:
            self.app.call_from_thread(self._say_wrong, error)
        else:
            self.app.call_from_thread(self.dismiss, asked)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)
