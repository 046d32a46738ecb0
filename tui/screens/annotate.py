"""The Annotate screen: the user's classes, the jobs that annotate with them, and what is written of it."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from core.annotation.classes import parse_classes
from core.catalog import classes
from core.catalog.paths import shown
from core.errors import ShoeboxError, UsageError
from tui.annotation import AnnotationView, from_clusters, run_encoders
from tui.class_file import read_classes
from tui.figures import count
from tui.messages import JobChanged
from tui.screens.annotate_browser import CLASSES, RESULTS, REVIEW, ROUNDS
from tui.screens.annotate_review import AnnotateReview
from tui.screens.ask import AskScreen
from tui.widgets.rounds_view import Rounds, RoundsView

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from core.catalog.jobs import Job

RUNS = ("annotate", "embed_annotate")
JOBS = (*RUNS, "review", "save_head", "export_annotation")
QUEUE = 100
"""Pictures in a review queue, unless another number is asked for."""
MUCH = 0.25
"""Share of the pictures that a run may move before it is said as a warning."""
VIEWS = {
    "annotate": (CLASSES,),
    "load_file": (CLASSES,),
    "take_clusters": (CLASSES,),
    "sort": (RESULTS,),
    "class": (RESULTS,),
    "move": (RESULTS,),
    "zoom": (RESULTS,),
    "forget": (RESULTS, REVIEW),
    "decide": (REVIEW,),
    "new_class": (REVIEW,),
    "pick": (REVIEW,),
    "skip": (REVIEW,),
    "step": (REVIEW,),
    "classes": (RESULTS, ROUNDS, REVIEW),
    "review": (RESULTS, ROUNDS),
    "rounds": (RESULTS,),
    "export": (RESULTS, ROUNDS),
    "save_head": (RESULTS, ROUNDS, REVIEW),
}
"""Where an action is of use; elsewhere its key is another's."""
NOT_WHILE_TYPING = ("undo", "redo", "refine", "new_queue")
NEEDS_RUN = ("review", "export", "save_head", "refine", "new_queue", "sort", "class", "forget")
NEEDS_PICTURE = ("decide", "new_class", "pick", "skip")


