"""The Names screen: names reviewed and edited, and the jobs that propose and measure them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.timer import Timer

from core.errors import ShoeboxError
from core.settings import environment_of
from tui.figures import count, dollars
from tui.messages import JobChanged
from tui.naming import NamesView, naming_job
from tui.screens.name_editor import NameEditor

if TYPE_CHECKING:
    from core.catalog.jobs import Job
    from core.settings import Settings
    from tui.screens.language_model import ByLanguageModel
    from tui.screens.vocabulary import ByVocabulary, Whom

MEASURE_SECONDS = 1.0
"""After the last edit the names are measured."""
JOBS = ("name", "label", "measure")
ASKED = ("model", "base_url", "per_cluster", "context", "max_cost", "max_calls")
"""Settings of naming by a language model that the next start of the app has again."""


class NamesScreen(NameEditor):
    """The whole of it."""

    CSS_PATH = "names.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "ask_again", "Again", id="names.again", tooltip="other names for this cluster, with a hint"),
        Binding("v", "vocabulary", "Vocabulary", id="names.vocabulary", tooltip="names from a list of words"),
        Binding("o", "language_model", "Model", id="names.language-model", tooltip="names from a language model"),
        Binding("n", "annotate_with_names", "Annotate", id="names.annotate", tooltip="every picture, with these names"),
        Binding("m", "measure", "Measure", show=False, id="names.measure", tooltip="how well the names fit, again"),
        Binding("s", "sort", "Order", id="names.sort", tooltip="by size, worst quality first, by state"),
        Binding(
            "slash", "filter", "Filter", key_display="/", id="names.filter", tooltip="name, number, state, changed"
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._jobs: set[int] = set()
        self._measuring: Timer | None = None
        self._tried: set[tuple[int, int, str | None, str]] = set()
        """The names whose measure was asked for: where the encoder knows no words it is not asked for ever."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Naming needs clusters, and annotating its own screen."""
        if action == "annotate_with_names":
            return (self.view is not None and any(row.cluster.name for row in self.view.rows)) or None
        if action in ("vocabulary", "language_model", "measure"):
            return self.view is not None or None
        if action == "ask_again":
            return (self.view is not None and self.row is not None) or None
        return super().check_action(action, parameters)

    def action_annotate_with_names(self) -> None:
        """Goes on to annotate every picture with these names."""
        self.shoebox.names_handed_on = True
        self.shoebox.go("annotate")

    # What is said

    def how_to_begin(self) -> str:
        """The two namers, and what each needs."""
        return (
            "nothing is named yet:  v by a vocabulary, on this machine    o by a language model, with OPENAI_API_KEY"
            " or a server of your own    enter types a name"
        )

    def spent(self) -> str:
        """While a language model is asked: what of how much."""
        job = next((job for job in self._under_way() if job.kind != "measure" and job.progress.get("calls")), None)
        if job is None:
            return super().spent()
        cost, most = job.progress.get("cost"), job.params["settings"].get("max_cost")
        money = "" if cost is None else f" · {dollars(cost)}" + (f" of at most {most:.2f}" if most else "")
        return f"{count(job.progress['calls'], 'call')}{money}"

    # Jobs

    def action_vocabulary(self) -> None:
        """Asks for the words and the clusters."""
        from tui.screens.vocabulary import VocabularyScreen

        screen = VocabularyScreen(self.remembered("vocabulary", "auto"), self._whom())
        self.app.push_screen(screen, self._name_by_vocabulary)

    def _name_by_vocabulary(self, asked: ByVocabulary | None) -> None:
        if asked is not None:
            self.remember(vocabulary=asked.vocabulary)
            self._have_named("vocabulary", self.shoebox.settings, clusters=asked.clusters, vocabulary=asked.vocabulary)

    def action_language_model(self) -> None:
        """Asks for the model and the rest, and for consent."""
        self._ask_for_model(self._whom())

    def _ask_for_model(self, whom: list[Whom], *, again: bool = False, hints: dict[int, str] | None = None) -> None:
        from tui.screens.language_model import LanguageModelScreen

        project = self.shoebox.project
        if project is None:
            return
        try:  # a key that was added since the start
            given = self.shoebox.given_environment
            self.shoebox.environment = environment_of(project.directory.parent, given)
        except ShoeboxError as error:
            self.shoebox.report(error)
        screen = LanguageModelScreen(
            project, self._settings(), self.shoebox.environment, whom, again=again, hints=hints
        )

        def take(asked: ByLanguageModel | None) -> None:
            if asked is not None:
                values = dataclasses.asdict(asked.settings)
                self.remember(asked={name: values[name] for name in ASKED})
                self._have_named("openai", asked.settings, clusters=asked.clusters, again=again, hints=hints)

        self.app.push_screen(screen, take)

    def _settings(self) -> Settings:
        """The app's, with what was asked for last."""
        kept = {name: value for name, value in self.remembered("asked", {}).items() if name in ASKED}
        try:
            return self.shoebox.settings.with_values(kept, "what was asked for last")
        except ShoeboxError:
            return self.shoebox.settings

    def action_ask_again(self) -> None:
        """Other names for the cluster: with a hint from a language model, the next best words from a vocabulary."""
        if self.row is None:
            return
        cluster = self.row.cluster
        if cluster.proposal is None or cluster.proposal.namer != "openai":
            words = self.remembered("vocabulary", "auto")
            settings = self.shoebox.settings
            self._have_named("vocabulary", settings, clusters=(cluster.number,), vocabulary=words, again=True)
            return
        from tui.screens.ask import AskScreen

        def take(hint: str | None) -> None:
            if hint is not None:
                self._ask_model_again(cluster.number, hint.strip())

        title = f"Ask again about cluster {cluster.number} {cluster.name or ''}".rstrip()
        self.app.push_screen(AskScreen(title, "", "a hint, such as: the breed matters; may be empty"), take)

    @work(thread=True, group="consent", exit_on_error=False)
    def _ask_model_again(self, number: int, hint: str) -> None:
        """At once where the user has agreed to the server; else the form is shown first."""
        from core.naming.language import consent
        from core.naming.language.server import server_of

        project, settings = self.shoebox.project, self._settings()
        hints = {number: hint} if hint else None
        try:
            assert project is not None
            with project.database() as db:
                agreed = consent.is_given(db, server_of(settings, self.shoebox.environment))
        except ShoeboxError:
            agreed = False  # the form says what is wrong
        if agreed:
            ask = lambda: self._have_named("openai", settings, clusters=(number,), again=True, hints=hints)  # noqa: E731
        else:
            ask = lambda: self._ask_for_model(self._this_one(number), again=True, hints=hints)  # noqa: E731
        self.app.call_from_thread(ask)

    def _have_named(self, namer: str, settings: Settings, **asked: Any) -> None:
        self.shoebox.submit("name", naming_job(settings, self.shoebox.environment, namer=namer, **asked), self._own_job)

    def _own_job(self, job_id: int) -> None:
        self._jobs.add(job_id)

    def _whom(self) -> list[Whom]:
        """The choices of clusters: the ticked ones first, where there are any."""
        from tui.screens.vocabulary import Whom

        rows = self.view.rows if self.view is not None else ()
        ticked = tuple(sorted(self.name_list.ticks))
        unnamed = tuple(row.number for row in rows if not row.cluster.name)
        free = sum(not row.cluster.is_users for row in rows)
        choices = [Whom(f"the {count(len(ticked), 'ticked cluster')}", ticked)] if ticked else []
        choices.append(Whom(f"all that you did not name or accept: {free:,}", None))
        if unnamed and len(unnamed) < len(rows):
            choices.append(Whom(f"all without a name: {len(unnamed):,}", unnamed))
        return choices + (self._this_one(self.row.number) if self.row is not None else [])

    @staticmethod
    def _this_one(number: int) -> list[Whom]:
        from tui.screens.vocabulary import Whom

        return [Whom(f"cluster {number} only", (number,))]

    def _under_way(self) -> list[Job]:
        return [job for job in self.shoebox.unfinished if job.kind in JOBS and not job.cancel]

    def job_changed(self, job: JobChanged) -> None:
        """Marks what is being named, and says what came of the jobs of this screen. What failed the app says."""
        self._mark_busy()
        self.say_summary()
        self.refresh_bindings()
        ended = job.job
        if ended.ended and ended.kind in JOBS:
            self.refresh_from_catalog()
        if ended.ended and ended.id in self._jobs:
            self._jobs.discard(ended.id)
            if ended.state == "done":
                self._say_done(ended)

    def _mark_busy(self) -> None:
        busy: set[int] = set()
        for job in self.shoebox.unfinished:
            if job.kind == "name" and self.view is not None:
                chosen = job.params.get("naming", {}).get("clusters")
                free = (row.number for row in self.view.rows if not row.cluster.is_users)
                busy.update(free if chosen is None else chosen)
        self.name_list.show_busy(frozenset(busy))

    def _say_done(self, job: Job) -> None:
        result = job.result
        if job.kind == "measure" and result.get("told"):
            self.notify(". ".join(result["told"]), title="names", timeout=8, markup=False)
        if job.kind == "name":
            words = [f"{result['named']:,} of {count(result['clusters'], 'cluster')} named", result.get("stopped", "")]
            words += result.get("told", [])
            self.notify(". ".join(word for word in words if word), title="names", timeout=8, markup=False)

    # Measuring

    def action_measure(self) -> None:
        """Measures all names again, and says where that cannot be done."""
        self._measure(self._own_job)

    def _measure(self, then: Callable[[int], None] | None = None) -> None:
        self.shoebox.submit("measure", {"settings": dataclasses.asdict(self.shoebox.settings)}, then)

    def take_view(self, view: NamesView | None) -> None:
        """Names that nobody measured are measured in the background."""
        super().take_view(view)
        self._mark_busy()
        if view is not None and self._to_measure(view) and self.is_active:
            if self._measuring is not None:
                self._measuring.stop()
            self._measuring = self.set_timer(MEASURE_SECONDS, self._measure_new)

    def _to_measure(self, view: NamesView) -> set[tuple[int, int, str | None, str]]:
        rows = [row.cluster for row in view.rows if row.unmeasured]
        return {(view.clustering, cluster.number, cluster.name, cluster.basis) for cluster in rows} - self._tried

    def _measure_new(self) -> None:
        if self.view is None or any(job.kind in JOBS for job in self.shoebox.unfinished):
            return  # naming measures too; when it has ended, the names are read again
        if new := self._to_measure(self.view):
            self._tried |= new
            self._measure()