class AnnotateScreen(AnnotateReview):
    """The whole of it."""

    CSS_PATH = "annotate.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "annotate", "Annotate", priority=True, id="annotate.run", tooltip="with these classes"),
        Binding("ctrl+o", "load_file", "Load a file", id="annotate.load", tooltip="classes from a file, one a line"),
        Binding("ctrl+n", "take_clusters", "Names of clusters", id="annotate.from-clusters"),
        Binding("c", "classes", "Classes", id="annotate.classes", tooltip="what they are, and how to annotate"),
        Binding("w", "new_queue", "New queue", show=False, id="annotate.queue", tooltip="other pictures to review"),
        Binding("H", "save_head", "Save head", show=False, id="annotate.save-head", tooltip="for another project"),
        Binding("e", "export", "Export", id="annotate.export", tooltip="folders, splits and lists"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._jobs: set[int] = set()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Each view has keys of its own; what needs a run or a picture is off without it."""
        if not self.is_mounted:
            return True
        here = self.showing
        if here not in VIEWS.get(action, (here,)) or (here == CLASSES and action in NOT_WHILE_TYPING):
            return False
        return self._is_ready(action) or None

    def _is_ready(self, action: str) -> bool:
        """Whether there is what an action needs."""
        has_run = self.view is not None and self.view.run is not None
        if action in NEEDS_PICTURE:
            return self.picture is not None
        if action in ("move", "zoom"):
            return bool(self._chosen())
        if action == "refine" and self._under_way():
            return False
        if action == "rounds":
            return has_run or bool(self._under_way())
        return has_run or action not in NEEDS_RUN

    def on_screen_resume(self) -> None:
        """Takes the names of the clusters, if the Names screen has handed them on."""
        super().on_screen_resume()
        if self.shoebox.names_handed_on:
            self.shoebox.names_handed_on = False
            self.call_after_refresh(self.action_take_clusters)

    def leaving(self) -> None:
        """Who comes back comes to the last run, unless its classes are being changed."""
        if self.showing == CLASSES and self._is_ready("review") and not self.entry.is_edited:
            self.switch_to(RESULTS)

    def begin(self, view: AnnotationView) -> None:
        """A run that goes on is shown."""
        super().begin(view)
        if self._under_way() and self.showing != CLASSES:
            self.switch_to(ROUNDS)

    def take_view(self, view: AnnotationView, *rest: Any) -> None:
        """Says what another run changed."""
        before = self.view
        super().take_view(view, *rest)
        if before is None or before.run is None or view.run is None or view.run.id <= before.run.id:
            return
        if {c.id for c in before.run.classes} != {c.id for c in view.run.classes}:
            return  # then nothing else is to be expected
        held = {row.id for row in before.rows if row.pictures}
        lost = sum(row.id in held and not row.pictures for row in view.rows)
        moved = 0 if self.effect is None else self.effect.moved
        if moved:
            words = f"{moved:,} of {count(view.run.images, 'picture')} changed class"
            words += f", {count(lost, 'class', 'classes')} lost all" if lost else ""
            much = lost or moved > MUCH * view.run.images
            severity: SeverityLevel = "warning" if much else "information"
            self.notify(f"{words}; u goes back to the run before", severity=severity, timeout=12 if much else 5)

    # The classes

    def action_classes(self) -> None:
        """The classes as they are typed, and how to annotate."""
        self.switch_to(CLASSES)

    def action_take_clusters(self) -> None:
        """The names of the last clusters, in place of what is typed."""
        self._read_names()

    @work(thread=True, group="names", exit_on_error=False)
    def _read_names(self) -> None:
        def take(text: str) -> None:
            if text:
                self._type_in(text)
                self.notify("the names of the clusters; ctrl+z brings back what was typed", timeout=4)
            else:
                self.shoebox.report("no cluster has a name yet: g 4 names them")

        self.read(from_clusters, take)

    def action_load_file(self) -> None:
        """Classes from a file, in place of what is typed."""

        def take(path: str | None) -> None:
            if path and path.strip():
                self._load(str(Path(path.strip()).expanduser()))

        self.app.push_screen(AskScreen("Classes from a file", "", "its path; one class a line"), take)

    @work(thread=True, group="file", exit_on_error=False)
    def _load(self, path: str) -> None:
        try:
            text = read_classes(path)
        except ShoeboxError as error:
            self.app.call_from_thread(self.shoebox.report, error)
        else:
            self.app.call_from_thread(self._type_in, text)

    def _type_in(self, text: str) -> None:
        if self.view is None:  # not read yet: that would show another view, and type over it
            self.to_type = text
        else:
            self.switch_to(CLASSES)
            self.entry.type_in(text)

    # The jobs

    def action_annotate(self) -> None:
        """Makes the classes those of the project, and annotates with them."""
        try:
            wanted = self.entry.wanted()
            names = [(c.name, c.phrases) for c in parse_classes(self.entry.text).classes]
        except UsageError as error:
            self.shoebox.report(error)
            return
        asked = {"method": wanted.method, "threshold": wanted.threshold, "head": wanted.head, "review": QUEUE}
        params = self._params(asked, list(wanted.encoders))
        kind = "embed_annotate" if wanted.embed else "annotate"
        self.edit(
            lambda db: classes.set_classes(db, names, wanted.prompts),
            lambda _: self._run(kind, params, ROUNDS),
        )

    def action_refine(self) -> None:
        """Annotates again as the last time, with the corrections and the classes in force."""
        view = self.view
        if view is None or view.run is None:
            return
        run = view.run
        asked = run.settings | {"save_head": None}
        if asked["head"] and view.is_stale:
            asked["head"] = None
            self.notify("the head knows other classes: the words take its place", timeout=6)

        def then(used: list[dict[str, str]]) -> None:
            self._run("annotate", self._params(asked, used), REVIEW if self.showing == REVIEW else ROUNDS)

        self.edit(lambda db: run_encoders(db, run), then)

    def _params(self, asked: dict[str, Any], used: list[dict[str, str]]) -> dict[str, Any]:
        settings = self.shoebox.settings
        return {
            "settings": dataclasses.asdict(settings),
            "annotation": asked | {"seed": settings.seed},
            "encoders": used,
        }

    def _run(self, kind: str, params: dict[str, Any], view: str) -> None:
        self.query_one(RoundsView).show(Rounds(message="waiting its turn", share=0.0))
        self.switch_to(view)
        self.shoebox.submit(kind, params, self._own_job)

    def action_new_queue(self) -> None:
        """Other pictures to review: how many, and below which confidence."""

        def take(text: str | None) -> None:
            if text is None:
                return
            try:
                number, below = _queue_asked(text)
            except UsageError as error:
                self.shoebox.report(error)
                return
            settings = dataclasses.asdict(self.shoebox.settings)
            self.shoebox.submit("review", {"settings": settings, "count": number, "below": below}, self._own_job)

        hint = "how many; and below which confidence, such as: 50 0.8"
        self.app.push_screen(AskScreen("A new review queue", str(QUEUE), hint), take)

    def action_export(self) -> None:
        """Asks how, and writes folders, splits and lists."""
        from tui.screens.save_annotation import SaveAnnotationScreen

        view = self.view
        if view is None or view.run is None:
            return
        used = sum(row.pictures > 0 and row.id is not None for row in view.rows)
        pictures = sum(row.pictures for row in view.rows)
        self.app.push_screen(SaveAnnotationScreen(pictures, used, shown(os.fsencode(os.getcwd()))), self._export)

    def _export(self, asked: dict[str, Any] | None) -> None:
        if asked is None:
            return
        output = asked["output"]
        absolute = None if output is None else str(Path(output).expanduser().absolute())
        export = asked | {"output": absolute, "working_directory": os.getcwd()}
        params = {"settings": dataclasses.asdict(self.shoebox.settings), "export": export}
        self.shoebox.submit("export_annotation", params, self._own_job)

    def action_save_head(self) -> None:
        """Asks for a file, and has the worker write the head that the corrections train."""
        project = self.shoebox.project
        if project is None:
            return

        def take(path: str | None) -> None:
            if path and path.strip():
                params = {
                    "settings": dataclasses.asdict(self.shoebox.settings),
                    "path": str(Path(path.strip()).expanduser().absolute()),
                }
                self.shoebox.submit("save_head", params, self._own_job)

        name = project.directory.parent.name if project.directory.name == ".shoebox" else project.directory.stem
        hint = f"a file in {shown(os.fsencode(os.getcwd()))}"
        self.app.push_screen(AskScreen("Save the trained head", f"{name}-head.safetensors", hint), take)

    def _own_job(self, job_id: int) -> None:
        self._jobs.add(job_id)

    def _under_way(self) -> list[Job]:
        return [job for job in self.shoebox.unfinished if job.kind in RUNS and not job.cancel]

    def job_changed(self, job: JobChanged) -> None:
        """Draws a run as it goes on, and says what came of the jobs of this screen. What failed the app says."""
        ended = job.job
        if ended.kind in RUNS:
            self._draw(ended)
            self.say_effect("" if ended.ended else str(ended.progress.get("message") or "waiting its turn"))
        if not ended.ended or ended.kind not in JOBS:
            return
        self.refresh_bindings()
        self.refresh_from_catalog()
        if ended.kind in RUNS and self.showing == ROUNDS:  # that is what was waited for
            has_run = ended.state == "done" or (self.view is not None and self.view.run is not None)
            self.switch_to(RESULTS if has_run else CLASSES)
        if ended.id in self._jobs and ended.state == "done":
            self._say_done(ended)
        self._jobs.discard(ended.id)

    def _draw(self, job: Job) -> None:
        data = job.progress
        rounds = [*data.get("history", ()), *([data["iteration"]] if data.get("iteration") else [])]
        if job.ended and job.state == "done":
            if rounds:
                self.query_one(RoundsView).show(Rounds(data.get("classes", ()), rounds))
            return
        share = data.get("share")
        if share is None and data.get("total"):
            share = (data.get("done", 0) + data.get("failed", 0)) / data["total"]
        message = str(data.get("message") or data.get("stage") or "starting")
        self.query_one(RoundsView).show(Rounds(data.get("classes", ()), rounds, message, share or 0.0))

    def _say_done(self, job: Job) -> None:
        result = job.result
        if job.kind == "export_annotation" or "output" in result:
            parts = ", ".join(f"{number:,} {part}" for part, number in result["splits"].items())
            left = f"; {count(len(result['skipped']), 'picture')} left out: see report.txt" if result["skipped"] else ""
            words = f"{count(result['files'], 'picture')} in {result['output']}{f' ({parts})' if parts else ''}{left}"
            self.notify(words, title="exported", timeout=15, markup=False)
        elif job.kind == "save_head":
            taught = count(result["corrections"], "correction") if result["corrections"] else "the words alone"
            words = f"a head of {taught} in {result['path']}; another project takes it under head (c)"
            self.notify(words, title="saved", timeout=15, markup=False)
        elif job.kind == "review":
            self.notify(f"{count(len(result['queue']), 'picture')} to review", timeout=4)


def _queue_asked(text: str) -> tuple[int, float | None]:
    """A number of pictures, and perhaps a confidence."""
    words = text.replace("<", " ").split()
    try:
        number = int(words[0]) if words else QUEUE
        below = float(words[1]) if len(words) > 1 else None
    except ValueError:
        raise UsageError(f"{text} is no number of pictures", "such as 50, or 50 0.8") from None
    if number < 1 or (below is not None and not 0 <= below <= 1) or len(words) > 2:
        raise UsageError(f"{text} is no number of pictures", "such as 50, or 50 0.8: a confidence is from 0 to 1")
    return number, below
